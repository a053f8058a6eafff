"""Fills an empty database on one machine: it creates the table, and adds loans from a CSV file or generated ones.

A table that has a row is never changed.

Belongs here: the statement that creates the table, and rows for it. Does not belong here: how the table is read.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from credit_assets.loans.table import needed_types, table_sql
from credit_assets.settings.file import Settings, SettingsError
from credit_assets.settings.names import quote_name, quote_names
from resources.error_texts import find_copy_position
from resources.services.database import describe_without_rows

if TYPE_CHECKING:
    import pandas as pd
    from psycopg2.extensions import cursor

DDL_TYPES = {
    "integer": "INTEGER",
    "number": "DECIMAL(10, 2)",
    "category": "TEXT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIMESTAMP",
}


def create_table_sql(settings: Settings) -> str:
    """The statement that creates the declared table: `id serial`, DECIMAL(10,2) amounts, `created_at` DEFAULT NOW()."""
    own = {settings.table.id: "SERIAL PRIMARY KEY", settings.table.created_at: "TIMESTAMP DEFAULT NOW()"}
    columns = {name: own.get(name) or DDL_TYPES[kind] for name, kind in needed_types(settings).items()}
    return (
        f"CREATE TABLE IF NOT EXISTS {table_sql(settings)} ("
        + ", ".join(f"{quote_name(name)} {kind}" for name, kind in columns.items())
        + ")"
    )


def seed(cursor: "cursor", settings: Settings) -> int:
    """Creates the table if it is missing, and fills it if it is empty.

    Returns:
        How many rows were added.

    Raises:
        SettingsError: the CSV file is missing, can't be read or has other columns, or PostgreSQL refuses it.
    """
    import psycopg2

    try:
        cursor.execute(create_table_sql(settings))
        cursor.execute(f"SELECT EXISTS (SELECT FROM {table_sql(settings)})")  # noqa: S608 all names are quoted
        (has_rows,) = cursor.fetchone() or (False,)
        if has_rows:
            return 0
        if settings.seed.csv:
            return _copy_csv(cursor, settings, settings.seed.csv)
        if settings.seed.generate:
            return _copy_rows(cursor, settings, "generate", generate_loans(settings.seed.generate), LOAN_COLUMNS)
    except psycopg2.Error as error:
        position = find_copy_position(error.diag.context or "")
        raise SettingsError(
            f"seed: the table {settings.table.name} can't be made or filled ({describe_without_rows(error)})"
            + (f" at {position}, counted below the header" if position else "")
            + ". Correct the CSV file, or drop the empty table if it has other columns than the settings"
        ) from None
    return 0


LOAN_COLUMNS = ("loan_amount", "income", "credit_score", "age", "loan_term", "default_status", "created_at")


def generate_loans(rows: int, random_state: int = 42) -> str:
    """Generates loans: CSV text without a header, in the order of `LOAN_COLUMNS`; the same for the same arguments."""
    return draw_loans(rows, random_state).to_csv(index=False, header=False)


def draw_loans(rows: int, random_state: int) -> "pd.DataFrame":
    """Draws loans with the columns `LOAN_COLUMNS`; the same for the same arguments. Shape (rows, 7).

    About a fifth of them default. A default is likelier if the loan is large for the income, if the credit score is
    low, or if the term is long. A model can reach an AUC of about 0.8. `created_at` rises evenly from 2024-01-01 to
    2026-01-01.
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(random_state)
    income = np.round(rng.lognormal(10.8, 0.5, rows).clip(8_000, 900_000), 2)
    amount = np.round(rng.lognormal(9.4, 0.8, rows).clip(500, 400_000), 2)
    score = rng.normal(680, 80, rows).clip(300, 850).astype(int)
    age = rng.normal(41, 13, rows).clip(18, 90).astype(int)
    term = rng.choice([12, 24, 36, 48, 60, 84], rows)
    burden = np.log(amount / income) + 1.4
    logit = -1.9 + 1.1 * burden - 0.016 * (score - 680) + 0.012 * (term - 36) - 0.015 * (age - 41)
    default = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    created = pd.date_range("2024-01-01", "2026-01-01", periods=rows).floor("s")
    return pd.DataFrame(dict(zip(LOAN_COLUMNS, (amount, income, score, age, term, default, created), strict=True)))


def _copy_csv(cursor: "cursor", settings: Settings, path: Path) -> int:
    try:
        header, _, body = path.read_text(encoding="utf-8-sig").partition("\n")
    except FileNotFoundError:
        raise SettingsError(f"seed.csv: there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"seed.csv: {path} can't be read: {reason}") from None
    return _copy_rows(cursor, settings, "csv", body, next(csv.reader([header]), []))


def _copy_rows(cursor: "cursor", settings: Settings, key: str, body: str, columns: Sequence[str]) -> int:
    declared, optional = set(needed_types(settings)), {settings.table.id, settings.table.created_at}
    missing, unknown = declared - optional - set(columns), set(columns) - declared
    remedy = {
        "generate": "Name a CSV file in [seed], or extend generate_loans",
        "csv": "Correct the header of the CSV file, or the settings",
    }[key]
    if missing:
        raise SettingsError(f"seed.{key}: the seed has no column {', '.join(sorted(missing))}. {remedy}")
    if unknown:
        raise SettingsError(
            f"seed.{key}: the seed has columns that the settings do not declare: {', '.join(sorted(unknown))}. {remedy}"
        )
    names = quote_names(columns)
    cursor.copy_expert(f"COPY {table_sql(settings)} ({names}) FROM STDIN (FORMAT csv)", io.StringIO(body))
    return cursor.rowcount
