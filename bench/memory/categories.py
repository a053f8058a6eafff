"""What a category with thousands of levels costs at the peak: checks, training and metrics, with and without it.

`python -m bench.memory.categories LOANS LEVELS` does all of it once; with 0 levels there is no such category.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.timing.children import (
    BenchError,
    ProcessResult,
    compute_median,
    format_command,
    make_module_command,
    run,
    run_in_turns,
)
from bench.timing.table import Goal, Row, Table

# Loans and levels, each beside the same loans without the category.
SIZES = ((20_000, 5_000), (100_000, 10_000))
TIMES_AT_MOST = 1.5


def measure_categories(rounds: int) -> list[Table]:
    """Trains in fresh processes, in turns."""
    sizes = [size for loans, levels in SIZES for size in ((loans, 0), (loans, levels))]
    contenders = {
        f"{loans:,} loans, {levels:,} levels": partial(run, make_module_command("bench.memory.categories", *size))
        for size in sizes
        for loans, levels in [size]
    }
    results = run_in_turns(contenders, rounds)
    return [tabulate(dict(zip(sizes, results.values(), strict=True)), rounds)]


def tabulate(results: Mapping[tuple[int, int], Sequence[ProcessResult]], rounds: int) -> Table:
    """The peak of each, and how much the category adds."""
    peak = {size: compute_median(each, lambda result: result.peak_bytes / 2**20) for size, each in results.items()}
    times = {(loans, levels): each / peak[loans, 0] for (loans, levels), each in peak.items()}
    return Table(
        "A category with many levels: checks, training, metrics",
        ("peak MiB", "times"),
        [
            Row(
                f"{loans:,} loans, {levels:,} levels" if levels else f"{loans:,} loans without the category",
                (peak[loans, levels], times[loans, levels]),
                format_command(make_module_command("bench.memory.categories", loans, levels)),
            )
            for loans, levels in results
        ],
        [
            Goal(f"times the peak, with {levels:,} levels", times[loans, levels], TIMES_AT_MOST, at_least=False)
            for loans, levels in results
            if levels
        ],
        [f"Medians of {rounds}, in turns, each in a fresh process. Imports are a part of each peak."],
    )


def train_once(loans: int, levels: int) -> dict[str, float]:
    """Checks, splits, trains, measures and writes once. Returns the AUC on the test.

    Raises:
        BenchError: a check failed.
    """
    import joblib
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from credit_assets.checks.loan_dataset.verdicts import check_dataset
    from credit_assets.loans.table import arrow_schema
    from credit_assets.measurement.evaluation import evaluate_model
    from credit_assets.model.growth import AtOnce
    from credit_assets.model.pipeline import TrainingConfig, fit_pipeline
    from credit_assets.model.split import split_rows
    from credit_assets.settings.file import Settings

    postcode = {"postcode": {"type": "category"}} if levels else {}
    settings = Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "defaulted"},
            "features": {"income": {"type": "number"}, "purpose": {"type": "category"}, **postcode},
        }
    )
    rng, config = np.random.default_rng(0), TrainingConfig()
    income = rng.normal(40_000, 9_000, loans)
    columns = {
        "id": np.arange(loans),
        "created_at": np.arange(loans).astype("datetime64[us]"),
        "defaulted": (income + rng.normal(scale=9_000, size=loans) < 35_000).astype("int64"),
        "income": income,
        "purpose": rng.choice(["car", "house", "boat"], loans),
        "postcode": np.char.add("p", rng.integers(0, max(levels, 1), loans).astype(str)),
    }
    schema = arrow_schema(settings)
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "loans.parquet")
        pq.write_table(pa.table(arrays, schema=schema), path)
        if failed := [each.message for each in check_dataset(path, settings) if not each.passed]:
            raise BenchError(f"made-up loans failed their checks: {failed}")
        table = pq.read_table(path)
        split = split_rows(table, settings, config)
        model = fit_pipeline(table.take(split.training), settings, config, AtOnce())
        measured = evaluate_model(model, table.take(split.test), settings)
        joblib.dump(model, Path(scratch, "model.joblib"), compress=3)
    return {"roc_auc": measured["scores"]["roc_auc"]}


if __name__ == "__main__":
    count, number = sys.argv[1:]
    print(json.dumps(train_once(int(count), int(number))))
