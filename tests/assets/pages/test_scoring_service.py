"""A scoring service that copies the lines of the page must get the model in use, and never unpickle anything else."""

from collections.abc import Iterator
from types import ModuleType

import pandas as pd
import pytest

from credit_assets.settings.file import load_settings
from tests.support.pages import ROOT, code_blocks, module_of

TABLE = "loans"


@pytest.fixture
def scoring() -> Iterator[ModuleType]:
    """The code of the page, without its last lines, which call it on a bucket."""
    (code,) = code_blocks(ROOT / "docs" / "model-in-use.md", "python")
    with module_of("scoring", code.partition("\nmodel = load_model(")[0]) as module:
        yield module


def test_a_scoring_service_loads_the_model_in_use(sandbox, good_run, scoring) -> None:
    model = scoring.load_model(sandbox.store.as_uri(), TABLE)
    application = {"loan_amount": 5_000.0, "income": 30_000.0, "credit_score": 640, "purpose": "car"}
    assert list(application) == list(load_settings(sandbox.settings).features) == list(model.feature_names_in_)
    (probability,) = model.predict_proba(pd.DataFrame([application]))[:, 1]
    assert 0 < probability < 1


@pytest.mark.parametrize("damaged", ["promoted_model/loans/*.json", "trained_model/*/*/*.joblib"])
def test_a_scoring_service_unpickles_nothing_that_was_changed(sandbox, good_run, scoring, damaged) -> None:
    (path,) = sandbox.store.glob(damaged)
    whole = path.read_bytes()
    changed = (
        whole.replace(b'"by": "rule"', b'"by": "hand"') if path.suffix == ".json" else bytes([whole[0] ^ 1, *whole[1:]])
    )
    assert changed != whole
    path.write_bytes(changed)
    try:
        with pytest.raises(ValueError, match="was changed after it was written"):
            scoring.load_model(sandbox.store.as_uri(), TABLE)
    finally:
        path.write_bytes(whole)
    assert scoring.load_model(sandbox.store.as_uri(), TABLE)
