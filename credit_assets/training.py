"""The model and its test split: one training step, so that the two always belong together."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from credit_assets.checks.training import MODEL_CHECKS, SPLIT_CHECKS, check_model, check_split
from credit_assets.checks.verdict import commit_if_passed, declare_checks, materialize
from credit_assets.helping.order import PLACE, Order, count_helpers, keep_order
from credit_assets.loans.table import refuse_other_tables
from credit_assets.model.cross_validation import cross_validate
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline, split_rows
from credit_assets.settings.file import SettingsFile
from resources.store.artifacts import name_versions
from resources.store.checkpoints import Artifact, Checkpoints


@dg.multi_asset(
    name="training",
    group_name="credit",
    outs={
        "test_split": dg.AssetOut(
            description="The loans that the model has not seen, with every column of the dataset.",
            io_manager_key="checkpoint_io",
            code_version="1",
            kinds={"parquet"},
            owners=["team:credit-risk"],
            metadata={"format": "parquet"},
        ),
        "trained_model": dg.AssetOut(
            description="Preprocessing and random forest in one scikit-learn pipeline, with a manifest as its sidecar.",
            io_manager_key="checkpoint_io",
            code_version="2",
            kinds={"scikitlearn", "joblib"},
            owners=["team:credit-risk"],
            metadata={"format": "joblib"},
        ),
    },
    check_specs=[*declare_checks("test_split", SPLIT_CHECKS), *declare_checks("trained_model", MODEL_CHECKS)],
)
def training(
    context: dg.AssetExecutionContext,
    config: TrainingConfig,
    settings: SettingsFile,
    checkpoints: Checkpoints,
    loan_dataset: Artifact,
) -> Iterator[Any]:
    """Splits the dataset and trains on the greater part."""
    declared, loans = settings.load(), loan_dataset.value
    refuse_other_tables(loan_dataset.facts, declared)
    inputs = {"settings": declared.fingerprint, "loan_dataset": loan_dataset.sha256}
    pinned = {
        "loan_dataset_sha256": loan_dataset.sha256,
        "content_sha256": loan_dataset.facts["content_sha256"],
        "parameters": config.model_dump(),
    }
    rows, test_rows = split_rows(loans, declared, config)
    split_draft = checkpoints.work(context, "test_split", **inputs).adopt_or(
        lambda: (loans.take(test_rows), pinned | {"rows": len(test_rows)})
    )
    split_verdicts = check_split(loans.take(rows), split_draft.value, declared)
    test = yield from commit_if_passed("test_split", split_draft, split_verdicts)

    def fit() -> tuple[Any, dict[str, Any]]:
        from joblib import cpu_count

        is_helped = count_helpers(context.run.tags) > 0
        if is_helped:
            dataset = loan_dataset.committed
            order = Order(
                place=work.place,
                dataset_place=dataset.place,
                dataset_manifest_sha256=dataset.manifest_sha256,
                settings=declared.fingerprint,
                config=config.model_dump(),
                versions=name_versions(),
            )
            keep_order(checkpoints.store, order)
            context.instance.add_run_tags(context.run.run_id, {PLACE: work.place})
        context.log.info(f"training {config.n_estimators} trees on {len(rows):,} loans")
        trees = work.blocks("trees", at_once=cpu_count(), is_helped=is_helped)
        # A fold is a training of its own and may take longer than a notice allows.
        folds = work.blocks("folds", folder="folds", hold_notices=False)
        return fit_pipeline(loans.take(rows), declared, config, trees.grow), pinned | {
            "features": list(declared.features),
            "rows": len(rows),
            "test_split_sha256": test.sha256,
            "cross_validation": cross_validate(loans, declared, config, folds.grow),
        }

    work = checkpoints.work(context, "trained_model", **inputs, test_split=test.sha256)
    model_draft = work.adopt_or(fit)
    model_verdicts = check_model(model_draft.value, test.value, declared)
    model = yield from commit_if_passed("trained_model", model_draft, model_verdicts)

    # Both are committed: from here on the latest split and the latest model belong together, whatever fails.
    columns = ", ".join(loans.column_names)
    yield materialize("test_split", test, {"dagster/row_count": len(test_rows), "columns": columns}, split_verdicts)
    yield materialize("trained_model", model, _describe_model(model), model_verdicts)


def _describe_model(model: Artifact) -> dict[str, Any]:
    """What the UI shows of the model."""
    facts = model.facts
    return {
        "rows trained on": facts["rows"],
        "features": ", ".join(facts["features"]),
        **{name: facts[name] for name in ("parameters", "test_split_sha256", "loan_dataset_sha256")},
        "cross_validation": facts["cross_validation"] or "off (limits.cross_validation_folds)",
    }
