"""The dataset: loans as of a time, as typed Parquet with what pins it."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from credit_assets.checks.dataset_checks import DATASET_CHECKS, audit_dataset
from credit_assets.checks.verdict import publish, specs
from credit_assets.loans.extraction import extract
from credit_assets.settings import SettingsFile
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints

# Who reads the loans' database: any number at once, until Dagster is told a limit (docs/architecture.md).
POOL = "loans"


def as_utc(text: str | None) -> datetime | None:
    """Reads ISO 8601; without an offset it is UTC. Raises ValueError, naming `as_of`, for anything else."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"as_of: {text!r} is not a time; expected ISO 8601, such as 2026-01-31T00:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class DatasetConfig(dg.Config):
    """What to read."""

    as_of: str | None = Field(
        default=None,
        description="Rebuild the dataset of an earlier time: only rows created at or before it (ISO 8601; without an "
        "offset it is UTC). Empty: everything up to now.",
    )

    @field_validator("as_of")
    @classmethod
    def _is_a_time(cls, text: str | None) -> str | None:
        as_utc(text)
        return text


@dg.asset(
    group_name="credit",
    kinds={"postgres", "parquet"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    pool=POOL,
    metadata={"format": "parquet"},
    check_specs=specs("loan_dataset", DATASET_CHECKS),
)
def loan_dataset(
    context: dg.AssetExecutionContext,
    config: DatasetConfig,
    settings: SettingsFile,
    database: Database,
    checkpoints: Checkpoints,
) -> Iterator[Any]:
    """Loans as of a time, one row a loan, as typed Parquet with what pins it."""
    declared = settings.load()
    work = checkpoints.work(context, "loan_dataset", settings=declared.fingerprint)
    with tempfile.TemporaryDirectory() as folder:

        def read_loans() -> tuple[Path, dict[str, Any]]:
            context.log.info(f"reading {declared.table.name}")
            path = Path(folder) / "loan_dataset.parquet"
            with database.snapshot() as cursor:
                return path, extract(cursor, declared, as_utc(config.as_of), path)

        dataset = work.adopt_or(read_loans)
        facts = dataset.facts
        context.log.info(f"{facts['rows']:,} loans as of {facts['as_of']}, content {facts['content_sha256'][:12]}…")
        metadata = {
            "dagster/row_count": facts["rows"],
            "dagster/column_schema": dg.TableSchema(
                columns=[dg.TableColumn(name, kind) for name, kind in facts["schema"].items()]
            ),
            **{name: facts[name] for name in ("table", "as_of", "greatest_id", "content_sha256")},
            "sql": dg.MetadataValue.md(f"```sql\n{facts['sql']}\n```"),
        }
        yield from publish("loan_dataset", dataset, metadata, audit_dataset(dataset.value, declared))
