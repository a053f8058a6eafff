"""`credit-platform run`: materializes everything once in this process, and prints what the instance recorded."""

import os
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from credit_assets.applications.scores_table import prepare_scores
from credit_assets.commands.one_machine.local import LocalPlatform, fail_runs_of_killed_processes
from credit_assets.commands.one_machine.outcome import (
    describe_promotion,
    describe_warnings,
    describe_wave_run,
    is_interruption,
    print_failures,
    summary,
)
from credit_assets.commands.one_machine.undisturbed import keep_log_writers, look_at_store
from credit_assets.commands.options import choose_settings
from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH, SCORE_LOCATIONS
from credit_assets.settings.file import load_settings
from resources.deployment import Deployment, local_address
from resources.errors import PlatformError
from resources.machine.embedded_postgres import EmbeddedPostgres
from resources.machine.processes import make_process_tag
from resources.services.database import SETTING, Database, connect

LEFT = "what the run committed stays, and the next `make run` with these settings marks the run as failed"


class HistoryError(PlatformError):
    """Dagster's database went away while a run was recorded."""


def materialize_all(local: LocalPlatform, ui: str) -> int:
    """Materializes all assets in this process, with the instance's storage, and prints what came out.

    Args:
        local: the platform of this machine.
        ui: the command that serves the history of this run, for people.

    Returns:
        The exit code: 0 only if every asset was materialized and every blocking check passed.

    Raises:
        DatabaseError: a database can't be used. No run was begun.
        LocationsError, ScoresError: likewise, a table of the wave is not as declared.
        StoreError: likewise, the store can't be used, or does not answer.
        HistoryError: Dagster's database went away.
        KeyboardInterrupt: somebody stopped the run.
    """
    # Otherwise the first step would find out, and the run would be recorded as failed.
    connect(local.deployment.require("database_url"), SETTING).close()
    refuse_wrong_tables(local.deployment)
    look_at_store(local.deployment.require("store"))
    with end_with_server(local.server), interruptible(), dg.DagsterInstance.get() as instance:
        fail_runs_of_killed_processes(instance)
        keep_log_writers(instance)
        result = execute(local.deployment, REFRESH, instance)
        if not result.success:
            # What failed may be the benchmark, for which the promotion does not wait.
            for line in [*describe_warnings(result), *describe_promotion(result)]:
                print(line, flush=True)
            print(f"run {result.run_id} failed; `{ui}` shows it", file=sys.stderr)
            # Last, where a person looks first.
            print_failures(result)
            return 1
        print(summary(result))
        if not score_all(local.deployment, instance):
            return 1
        print(f"\nLook at it: {ui}, then {local_address()}")
    return 0


def refuse_wrong_tables(deployment: Deployment) -> None:
    """Raises what the wave at the end would raise of its tables, before a model is trained and promoted."""
    settings = load_settings(deployment.require("settings"))
    if settings.scoring and deployment.scores_url:
        database = Database(url=deployment.require("database_url")).with_row_policy(settings.table.row_policy)
        prepare_scores(database, Database(url=deployment.scores_url, setting="PLATFORM_SCORES_URL"), settings)


def score_all(deployment: Deployment, instance: dg.DagsterInstance) -> bool:
    """Scores all locations in this process, and prints what came out; returns False if one could not be scored.

    Without [scoring] in the settings, or without a database for the scores, nothing is scored.

    Raises:
        HistoryError, KeyboardInterrupt: as `execute` raises them.
    """
    if load_settings(deployment.require("settings")).scoring is None:
        return True
    if not deployment.scores_url:
        print("\nWave: none, because PLATFORM_SCORES_URL is not set: it names the database that scores are written to")
        return True
    result = execute(deployment, SCORE_LOCATIONS, instance)
    print("\n".join(["", *describe_warnings(result), f"Wave: {describe_wave_run(result)}"]), flush=True)
    if not result.success:
        print_failures(result)
    return result.success


def execute(
    deployment: Deployment, job: str, instance: dg.DagsterInstance, ops: dict | None = None
) -> dg.ExecuteInProcessResult:
    """Executes a job in this process.

    Args:
        deployment: what its resources are made from.
        job: its name.
        instance: where the run is recorded.
        ops: config of its ops, by name.

    Raises:
        HistoryError: Dagster's database went away.
        KeyboardInterrupt: somebody stopped the run; what it committed is recorded.
    """
    config = {"loggers": {"progress": {}}, **({"ops": ops} if ops else {})}
    try:
        result = (
            build_defs(deployment)
            .resolve_job_def(job)
            .execute_in_process(instance=instance, raise_on_error=False, run_config=config, tags=make_process_tag())
        )
    except SQLAlchemyError as error:
        raise HistoryError(
            f"Dagster's database went away ({type(error).__name__}); {LEFT}. Its log may say more"
        ) from None
    if any(map(is_interruption, result.all_events)):
        raise KeyboardInterrupt(f"what run {result.run_id} committed stays; the same command starts another run")
    return result


@contextmanager
def interruptible() -> Iterator[None]:
    """Turns Dagster's own exception for Ctrl-C, which it raises outside of a step too, into Python's with a sentence.

    Raises:
        KeyboardInterrupt: somebody stopped the run.
    """
    try:
        yield
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt(LEFT) from None


@contextmanager
def end_with_server(server: EmbeddedPostgres, pause: float = 0.5) -> Iterator[None]:
    """Ends this process, in one line, when this machine's PostgreSQL has ended: nobody starts it again.

    Without it a run would wait 10 s for each event that it can't record. To end at once is what a kill does, and the
    next run cleans up after that.

    Args:
        server: the embedded PostgreSQL.
        pause: seconds between two looks.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(pause):
            if server.has_ended():
                print(f"error: the PostgreSQL of {server.data} has ended; {LEFT}", file=sys.stderr, flush=True)
                sys.stdout.flush()
                os._exit(1)

    watcher = threading.Thread(target=watch, name="watches PostgreSQL", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def ui_command(settings: Path, outside: Deployment) -> str:
    """The command that serves the history of these settings, in a shell with the variables of `outside`."""
    return "make ui" if settings == choose_settings(None, outside) else f"make ui SETTINGS={shlex.quote(str(settings))}"
