"""What the Dagster UI shows of the metrics: figures, pictures, and the fairness table."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from credit_assets.measurement import pictures
from credit_assets.measurement.comparison import HEADINGS, compare_splits
from credit_assets.measurement.fairness import COLUMNS, NOTE, shorten
from credit_assets.measurement.figures import round_figure
from credit_assets.measurement.scores import Scores

FIGURES = ("accuracy", "precision", "recall", "f1", "roc_auc", "gini", "ks", "brier")


def describe_metrics(measured: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of `model_metrics`, from what was measured; a figure without a value is `undefined`."""
    scores, drawn, importance = Scores(**measured["scores"]), measured["curves"], measured["importance"]
    figures = {name: round_figure(getattr(scores, name)) for name in FIGURES}
    images = {
        "ROC curve": pictures.draw_roc(drawn["roc"], scores.roc_auc),
        "calibration": pictures.draw_calibration(drawn["calibration"], scores.brier),
        "confusion matrix": pictures.draw_confusion(scores),
        "feature importance": pictures.draw_importance(list(importance), list(importance.values())),
    }
    fairness = measured["fairness"]
    return {
        "dagster/row_count": scores.rows,
        **figures,
        **measured["lineage"],
        **describe_splits(measured),
        "cross_validation": measured["cross_validation"] or "off (limits.cross_validation_folds)",
        "pictures": dg.MetadataValue.md(
            "\n\n".join(pictures.embed_picture(pictures.render_png(figure), name) for name, figure in images.items())
        ),
        **({"fairness": tabulate_fairness(fairness), "fairness note": NOTE} if fairness else {}),
    }


def describe_splits(measured: Mapping[str, Any]) -> dict[str, Any]:
    """The figures out of time and of the random split side by side, and the random AUC as a line; else nothing."""
    rows = compare_splits(measured)
    if not rows:
        return {}
    names = ("figure", *HEADINGS[1:])
    records = [dg.TableRecord(dict(zip(names, row, strict=True))) for row in rows]
    schema = dg.TableSchema(columns=[dg.TableColumn(name, "string") for name in names])
    return {
        "random_roc_auc": round_figure(measured["random_split"]["scores"]["roc_auc"]),
        "out of time and random": dg.MetadataValue.table(records, schema),
    }


def tabulate_fairness(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """The fairness table for the UI, in short numbers."""
    records = [dg.TableRecord({title: shorten(key, row[key]) for key, title in COLUMNS.items()}) for row in rows]
    columns = [dg.TableColumn(title, "string") for title in COLUMNS.values()]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=columns))
