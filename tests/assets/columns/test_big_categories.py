"""A lender's postcode has thousands of levels. It must become a model, and a new postcode a score."""

import numpy as np
import pandas as pd

from resources.store.checkpoints import Checkpoints
from resources.store.formats import FORMATS
from tests.support.sandbox import Sandbox

LEVELS, LOANS = 400, 2_000
TABLE = f"""
DROP TABLE IF EXISTS loans;
CREATE TABLE loans AS SELECT g AS id, timestamptz '2024-01-01' + g * interval '1 minute' AS created_at,
    (g * 37 % 200 + 60 * (g % 2) > 150)::int AS default_status, (600 + g * 37 % 200)::integer AS score,
    lpad((g % {LEVELS})::text, 5, '0') AS postcode, 'district ' || g % {LEVELS} AS district
FROM generate_series(1, {LOANS}) AS g;
"""
SETTINGS = """
[table]
name = "loans"
[target]
column = "default_status"
[features]
score = { type = "integer" }
postcode = { type = "category" }
[personal]
district = { type = "category" }
[limits]
cross_validation_folds = 3
maximum_feature_auc = 1
"""


def test_a_table_with_postcodes_becomes_a_model_that_says_how_many_and_scores_one_that_it_never_saw(
    sandbox: Sandbox,
) -> None:
    sandbox.execute(TABLE)
    sandbox.settings.write_text(SETTINGS)
    assert sandbox.run() == 0
    place, sha256 = (sandbox.latest("trained_model", f"checkpoint/{part}") for part in ("place", "manifest_sha256"))
    model = Checkpoints(store_uri=sandbox.environment["PLATFORM_STORE"]).logged(place, sha256, FORMATS["joblib"])
    assert model.facts["big_categories"] == {"postcode": LEVELS}
    assert str(LEVELS) in str(sandbox.latest("trained_model", "big categories, levels"))
    assert sandbox.latest("promoted_model", "number") == "1"
    loan = pd.DataFrame([{"score": 700, "postcode": "99999"}])
    assert np.isfinite(model.value.predict_proba(loan)).all()
