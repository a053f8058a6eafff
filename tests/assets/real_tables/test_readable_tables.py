"""A lender's table has types, names and gaps that the demo does not have. Each of these becomes a promoted model.

Without these tests a lender has to change a table to try the platform, or loans are left out without a word.
"""

from pathlib import Path

import pytest

from tests.assets.real_tables.tables import BASE, BOOLEAN, CHARACTER, declare
from tests.support.sandbox import Sandbox

MISSING = {"income": 'type = "number", missing = "allowed"'}
SEX = "UPDATE loans SET sex = (ARRAY[NULL, 'f', 'm'])[1 + id % 3]"
READABLE = {
    "missing values in a feature": ("UPDATE loans SET income = NULL WHERE id % 5 = 0", declare(features=MISSING)),
    "missing values in a personal attribute": (
        f"ALTER TABLE loans ADD sex text; {SEX}",
        declare(personal="sex = { type = 'category', missing = 'allowed' }"),
    ),
    "ids that are UUIDs": ("ALTER TABLE loans ALTER id TYPE uuid USING md5(id::text)::uuid", declare()),
    "ids that are NUMERIC, as tools leave them that move tables from Oracle": (
        (
            "ALTER TABLE loans ALTER id TYPE numeric(38,0), ALTER default_status TYPE numeric(1,0), "
            "ALTER age TYPE numeric(3,0)"
        ),
        declare(features={"age": 'type = "number"'}),
    ),
    "ids that are texts": ("ALTER TABLE loans ALTER id TYPE text USING 'L-' || id", declare()),
    "a NUMERIC target": ("ALTER TABLE loans ALTER default_status TYPE numeric(1,0)", declare()),
    "a boolean target by true and false": (
        BOOLEAN,
        declare('column = "default_status"\nnegative = false\npositive = true'),
    ),
    "a boolean target by t and f": (
        BOOLEAN,
        declare('column = "default_status"\nnegative = "f"\npositive = "t"'),
    ),
    "a target of char(4) with blanks behind its values": (
        CHARACTER,
        declare('column = "default_status"\nnegative = "good"\npositive = "bad"'),
    ),
    "an enum": (
        (
            "CREATE TYPE purpose_t AS ENUM ('car', 'house', 'school', 'other'); "
            "ALTER TABLE loans ALTER purpose TYPE purpose_t USING purpose::purpose_t"
        ),
        declare(),
    ),
    "a domain": (
        (
            "CREATE DOMAIN money_amount AS numeric(14,2) CHECK (VALUE >= 0); "
            "ALTER TABLE loans ALTER income TYPE money_amount"
        ),
        declare(),
    ),
    "a date without a time of day": ("ALTER TABLE loans ALTER created_at TYPE date", declare()),
    "a boolean feature": (
        "ALTER TABLE loans ADD has_cosigner boolean; UPDATE loans SET has_cosigner = id % 2 = 0",
        declare(features={"has_cosigner": 'type = "boolean"'}),
    ),
    "names with blanks and umlauts": (
        'ALTER TABLE loans RENAME income TO "größe_einkommen"; ALTER TABLE loans RENAME age TO "Age at application"',
        declare(
            features={
                "income": "",
                "größe_einkommen": 'type = "number", minimum = 0',
                "Age at application": 'type = "integer", minimum = 18, maximum = 120',
            }
        ),
    ),
    "a view": ("ALTER TABLE loans RENAME TO stored; CREATE VIEW loans AS SELECT * FROM stored", declare()),
}


@pytest.mark.parametrize("name", READABLE)
def test_a_table_that_lenders_have_becomes_a_promoted_model_with_all_of_its_loans(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    change, settings = READABLE[name]
    sandbox.execute(BASE + change)
    sandbox.settings.write_text(settings)
    # Each table has a target of its own. In one store, a model of another outcome is promoted by hand only.
    assert sandbox.run(PLATFORM_STORE=(tmp_path / "store").as_uri()) == 0
    printed = capsys.readouterr().out
    assert "Promotion: number" in printed
    assert sandbox.latest("loan_dataset", "dagster/row_count") == "2000"
    assert sandbox.latest("promoted_model") == sandbox.latest("loan_dataset"), "another run's model is in use"
