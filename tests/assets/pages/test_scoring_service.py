"""A scoring service that copies the lines of the page must get the model in use, and never unpickle anything else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pandas as pd
import psycopg2
import pytest

from credit_assets.loans.extraction import extract_loans
from credit_assets.settings.file import Settings, load_settings
from tests.support.pages import ROOT, code_blocks, module_of

TABLE = "loans"
DECLARED = Settings.model_validate(
    {
        "table": {"name": TABLE},
        "target": {"column": "default_status"},
        "features": {"employed": {"type": "category"}, "region": {"type": "category"}},
    }
)


@pytest.fixture
def scoring() -> Iterator[ModuleType]:
    """The code of the page, without the last lines of each block, which call it on a bucket and on applications."""
    load, convert = code_blocks(ROOT / "docs" / "model-in-use.md", "python")
    code = load.partition("\nmodel = load_model(")[0] + convert.partition("\nprobabilities = ")[0]
    with module_of("scoring", code) as module:
        yield module


def test_a_scoring_service_loads_the_model_in_use(sandbox, good_run, scoring) -> None:
    model = scoring.load_model(sandbox.store.as_uri(), TABLE)
    application = {"loan_amount": 5_000.0, "income": 30_000.0, "credit_score": 640, "purpose": "car"}
    assert list(application) == list(load_settings(sandbox.settings).features) == list(model.feature_names_in_)
    (probability,) = model.predict_proba(pd.DataFrame([application]))[:, 1]
    assert 0 < probability < 1


def test_a_scoring_service_says_that_nothing_is_promoted_in_a_store_that_is_empty_or_of_another_table(
    sandbox, good_run, scoring, tmp_path
) -> None:
    for uri, table in ((tmp_path.as_uri(), TABLE), (sandbox.store.as_uri(), "loan")):
        with pytest.raises(LookupError, match=rf"{uri} has no promoted model of the table {table}$"):
            scoring.load_model(uri, table)


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


def test_an_application_is_converted_to_the_texts_that_the_model_learned_from(
    database_url: str, tmp_path: Path, scoring: ModuleType
) -> None:
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE loans (id int, created_at timestamp DEFAULT '2024-01-01', default_status int DEFAULT 0,"
            " employed boolean, region character(4))"
        )
        cursor.execute("INSERT INTO loans (id, employed, region) VALUES (1, true, 'NW'), (2, false, 'EAST')")
        extract_loans(cursor, DECLARED, None, tmp_path / "loans.parquet")
    learned = pd.read_parquet(tmp_path / "loans.parquet")[["employed", "region"]]
    applications = pd.DataFrame({"employed": [True, False], "region": ["NW", "EAST"]})
    assert scoring.as_copied(applications).to_dict("list") == learned.to_dict("list")
    assert not applications.isin(learned.to_dict("list")).to_numpy()[0].any(), "the model ignores what is not converted"
