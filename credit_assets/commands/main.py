"""The one command, `credit-platform`: its sub-commands, their options and the exit codes.

Belongs here: what a person may type, and what is refused. Does not belong here: what a sub-command does. Each imports
its own module when it runs, because Dagster and the libraries of the model take seconds to import.
"""

import gc
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from credit_assets.commands.options import (
    DONE,
    EXIT_CODES,
    FAILED,
    SHORTEST_WHO,
    SHORTEST_WHY,
    ChosenSet,
    Filled,
    Group,
    choose_settings,
    patience_option,
    refuse_together,
    settings_option,
)
from credit_assets.commands.release import backups, check, materialize, prepare
from resources.deployment import UI_PORT, Deployment
from resources.errors import PlatformError
from resources.machine.console_script import GARBAGE_THRESHOLD, imports_not_searched
from resources.machine.output import accept_all_output, finish_output

INTERRUPTED = 130


@click.group(cls=Group)
def cli() -> None:
    """Trains, measures and promotes a credit default model, and says what it was made from."""


@cli.command()
@settings_option
def run(settings: Path | None) -> int:
    """Materialize all assets once on this machine, and print the metrics."""
    with imports_not_searched():
        from credit_assets.commands.one_machine.local import describe_places, local_platform
        from credit_assets.commands.one_machine.run import materialize_all, ui_command

    outside = Deployment.from_environment()
    chosen = choose_settings(settings, outside)
    with local_platform(chosen, outside) as local:
        print(f"settings {chosen}\n{describe_places(local.deployment, outside)}", flush=True)
        return materialize_all(local, ui_command(chosen, outside))


@cli.command(epilog=f"{EXIT_CODES} 3: a person must name the table, or fill in a line of the draft.")
@click.option("--table", type=Filled(), metavar="NAME", help="The table: `schema.table`, or its name alone.")
@click.option(
    "--output",
    type=Filled(Path),
    metavar="FILE",
    help="The file to write, which is not there yet. Default: settings/NAME.toml.",
)
def inspect(table: str | None, output: Path | None) -> int:
    """Draft the settings of a table from its columns and a sample of its rows, for a person to look at.

    Without --table it takes the only table that could hold loans, or lists those that could.
    """
    from credit_assets.commands.inspect import inspect_table

    return inspect_table(Deployment.from_environment(), table, output)


@cli.command()
@settings_option
@click.option("--port", type=click.IntRange(1, 65_535), default=UI_PORT, show_default=True, help="Port of the UI.")
def ui(settings: Path | None, port: int) -> int:
    """Serve the Dagster UI of this machine, with its daemon, until Ctrl-C. That is its ordinary end: exit code 0."""
    from credit_assets.commands.one_machine.ui import check_port, serve_history

    check_port(port)
    from credit_assets.commands.one_machine.local import describe_places, local_platform

    outside = Deployment.from_environment()
    chosen = choose_settings(settings, outside)
    with local_platform(chosen, outside) as local:
        print(f"settings {chosen}\n{describe_places(local.deployment, outside)}", flush=True)
        return serve_history(local.deployment, port)


@cli.command()
@click.argument("what", required=False, type=Filled())
@click.option(
    "--of-dataset",
    type=Filled(),
    metavar="SHA256",
    help="All that was made from this dataset: its file or its content.",
)
@click.option(
    "--of-code",
    type=Filled(),
    metavar="VERSION",
    help="All that was made with asset:code version, a platform or an image.",
)
@settings_option
def lineage(what: str | None, of_dataset: str | None, of_code: str | None, settings: Path | None) -> int:
    """Print what made a model, or what was made from a dataset or code.

    WHAT is `latest` (the default), the number of a promotion, the id of a run, or the sha256 of an artifact.
    """
    refuse_together({"WHAT": what, "--of-dataset": of_dataset, "--of-code": of_code})
    from credit_assets.commands.lineage import print_lineage

    deployment = Deployment.from_environment()
    print_lineage(deployment, choose_settings(settings, deployment), what or "latest", of_dataset, of_code)
    return DONE


@cli.command()
@settings_option
@click.option("--apply", is_flag=True, help="Delete it. Without this option nothing is deleted.")
def retention(settings: Path | None, *, apply: bool) -> int:
    """Print what the limits of [retention] in the settings would delete, what stays, and why."""
    from credit_assets.commands.retention import print_retention

    deployment = Deployment.from_environment()
    print_retention(deployment, choose_settings(settings, deployment), apply=apply)
    return DONE


@cli.command()
@click.argument("chosen", type=ChosenSet())
@click.option(
    "--who",
    type=Filled(shortest=SHORTEST_WHO),
    required=True,
    help=f"Who decides: a name that others can ask, of at least {SHORTEST_WHO} characters.",
)
@click.option(
    "--why",
    type=Filled(shortest=SHORTEST_WHY),
    required=True,
    help=f"Why, in a sentence of at least {SHORTEST_WHY} characters. It is kept as long as the promotion.",
)
@click.option("--accept-other-columns", is_flag=True, help="Promote a set whose columns the settings don't declare.")
@settings_option
@click.option("--ui", type=Filled(), help="On a cluster: address of the webserver that launches the promotion.")
@patience_option
def promote(
    chosen: str, who: str, why: str, accept_other_columns: bool, settings: Path | None, ui: str | None, patience: int
) -> int:
    """Promote a set by hand, past the rule. To roll back, promote an earlier set.

    CHOSEN is the number of an earlier promotion, or the id of a run that committed all four assets.
    """
    refuse_together({"--settings": settings, "--ui": ui})
    from credit_assets.commands.promote import config_of, promote_here, promote_there

    config = config_of(chosen, who, why, accept_other_columns=accept_other_columns)
    if ui:
        from resources.services.webserver import Webserver

        return promote_there(Webserver(ui), config, patience)
    from credit_assets.commands.one_machine.local import local_history

    outside = Deployment.from_environment()
    chosen_settings = choose_settings(settings, outside)
    with local_history(chosen_settings, outside) as local:
        print(f"settings {chosen_settings}", flush=True)
        return promote_here(local, config)


cli.add_command(prepare)
cli.add_command(check)
cli.add_command(materialize)
cli.add_command(backups)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a sub-command, and returns its exit code; every error is one line on standard error.

    Args:
        arguments: those behind the name of the program; those of this process if None.
    """
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments), prog_name="credit-platform", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as stopped:
        # click raises its own error from ours, after it has ended the line in which a terminal shows ^C.
        sentence = str(stopped.__cause__ or stopped) or "nothing is under way any more"
        print(f"interrupted: {sentence}", file=sys.stderr)
        return INTERRUPTED
    except (PlatformError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return code or DONE


def stop(*_: object) -> None:
    """SIGTERM and SIGHUP end the program as Ctrl-C does, so that the last user of the database still stops it."""
    raise KeyboardInterrupt


def start() -> None:
    """Starts the program, in a process of its own."""
    # The objects that libraries make at import live as long as the process, so they are not searched for garbage.
    gc.set_threshold(GARBAGE_THRESHOLD)
    logging.captureWarnings(True)
    accept_all_output()
    # SIGINT too: a shell starts background jobs with SIGINT ignored, and Dagster then ignores SIGTERM along with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # A terminal that is closed sends SIGHUP, unless `nohup` keeps it from ending the program.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    code = main()
    if (unwritten := finish_output()) and code == DONE:
        print(f"error: standard output can't be written to: {unwritten}", file=sys.stderr)
        code = FAILED
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    start()
