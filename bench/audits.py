"""What the checks of a dataset cost: the processor time for each feature, and the peak memory.

`python -m bench.audits write LOANS FEATURES FILE` makes a dataset, and `python -m bench.audits check FEATURES FILE`
checks it.
"""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

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

# Loans and features of each dataset.
NARROW, WIDE, TALL = (2_000, 6), (2_000, 400), (1_000_000, 50)
REPEATS, SECONDS_AT_MOST = 5, 5
TIMES_A_COLUMN, PEAK_MB = 1.2, 1_024


def measure_audits(rounds: int) -> list[Table]:
    """Writes each dataset in a process of its own, and checks them in turns, each in a fresh process."""
    with tempfile.TemporaryDirectory() as scratch:
        contenders = {}
        for loans, features in (NARROW, WIDE, TALL):
            path = Path(scratch, f"{loans}_{features}.parquet")
            run(make_module_command("bench.audits", "write", loans, features, path))
            contenders[loans, features] = partial(run, make_module_command("bench.audits", "check", features, path))
        named = {f"{loans:,} loans, {features} features": each for (loans, features), each in contenders.items()}
        results = run_in_turns(named, rounds)
    return [tabulate(dict(zip(contenders, results.values(), strict=True)), rounds)]


def tabulate(results: Mapping[tuple[int, int], Sequence[ProcessResult]], rounds: int) -> Table:
    """The figures of each dataset."""
    seconds = {
        size: compute_median(each, lambda result: float(result.output["seconds"])) for size, each in results.items()
    }
    peak = {size: compute_median(each, lambda result: result.peak_bytes / 1e6) for size, each in results.items()}
    a_feature = {(loans, features): seconds[loans, features] / features for loans, features in results}
    return Table(
        "Checks of a dataset",
        ("processor s", "ms a feature", "peak MB"),
        [
            Row(
                f"{loans:,} loans, {features} features",
                (seconds[loans, features], a_feature[loans, features] * 1e3, peak[loans, features]),
                format_command(make_module_command("bench.audits", "check", features, "FILE")),
            )
            for loans, features in results
        ],
        [
            Goal(
                f"times the processor time of a feature, with {WIDE[1]} and with {NARROW[1]}",
                a_feature[WIDE] / a_feature[NARROW],
                TIMES_A_COLUMN,
                at_least=False,
            ),
            Goal(f"MB at the peak, with {TALL[0]:,} loans", peak[TALL], PEAK_MB, at_least=False),
        ],
        [f"Medians of {rounds}, in turns, each in a fresh process; processor time counts after a first audit."],
    )


def write_loans(loans: int, features: int, path: Path) -> None:
    """Writes loans with so many numbers, in as many row groups as an extraction makes of them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from credit_assets.loans.table import arrow_schema
    from credit_assets.tables.rows import CHUNK_BYTES

    schema, rng = arrow_schema(declare(features)), np.random.default_rng(0)
    # A number takes about eight characters, as in wide tables of credit bureaus.
    at_once = max(CHUNK_BYTES // (8 * len(schema)), 1)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, loans, at_once):
            ids = np.arange(start, min(start + at_once, loans))
            outcomes = rng.integers(0, 2, len(ids))
            numbers = [np.round(rng.random(len(ids)) * 100, 4) for _ in range(features)]
            columns = [ids, ids.astype("datetime64[us]"), outcomes, *numbers]
            arrays = [pa.array(each).cast(field.type) for each, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def declare(features: int):
    """Settings with so many numbers."""
    from credit_assets.settings.file import Settings

    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "defaulted"},
            "features": {f"bureau_{number}": {"type": "number", "minimum": 0} for number in range(features)},
        }
    )


def check_loans(features: int, path: Path) -> dict[str, float]:
    """Processor seconds of an audit: the median of several, or that of one if it takes long.

    Raises:
        BenchError: a check failed.
    """
    from credit_assets.checks.loan_dataset.verdicts import check_dataset

    settings, seconds = declare(features), list[float]()
    # The first audit imports modules too.
    if failed := [each.message for each in check_dataset(path, settings) if not each.passed]:
        raise BenchError(f"made-up loans failed their checks: {failed}")
    while len(seconds) < REPEATS and sum(seconds) < SECONDS_AT_MOST:
        started = time.process_time()
        check_dataset(path, settings)
        seconds.append(time.process_time() - started)
    return {"seconds": median(seconds)}


if __name__ == "__main__":
    match sys.argv[1:]:
        case "write", rows, width, file:
            write_loans(int(rows), int(width), Path(file))
        case "check", width, file:
            print(json.dumps(check_loans(int(width), Path(file))))
