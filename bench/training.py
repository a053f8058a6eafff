"""How much longer a training takes because of its checkpoints.

`python -m bench.training NAME FOLDER TREES` runs one of the trainings that are compared.
"""

import io
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.timing.children import (
    REPOSITORY,
    BenchError,
    ProcessResult,
    compute_median,
    format_command,
    make_module_command,
    run,
    run_in_turns,
)
from bench.timing.table import Goal, Row, Table

LOANS, TREES = 16_000, 1_500
# What checkpoints may add, in percent, by the cores for the trees. A run's pod has one core by default.
MOST_PERCENT = {1: 1, 2: 3}
CONTENDERS = {"fit": "scikit-learn's own fit", "trees": "tree by tree", "blocks": "the same, committed in blocks"}


def measure_training(rounds: int) -> list[Table]:
    """Trains in fresh processes, in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        commands = {name: make_module_command("bench.training", name, scratch, str(TREES)) for name in CONTENDERS}
        tables = []
        for cores in MOST_PERCENT:
            limited = {"LOKY_MAX_CPU_COUNT": str(cores)}
            contenders = {name: partial(run, command, limited) for name, command in commands.items()}
            tables.append(compare_trainings(run_in_turns(contenders, rounds), rounds, cores))
    return tables


def compare_trainings(results: dict[str, list[ProcessResult]], rounds: int, cores: int) -> Table:
    """How much longer each took than scikit-learn's own fit.

    Raises:
        BenchError: their models do not score alike.
    """
    scores = {result.output["scores"] for each in results.values() for result in each}
    if len(scores) > 1:
        raise BenchError(f"the models do not score alike: {sorted(map(str, scores))}")
    seconds = {
        name: compute_median(each, lambda result: float(result.output["seconds"])) for name, each in results.items()
    }
    added = {name: (each / seconds["fit"] - 1) * 100 for name, each in seconds.items()}
    rows = [
        Row(
            what,
            (seconds[name], added[name]),
            format_command(make_module_command("bench.training", name, "FOLDER", str(TREES))),
        )
        for name, what in CONTENDERS.items()
    ]
    return Table(
        f"Training of {TREES:,} trees, {LOANS:,} loans, {cores} {'core' if cores == 1 else 'cores'}",
        ("s", "added %"),
        rows,
        [Goal("% of a training for its checkpoints", added["blocks"], MOST_PERCENT[cores], at_least=False)],
        [
            f"Medians of {rounds}, in turns, LOKY_MAX_CPU_COUNT={cores}.",
            f"{results['blocks'][0].output['blocks']:.0f} blocks; the models score alike.",
        ],
    )


def train_once(name: str, folder: Path, trees: int) -> dict[str, float | str]:
    """Seconds of a training, the blocks that it committed below the folder, and the digest of its scores."""
    import pyarrow.csv as csv

    from credit_assets.loans.seed import LOAN_COLUMNS, generate_loans
    from credit_assets.model.growth import AtOnce
    from credit_assets.model.pipeline import TrainingConfig, fit_pipeline, prepare, score_loans
    from credit_assets.settings.file import load_settings
    from resources.store.blocks.series import Blocks
    from resources.store.opening import open_store
    from resources.store.written_once import compute_sha256

    settings = load_settings(REPOSITORY / "settings" / "loans.toml")
    options = csv.ReadOptions(column_names=LOAN_COLUMNS)
    loans = csv.read_csv(io.BytesIO(generate_loans(LOANS).encode()), read_options=options)
    config, counts = TrainingConfig(n_estimators=trees), list[int]()
    store = open_store(Path(tempfile.mkdtemp(dir=folder)).as_uri())
    blocks = Blocks(store, "training", on_commit=lambda committed, _: counts.append(committed))
    # A small fit comes first: it imports the remaining modules.
    fit_pipeline(loans, settings, TrainingConfig(n_estimators=1), AtOnce())

    started = time.monotonic()
    if name == "fit":
        pipeline, encoded, outcomes = prepare(loans, settings, config)
        pipeline[-1].fit(encoded, outcomes)
    else:
        pipeline = fit_pipeline(loans, settings, config, {"blocks": blocks, "trees": AtOnce()}[name])
    seconds = time.monotonic() - started
    scores = score_loans(pipeline.set_params(forest__n_jobs=1), loans.slice(0, 1_000), settings)
    return {"seconds": seconds, "blocks": len(counts), "scores": compute_sha256(scores.tobytes())}


if __name__ == "__main__":
    chosen, place, count = sys.argv[1:]
    print(json.dumps(train_once(chosen, Path(place), int(count))))
