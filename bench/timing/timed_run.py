"""One run under the stopwatch: `python -m bench.timing.timed_run platform SETTINGS`, or `plain FOLDER`.

It runs the same code as the command line, with the functions below wrapped. The run's events name the current step.
"""

import contextlib
import importlib
import json
import os
import runpy
import sys
import time
from pathlib import Path

from bench.timing.children import STARTED
from bench.timing.stopwatch import Stopwatch

PYTHON, COLLECTING = "Python starts and stops", "Python: garbage collection"
PLATFORM, LIBRARIES = "imports: Dagster and the project", "imports: the libraries"
POSTGRES, OPENING, DAGSTER = "PostgreSQL starts and stops", "settings, definitions, instance", "Dagster: the rest"
COMPUTING, CHECKS, PICTURES, STORING = "computing", "checks", "pictures", "commits and verified reads"
EVENTS = "Dagster: events to PostgreSQL"
PARTS = (
    PYTHON,
    COLLECTING,
    PLATFORM,
    LIBRARIES,
    POSTGRES,
    OPENING,
    COMPUTING,
    CHECKS,
    PICTURES,
    STORING,
    EVENTS,
    DAGSTER,
)

WRAPPED = {
    "credit_assets.loan_dataset": {"extract_loans": COMPUTING, "check_dataset": CHECKS},
    "credit_assets.training": {
        "split_rows": COMPUTING,
        "fit_pipeline": COMPUTING,
        "cross_validate": COMPUTING,
        "check_split": CHECKS,
        "check_model": CHECKS,
    },
    "credit_assets.model_metrics": {"evaluate_model": COMPUTING, "check_metrics": CHECKS},
    "credit_assets.benchmark.benchmark": {
        "fit_benchmark": COMPUTING,
        "evaluate_model": COMPUTING,
        "check_benchmark": CHECKS,
    },
    "credit_assets.measurement.pictures": dict.fromkeys(
        ("draw_roc", "draw_calibration", "draw_confusion", "draw_importance"), PICTURES
    ),
    "resources.store.checkpoints": {"open_store": STORING},
    "resources.store.checkpoints:Draft": {"commit": STORING},
    "resources.store.checkpoints:Checkpoints": {"logged": STORING},
    "dagster:DagsterInstance": {"handle_new_event": EVENTS},
    "dagster:JobDefinition": {"execute_in_process": DAGSTER},
    "bench.plain_script": {
        "fetch_data": COMPUTING,
        "train_model": COMPUTING,
        "save_model": STORING,
        "evaluate_model": COMPUTING,
    },
}


def find_part(package: str) -> str:
    """The part that the import of a top-level package is charged to."""
    ours = package.startswith("dagster") or package in ("credit_assets", "resources", "sensors", "bench")
    return PLATFORM if ours else LIBRARIES


def run_platform(watch: Stopwatch, settings: str) -> None:
    from credit_assets import definitions  # noqa: F401 the command line imports the definitions later
    from credit_assets.commands.one_machine import local

    wrap_functions(watch, [place for place in WRAPPED if not place.startswith("bench")])
    watch.wrap_manager(local, "use_postgres", POSTGRES)
    follow_steps(watch)
    sys.argv = ["credit-platform", "run", "--settings", settings]
    with watch.charge_to(OPENING):
        try:
            runpy.run_module("credit_assets.commands.main", run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise


def run_plain_script(watch: Stopwatch, folder: str) -> None:
    from bench import plain_script

    wrap_functions(watch, ["bench.plain_script"])
    plain_script.main(Path(folder))


def wrap_functions(watch: Stopwatch, places: list[str]) -> None:
    for place in places:
        module, _, member = place.partition(":")
        owner = importlib.import_module(module)
        for name, part in WRAPPED[place].items():
            watch.wrap(getattr(owner, member) if member else owner, name, part)


def follow_steps(watch: Stopwatch) -> None:
    """Keeps the current step in the stopwatch, from the events that say that a step starts or ends."""
    import dagster as dg

    store = dg.DagsterInstance.handle_new_event
    ends = {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}

    def store_and_follow(instance, event, **keywords):
        kind = event.dagster_event.event_type if event.dagster_event else None
        if kind is dg.DagsterEventType.STEP_START:
            watch.mark()
            watch.step = event.dagster_event.step_key
        store(instance, event, **keywords)
        if kind in ends:
            watch.mark()
            watch.step = ""

    setattr(dg.DagsterInstance, "handle_new_event", store_and_follow)  # noqa: B010 of another signature


def main(program: str, argument: str) -> None:
    watch = Stopwatch(float(os.environ.get(STARTED, time.monotonic())), PYTHON)
    watch.wrap_imports(find_part)
    watch.wrap_collections(COLLECTING)
    with contextlib.redirect_stdout(sys.stderr):
        {"platform": run_platform, "plain": run_plain_script}[program](watch, argument)
    watch.mark()
    print(json.dumps({f"{step}/{part}": seconds for (step, part), seconds in watch.seconds.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
