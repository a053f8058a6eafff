"""A refresh with a split by time, on a real PostgreSQL: figures of the wrong loans would be believed all the same."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from psycopg2.extensions import connection

from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.file import load_settings
from resources.store.opening import open_store

Refresh = Callable[..., Any]


@pytest.fixture
def split_by_time(lending: connection, tmp_path: Path) -> Callable[[], None]:
    """Declares the split by time."""

    def declare() -> None:
        path = tmp_path / "loans.toml"
        path.write_text(path.read_text() + '\n[split]\nby = "time"\n')
        assert load_settings(path).split.by == "time"

    return declare


def test_figures_are_of_the_newest_loans_and_those_of_a_random_split_stand_beside_them(
    refresh: Refresh, split_by_time: Callable[[], None], tmp_path: Path
) -> None:
    split_by_time()
    result = refresh()
    stored = pq.read_table(result.stored("test_split"))
    assert stored.num_rows == 400 + 320
    newest, drawn = (stored.slice(0, 400).column("created_at"), stored.slice(400).column("created_at"))
    assert min(newest.to_pylist()) > max(drawn.to_pylist())
    assert result.logged("trained_model", "rows trained on") == 2_000 - 400 - 320

    measured = json.loads(result.stored("model_metrics").read_text())
    assert (measured["scores"]["rows"], measured["random_split"]["scores"]["rows"]) == (400, 320)
    assert measured["scores"]["roc_auc"] != measured["random_split"]["scores"]["roc_auc"]
    (text,) = result.stored("model_metrics").parent.glob("*.txt")
    both = f"{measured['scores']['roc_auc']:.4f} +{measured['random_split']['scores']['roc_auc']:.4f}"
    assert re.search(rf"out of time +random\nROC AUC +{both}\n", text.read_text())
    assert result.logged("model_metrics", "random_roc_auc") == round(measured["random_split"]["scores"]["roc_auc"], 4)

    position = open_pointer(open_store((tmp_path / "store").as_uri()), "loans").latest()
    assert position.value["metrics"]["roc_auc"] == measured["scores"]["roc_auc"]
    assert position.value["metrics"]["random_roc_auc"] == measured["random_split"]["scores"]["roc_auc"]
    assert all(each.passed for each in result.run.get_asset_check_evaluations() if each.blocking)


def test_a_random_split_has_one_set_of_figures(refresh: Refresh) -> None:
    result = refresh()
    measured = json.loads(result.stored("model_metrics").read_text())
    assert measured["scores"]["rows"] == 400
    assert "random_split" not in measured
    (text,) = result.stored("model_metrics").parent.glob("*.txt")
    assert "out of time" not in text.read_text()


def test_loans_of_one_time_are_refused_and_nothing_is_committed(
    refresh: Refresh, split_by_time: Callable[[], None], lending: connection, tmp_path: Path
) -> None:
    with lending.cursor() as cursor:
        cursor.execute("UPDATE loans SET created_at = '2026-01-01'")
    lending.commit()
    split_by_time()
    result = refresh(raise_on_error=False)
    failed = [each for each in result.run.get_asset_check_evaluations() if not each.passed]
    assert [each.check_name for each in failed] == ["out_of_time"]
    assert "a split by time needs different times" in str(failed[0].description)
    assert result.assets == ["loan_dataset"]
    assert not list((tmp_path / "store" / "test_split").rglob("manifest.json"))
