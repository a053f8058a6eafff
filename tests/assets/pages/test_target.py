"""A lender who copies the page's example must get a model of the loans with an outcome, and scores of the others."""

import re

from credit_assets.settings.file import load_settings
from tests.support.pages import ROOT, code_blocks
from tests.support.sandbox import GOOD_LOANS, GOOD_SETTINGS, Sandbox

PAGE = ROOT / "docs" / "your-table" / "target.md"
# Of 300 loans every fourth is 90 days past due or more, 20 have no number, and 30 others are three months old.
DAYS_PAST_DUE = """
ALTER TABLE loans ADD days_past_due integer;
UPDATE loans SET days_past_due = CASE default_status WHEN 1 THEN 90 + id % 5 ELSE id % 90 END;
UPDATE loans SET days_past_due = NULL WHERE id <= 20;
UPDATE loans SET created_at = now() AT TIME ZONE 'UTC' - interval '3 months' WHERE id > 270;
"""


def test_the_example_of_the_page_trains_on_loans_with_an_outcome_and_scores_the_others(sandbox: Sandbox) -> None:
    (target,) = (code for code in code_blocks(PAGE, "toml") if "matures_after" in code)
    (scoring,) = (code for code in code_blocks(PAGE, "toml") if "[scoring]" in code)
    (views,) = code_blocks(PAGE, "sql")
    sandbox.execute(GOOD_LOANS + DAYS_PAST_DUE + views)
    sandbox.settings.write_text(re.sub(r"\[target\]\ncolumn = .*\n", target, GOOD_SETTINGS) + scoring)
    assert load_settings(sandbox.settings).target.matures_after == "12 months"
    assert sandbox.run(PLATFORM_SCORES_URL=sandbox.environment["PLATFORM_DATABASE_URL"]) == 0

    assert sandbox.latest("loan_dataset", "dagster/row_count") == "300"
    assert sandbox.latest("loan_dataset", "loans without an outcome") == "{'NULL': 20, 'too young': 30}"
    assert sandbox.latest("trained_model", "loans without an outcome") == "50"
    rows = int(sandbox.latest("trained_model", "rows trained on")) + int(
        sandbox.latest("test_split", "dagster/row_count")
    )
    assert rows == 250
    scored = sandbox.execute("SELECT application FROM loan_scores WHERE probability BETWEEN 0 AND 1 ORDER BY 1")
    assert [number for (number,) in scored] == [*range(1, 21), *range(271, 301)]
