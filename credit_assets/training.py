"""The model and its test split: one training step, so that the two always belong together."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from credit_assets.checks.training import MODEL_CHECKS, SPLIT_CHECKS, check_model, check_split
from credit_assets.checks.verdict import commit_if_passed, declare_checks, materialize
from credit_assets.helping.order import HELPERS, PLACE, Order, count_helpers, keep_order
from credit_assets.loans.table import refuse_other_tables
from credit_assets.model.cross_validation import cross_validate
from credit_assets.model.levels import count_levels
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline, refuse_unused
from credit_assets.model.split import OUT_OF_TIME, cut_test_split, split_rows
from credit_assets.settings.file import Settings, SettingsFile
from credit_assets.settings.learning.model import read_kind
from credit_assets.settings.learning.target import refuse_other_target
from resources.store.artifacts import name_versions
from resources.store.checkpoints import Artifact, Checkpoints, Work


@dg.multi_asset(
    name="training",
    group_name="credit",
    outs={
        "test_split": dg.AssetOut(
            description="Loans with an outcome that the model has not seen, with every column of the dataset.",
            io_manager_key="checkpoint_io",
            code_version="1",
            kinds={"parquet"},
            owners=["team:credit-risk"],
            metadata={"format": "parquet"},
        ),
        "trained_model": dg.AssetOut(
            description="Preprocessing and the model of [model] in the settings, in one scikit-learn pipeline.",
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
    refuse_other_target("the latest loan_dataset", loan_dataset.facts, declared.target, "Materialize it again")
    refuse_unused(declared, config)
    inputs = {"settings": declared.fingerprint, "loan_dataset": loan_dataset.sha256}
    pinned = {
        "loan_dataset_sha256": loan_dataset.sha256,
        "content_sha256": loan_dataset.facts["content_sha256"],
        "parameters": config.model_dump(),
        "target": declared.target.to_facts(),
    }
    split = split_rows(loans, declared, config)
    rows, without = split.training, loans.num_rows - len(split.training) - len(split.held_out)
    if without:
        context.log.info(f"{without:,} loans have no outcome: they are in neither training nor test")
    split_draft = checkpoints.work(context, "test_split", **inputs).adopt_or(
        lambda: (loans.take(split.held_out), pinned | split.facts)
    )
    split_verdicts = check_split(loans.take(rows), *cut_test_split(split_draft.value, split.facts), declared)
    test = yield from commit_if_passed("test_split", split_draft, split_verdicts)

    def fit() -> tuple[Any, dict[str, Any]]:
        kind = declared.model.kind
        can_be_helped = kind == "random_forest"
        is_helped = _ask_for_help(context, work, loan_dataset, declared, config) if can_be_helped else False
        if not can_be_helped and count_helpers(context.run.tags):
            context.log.warning(
                f"the tag {HELPERS} has no effect: a {kind} (model.kind in the settings) is trained by one run alone. "
                "Remove the tag, or choose random_forest"
            )
        what = "a logistic regression" if kind == "logistic_regression" else f"{config.n_estimators} trees"
        context.log.info(f"training {what} on {len(rows):,} loans")
        trees = work.blocks("trees", is_helped=is_helped)
        # A fold is a training of its own and may take longer than a notice allows.
        folds = work.blocks("folds", folder="folds", hold_notices=False)
        model = fit_pipeline(loans, declared, config, trees, rows)
        big = count_levels(model.named_steps["encode"])
        return model, pinned | {
            **({"big_categories": big} if big else {}),
            "kind": kind,
            **({"monotonic": declared.monotonic_features} if declared.monotonic_features else {}),
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
    described = {"dagster/row_count": len(split.held_out), "columns": ", ".join(loans.column_names)}
    if OUT_OF_TIME in split.facts:
        described |= {"newest loans": len(split.test), "drawn by lot": len(split.held_out) - len(split.test)}
    yield materialize("test_split", test, described, split_verdicts)
    described = _describe_model(model) | {"loans without an outcome": without}
    yield materialize("trained_model", model, described, model_verdicts)


def _ask_for_help(
    context: dg.AssetExecutionContext, work: Work, loan_dataset: Artifact, settings: Settings, config: TrainingConfig
) -> bool:
    """Leaves the order for helpers if the run wants some, and says whether it does."""
    if not count_helpers(context.run.tags):
        return False
    dataset = loan_dataset.committed
    order = Order(
        place=work.place,
        dataset_place=dataset.place,
        dataset_manifest_sha256=dataset.manifest_sha256,
        settings=settings.fingerprint,
        config=config.model_dump(),
        versions=name_versions(),
    )
    keep_order(work.store, order)
    context.instance.add_run_tags(context.run.run_id, {PLACE: work.place})
    return True


def _describe_model(model: Artifact) -> dict[str, Any]:
    """What the UI shows of the model."""
    facts = model.facts
    return {
        "kind": read_kind(facts),
        "rows trained on": facts["rows"],
        "features": ", ".join(facts["features"]),
        **({"monotonic": facts["monotonic"]} if "monotonic" in facts else {}),
        **({"big categories, levels": facts["big_categories"]} if "big_categories" in facts else {}),
        **{name: facts[name] for name in ("parameters", "test_split_sha256", "loan_dataset_sha256")},
        "cross_validation": facts["cross_validation"] or "off (limits.cross_validation_folds)",
    }
