"""Fixtures of the tier that needs neither a database nor a Dagster instance."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resources.store.artifacts import Committed, Manifest, commit, store_file
from resources.store.object_store import ObjectStore

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CommitSet = Callable[..., dict[str, Committed]]


@pytest.fixture
def commit_set(store: ObjectStore) -> CommitSet:
    """Commits the four artifacts of a root run: as of so many days after the new year, with these figures."""

    def make(
        root: str,
        day: int = 0,
        roc_auc: float = 0.8,
        code: str = "1",
        table: str = "credit.loans",
        precision: float | None = 0.5,
        features: Sequence[str] = (),
        target: Mapping[str, Any] | None = None,
    ) -> dict[str, Committed]:
        def part(name: str, content: str, facts: dict[str, Any], format: str = "parquet") -> Committed:
            place = f"{name}/{root}/fingerprint"
            files = [store_file(store, place, f"{name}.json", content.encode())]
            if format == "report":
                files.append(store_file(store, place, f"{name}.txt", b"for people"))
            versions = {"python": "3.11", "credit-default-platform": "0.1.0"}
            identity = {"code": code, "inputs": {"settings": "of the settings"} | facts}
            return commit(store, place, Manifest(name, root, root, identity, format, 1, files, facts, versions))

        of_day: dict[str, Any] = {
            "content_sha256": f"content of day {day}",
            "rows": 10,
            "as_of": (BEGAN + timedelta(days=day)).isoformat(),
            "table": table,
            **({"target": target} if target else {}),
        }
        if features:
            kinds = {"id": "int64", "created_at": "timestamp[us, tz=UTC]", "bad": "int64"}
            of_day["schema"] = kinds | dict.fromkeys(features, "double")
        dataset = part("loan_dataset", f"loans of day {day}", of_day)
        pinned = {
            "loan_dataset_sha256": dataset.sha256,
            "content_sha256": of_day["content_sha256"],
            "parameters": {"random_state": 42},
        }
        split = part("test_split", f"split of {root}", pinned | {"rows": 2})
        of_model = {"rows": 8, "test_split_sha256": split.sha256} | ({"features": list(features)} if features else {})
        model = part("trained_model", f"model of {root}", pinned | of_model)
        scores = dict.fromkeys(("gini", "ks", "brier", "accuracy", "recall", "f1"), 0.5)
        metrics = part(
            "model_metrics",
            json.dumps({"scores": {"roc_auc": roc_auc, "precision": precision, **scores}}),
            {"trained_model_sha256": model.sha256, "test_split_sha256": split.sha256},
            "report",
        )
        return {each.manifest.asset: each for each in (dataset, split, model, metrics)}

    return make
