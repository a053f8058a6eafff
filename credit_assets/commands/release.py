"""The sub-commands for a release on a cluster: before its first run, from outside, and for its backups.

Belongs here: what a person or a hook of the chart may type, and what is refused. Does not belong here: what a
sub-command does (`cluster`, `backups`).
"""

from pathlib import Path

import click

from credit_assets.commands.options import DONE, Command, Group, patience_option, ui_option
from resources.deployment import Deployment


@click.command(cls=Command)
@click.option("--seed", is_flag=True, help="Make the table of loans, and fill it if it is empty.")
def prepare(seed: bool) -> int:
    """In a release, before its first run: prove that the store and the loans are there."""
    from credit_assets.commands.cluster import prepare_release

    prepare_release(Deployment.from_environment(), seed=seed)
    return DONE


@click.command(cls=Command)
@ui_option
@patience_option
def check(ui: str, patience: int) -> int:
    """Wait until a release answers and has loaded its code."""
    from resources.services.webserver import Webserver

    Webserver(ui).wait_for_location(patience)
    return DONE


@click.command(cls=Command)
@ui_option
@patience_option
@click.option("--image", help="Wait until the release has loaded the code of this image. Default: any code will do.")
def materialize(ui: str, patience: int, image: str | None) -> int:
    """Materialize all assets once in a release, and print the metrics."""
    from credit_assets.commands.cluster import materialize_release
    from resources.services.webserver import Webserver

    webserver = Webserver(ui)
    webserver.wait_for_location(patience, image)
    return materialize_release(webserver, patience)


@click.group(cls=Group)
def backups() -> None:
    """Keep dumps of databases in the store that PLATFORM_STORE names, or fetch them."""


@backups.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--newest", type=click.IntRange(min=1), default=28, show_default=True, help="How many to keep; older ones go."
)
def keep(folder: Path, newest: int) -> int:
    """Keep the dumps of FOLDER as a backup, read it back, then delete old backups."""
    from credit_assets.commands.backups import keep_dumps

    keep_dumps(Deployment.from_environment(), folder, newest)
    return DONE


@backups.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--backup", help="Its time. Default: PLATFORM_BACKUP, or the newest.")
def fetch(folder: Path, backup: str | None) -> int:
    """Fetch the dumps of a backup into FOLDER, verified to the last byte."""
    from credit_assets.commands.backups import fetch_dumps

    deployment = Deployment.from_environment()
    fetch_dumps(deployment, folder, backup or deployment.backup or "")
    return DONE
