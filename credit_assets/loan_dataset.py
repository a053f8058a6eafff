"""The dataset: loans as of a time, as typed Parquet with what pins it."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from credit_assets.checks.loan_dataset.left_out import LEFT_OUT_CHECKS, judge_left_out
from credit_assets.checks.loan_dataset.missing import MissingInUse, compute_shares, describe_missing_in_use
from credit_assets.checks.loan_dataset.verdicts import DATASET_CHECKS, check_dataset
from credit_assets.checks.verdict import declare_checks, publish
from credit_assets.loans.extraction import extract_loans, parse_as_of, read_without_outcome
from credit_assets.promotion.model_set import find_dataset_in_use
from credit_assets.settings.file import Settings, SettingsFile
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints
from resources.store.object_store import ObjectStore

# Who reads the loans' database: any number at once, until Dagster is told a limit (docs/architecture.md).
POOL = "loans"


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
        parse_as_of(text)
        return text


@dg.asset(
    group_name="credit",
    kinds={"postgres", "parquet"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    pool=POOL,
    metadata={"format": "parquet"},
    check_specs=[
        *declare_checks("loan_dataset", DATASET_CHECKS),
        *declare_checks("loan_dataset", LEFT_OUT_CHECKS, blocking=False),
    ],
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
            with database.with_row_policy(declared.table.row_policy).open_snapshot() as cursor:
                facts = extract_loans(cursor, declared, parse_as_of(config.as_of), path)
            # Recorded, because a retry must compare with the same promotion.
            return path, facts | _read_missing_in_use(checkpoints.store, declared)

        dataset = work.adopt_or(read_loans)
        facts = dataset.facts
        without = read_without_outcome(facts)
        too_young = without["too young"]
        context.log.info(
            f"{facts['rows']:,} loans as of {facts['as_of']}, content {facts['content_sha256'][:12]}…; "
            f"{facts.get('left_out', 0):,} that were created later are left out"
        )
        if unknown := sum(without.values()):
            context.log.info(f"{unknown:,} loans have no outcome, of which {too_young:,} are too young for one")
        on_time = judge_left_out(facts, declared.table.created_at, is_rebuilt=bool(config.as_of))
        if not on_time.passed:
            context.log.warning(on_time.message)
        in_use = MissingInUse(**facts["missing_in_use"]) if "missing_in_use" in facts else None
        verdicts = check_dataset(dataset.value, declared, too_young=too_young, missing_in_use=in_use)
        yield from publish("loan_dataset", dataset, _describe_dataset(facts), [*verdicts, on_time])


def _read_missing_in_use(store: ObjectStore, settings: Settings) -> dict[str, Any]:
    """What the shares of missing values are compared with; empty if none may be missing, or if no model is in use."""
    if not settings.columns_with_missing or not (found := find_dataset_in_use(store, settings.table.name)):
        return {}
    promotion, dataset = found
    return {"missing_in_use": asdict(describe_missing_in_use(promotion, dataset.manifest.facts))}


def _describe_dataset(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the UI shows of the dataset."""
    missing = compute_shares(facts.get("missing", {}), facts["rows"])
    shares = {name: f"{share:.1%}" for name, share in missing.items()}
    columns = [dg.TableColumn(name, kind) for name, kind in facts["schema"].items()]
    return {
        "dagster/row_count": facts["rows"],
        "dagster/column_schema": dg.TableSchema(columns=columns),
        # An artifact that a retry adopts may be of a release that recorded none of these.
        **{name: facts[name] for name in ("target", "left_out", "left_out_for_ever", "census") if name in facts},
        **{name: facts[name] for name in ("table", "as_of", "greatest_id", "content_sha256")},
        "loans without an outcome": read_without_outcome(facts),
        **_describe_policy(facts),
        "sql": dg.MetadataValue.md(f"```sql\n{facts['sql']}\n```"),
        **({"missing values": dg.MetadataValue.json(shares)} if shares else {}),
    }


def _describe_policy(facts: Mapping[str, Any]) -> dict[str, str]:
    if "row_policy" not in facts:
        return {}
    return {"row policy": f"applied: only the rows that the policies of the database show to user {facts['read_as']}"}
