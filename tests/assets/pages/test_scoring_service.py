"""A scoring service that copies the lines of the page must get the model in use, and never unpickle anything else."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
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
        "features": {
            "employed": {"type": "category"},
            "cosigner": {"type": "boolean"},
            "region": {"type": "category"},
            "born": {"type": "date"},
        },
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


def test_an_application_is_converted_to_the_values_that_the_model_learned_from(
    database_url: str, tmp_path: Path, scoring: ModuleType
) -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE loans (id int, created_at timestamp DEFAULT '2024-01-01', default_status int DEFAULT 0,"
            " employed boolean, cosigner boolean, region character(4), born date)"
        )
        cursor.execute(
            "INSERT INTO loans (id, employed, cosigner, region, born) VALUES (1, true, false, 'NW', '1990-01-01')"
        )
        cursor.execute(
            "INSERT INTO loans (id, employed, cosigner, region, born) VALUES (2, false, true, 'EAST', '2000-06-01')"
        )
        extract_loans(cursor, DECLARED, now, tmp_path / "loans.parquet")
    learned = pd.read_parquet(tmp_path / "loans.parquet")[list(DECLARED.features)]
    applications = pd.DataFrame(
        {
            "employed": [True, False],
            "cosigner": [False, True],
            "region": ["NW  ", "EAST"],
            "born": pd.to_datetime(["1990-01-01", "2000-06-01"]),
        }
    )
    converted = scoring.as_stored(applications, now.replace(tzinfo=None))
    pd.testing.assert_frame_equal(converted, learned, check_dtype=False)
    assert not applications.astype(str).isin(learned.to_dict("list")).to_numpy()[0].any(), "it needs no conversion"
