"""A model that is measured on rows it has learned from looks better than it is."""

import pytest

from credit_assets.measurement.evaluation import PairError, refuse_other_pairs


def test_metrics_refuse_a_model_and_a_split_that_do_not_belong_together() -> None:
    refuse_other_pairs({"test_split_sha256": "a" * 64}, "a" * 64)
    with pytest.raises(PairError, match=r"beside test_split aaaaaaaaaaaa…, and was given bbbbbbbbbbbb…: .*Materialize"):
        refuse_other_pairs({"test_split_sha256": "a" * 64}, "b" * 64)
