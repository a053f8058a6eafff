"""The contenders of the extraction, each in a process of its own: `python -m bench.contenders NAME FOLDER`.

Each runs the same statement against `PLATFORM_DATABASE_URL`. It imports its libraries first. Then it prints as JSON how
long the work took and where its Parquet file is.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.timing.children import DATABASE, REPOSITORY
from credit_assets.loans.table import select_sql
from credit_assets.settings.file import Seed, load_settings

SETTINGS = load_settings(REPOSITORY / "settings" / "loans.toml")
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)  # after the last generated loan, so all of them are read
SQL = select_sql(SETTINGS, AS_OF)
COPY = f"COPY ({SQL}) TO STDOUT (FORMAT csv)"


class NoLog:
    """The event log of a step that runs without Dagster: it keeps nothing and knows no run."""

    def write_message(self, text: str) -> None:
        """Keeps nothing."""

    def write_fact(self, fact: object) -> None:
        """Keeps nothing."""

    def read_runs(self, root_run: str) -> list[Any]:
        """Knows no run."""
        return []


def prepare_ours(folder: Path, *, audited: bool = False) -> Callable[[], Path]:
    """Prepares the work of `loan_dataset` without Dagster: extract, compute digests, commit to a file:// store."""
    import obstore  # noqa: F401
    import pandas as pd  # noqa: F401 pyarrow uses it
    import psycopg2  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from credit_assets.checks.loan_dataset.verdicts import check_dataset
    from credit_assets.loans.extraction import extract_loans
    from resources.services.database import Database
    from resources.store.checkpoints import Work
    from resources.store.formats import FORMATS
    from resources.store.opening import open_store

    def work() -> Path:
        store = open_store(folder.as_uri())
        step = Work(store, NoLog(), "loan_dataset", "bench", "bench", {"code": "bench"}, FORMATS["parquet"])
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "loan_dataset.parquet")
            with Database(url=os.environ[DATABASE]).open_snapshot() as cursor:
                dataset = step.adopt_or(lambda: (path, extract_loans(cursor, SETTINGS, AS_OF, path)))
            if audited and (failed := [each.message for each in check_dataset(path, SETTINGS) if not each.passed]):
                raise ValueError(f"the generated loans failed their checks: {failed}")
            return folder / dataset.commit().committed.manifest.files[0].key

    return work


def prepare_checked(folder: Path) -> Callable[[], Path]:
    """Prepares the same work with the asset's checks, which a dataset must pass before it is committed."""
    return prepare_ours(folder, audited=True)


def prepare_pandas(folder: Path) -> Callable[[], Path]:
    """Prepares the simplest program: `read_sql` and `to_parquet`."""
    import pandas as pd
    import psycopg2  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import sqlalchemy

    def work() -> Path:
        folder.mkdir()
        engine = sqlalchemy.create_engine(os.environ[DATABASE])
        pd.read_sql(sqlalchemy.text(SQL), engine).to_parquet(folder / "loans.parquet", compression="zstd")
        return folder / "loans.parquet"

    return work


def prepare_copy(_: Path) -> Callable[[], None]:
    """Prepares a COPY through psycopg2 that drops the rows."""
    import psycopg2

    class Sink:
        def write(self, data: bytes) -> None:
            pass

    def work() -> None:
        with closing(psycopg2.connect(os.environ[DATABASE])) as connection, connection.cursor() as cursor:
            cursor.copy_expert(COPY, Sink())

    return work


def fill_table(rows: str) -> dict[str, str]:
    """Generates the loans and vacuums the table, because the first reader would otherwise have that work to do.

    Returns:
        The statement that the contenders without Python libraries run.
    """
    import psycopg2

    from credit_assets.loans.seed import seed

    with closing(psycopg2.connect(os.environ[DATABASE])) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        seed(cursor, SETTINGS.model_copy(update={"seed": Seed(generate=int(rows))}))
        cursor.execute(f"VACUUM (ANALYZE) {SETTINGS.table.name}")
    return {"copy": COPY}


def compare_files(one: str, other: str) -> dict[str, int | str]:
    """Compares the rows of two Parquet files, in order: how many there are, and which columns differ."""
    import pyarrow.parquet as pq

    ours, theirs = pq.read_table(one), pq.read_table(other)
    if ours.column_names != theirs.column_names or ours.num_rows != theirs.num_rows:
        return {
            "rows": ours.num_rows,
            "differ": f"{ours.shape} {ours.column_names}, {theirs.shape} {theirs.column_names}",
        }
    unequal = [name for name in ours.column_names if not ours[name].equals(theirs[name].cast(ours[name].type))]
    return {"rows": ours.num_rows, "differ": ", ".join(unequal)}


def time_work(work: Callable[[], Path | None]) -> dict[str, float | str]:
    started = time.monotonic()
    path = work()
    return {"seconds": time.monotonic() - started, "path": str(path or "")}


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    steps = {"fill": fill_table, "compare": compare_files}
    contenders = {"ours": prepare_ours, "checked": prepare_checked, "pandas": prepare_pandas, "copy": prepare_copy}
    output = steps[name](*arguments) if name in steps else time_work(contenders[name](Path(*arguments)))
    print(json.dumps(output))
