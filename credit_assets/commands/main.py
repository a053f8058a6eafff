"""The command line of one machine: `run` materializes everything once, `ui` serves it.

It holds no logic of its own: what it prints is what the instance recorded.
"""

import argparse
import gc
import logging
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from credit_assets.commands.local import local_platform
from credit_assets.commands.serve import PORT, check_port, serve, url
from credit_assets.promoted_model import CHECK, POINTER
from credit_assets.settings import SettingsError
from resources.machine.console_script import GARBAGE
from resources.machine.embedded_postgres import PostgresError
from resources.machine.processes import fail_left_runs, this_process
from resources.services.database import DatabaseError

SETTINGS = Path("settings/loans.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 only if every asset was materialized and every blocking check passed."""
    parser = argparse.ArgumentParser(prog="credit-platform", description=__doc__)
    parser.add_argument("command", choices=["run", "ui"])
    parser.add_argument("--settings", type=Path, default=SETTINGS, help="settings file")
    parser.add_argument("--port", type=int, default=PORT, help="port of the UI")
    given = parser.parse_args(arguments)
    try:
        if given.command == "ui":
            check_port(given.port)
        with local_platform(given.settings):
            return run(given.settings) if given.command == "run" else ui(given.port)
    except (SettingsError, PostgresError, DatabaseError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def stop(*_: object) -> None:
    """SIGTERM ends the program as Ctrl-C does, so that the last user of the database still stops it."""
    raise KeyboardInterrupt


def run(settings: Path) -> int:
    """Materializes all assets in this process, with the instance's storage, and prints what came out."""
    from credit_assets.definitions import defs
    from credit_assets.jobs import REFRESH

    with dg.DagsterInstance.get() as instance:
        free_places(instance)
        result = defs.resolve_job_def(REFRESH).execute_in_process(
            instance=instance, raise_on_error=False, run_config={"loggers": {"progress": {}}}, tags=this_process()
        )
        if any(map(is_interruption, result.all_events)):
            print(f"interrupted: what run {result.run_id} committed stays; `make run` starts another", file=sys.stderr)
            return 130
        if not result.success:
            for reason in failures(result.all_events):
                print(f"error: {reason}", file=sys.stderr)
            print(f"run {result.run_id} failed; `{look(settings)}` shows it", file=sys.stderr)
            return 1
        print(summary(result))
        print(f"\nLook at it: {look(settings)}, then {url(PORT)}")
    return 0


def free_places(instance: dg.DagsterInstance) -> None:
    """Fails the runs that a killed `make run` left, which would keep places that others wait for."""
    for left in fail_left_runs(instance):
        print(f"run {left} was left by a process that is gone: it is marked as failed", file=sys.stderr)


def look(settings: Path) -> str:
    """The command that serves the history of these settings."""
    return "make ui" if settings == SETTINGS else f"make ui SETTINGS={settings}"


def ui(port: int) -> int:
    """Serves the history of these settings, after it was seen to that what waits in it can start."""
    with dg.DagsterInstance.get() as instance:
        free_places(instance)
    return serve(port)


def failures(events: Sequence[dg.DagsterEvent]) -> list[str]:
    """Why a run failed: the innermost message of each failed step, or of what kept the run from starting."""
    steps, run = (
        [event for event in events if event.event_type is kind]
        for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE)
    )
    reasons = []
    for event in steps or run:
        error = getattr(event.event_specific_data, "error", None)
        user_failure = getattr(event.event_specific_data, "user_failure_data", None)
        while error is not None and error.cause is not None:
            error = error.cause
        said = getattr(user_failure, "description", None) or (error.message if error else event.message)
        said = re.sub(r"^(credit_assets|resources)\.[\w.]+: ", "", said or "it does not say why")
        reasons.append((f"{event.step_key}: " if event.step_key else "") + said.strip())
    return reasons


def is_interruption(event: dg.DagsterEvent) -> bool:
    """Whether the event says that somebody stopped the run, by Ctrl-C or SIGTERM."""
    error = getattr(event.event_specific_data, "error", None)
    return error is not None and error.cls_name == "DagsterExecutionInterruptedError"


def summary(result: dg.ExecuteInProcessResult) -> str:
    """The metrics as people mail them, and where each artifact lies with its digest, and which set is promoted."""
    report = result.output_for_node("model_metrics").value.text
    lines = [report.rstrip(), "", "Artifacts"]
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        asset = event.materialization.asset_key.to_user_string()
        if asset == POINTER:
            continue
        lines += [f"  {asset:<14} sha256 {metadata['sha256'].value}", f"  {'':<14} {metadata['path'].value}"]
    (promoted,) = (each for each in result.get_asset_check_evaluations() if each.check_name == CHECK)
    return "\n".join([*lines, "", f"Promotion: {promoted.description}"])


if __name__ == "__main__":
    logging.captureWarnings(True)
    # SIGINT too: a shell starts background jobs with SIGINT ignored, and Dagster then ignores SIGTERM along with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # What the libraries make at import lives as long as the process: nobody need look for garbage in it.
    gc.set_threshold(GARBAGE)
    code = main()
    gc.freeze()
    sys.exit(code)
