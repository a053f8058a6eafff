"""A column of the applications that the page leaves out costs its reader a wave."""

import re

from credit_assets.applications.tables import declare_applications, select_table_features
from credit_assets.settings.file import Settings
from tests.support.pages import ROOT

DECLARED = Settings.model_validate(
    {
        "table": {"name": "loans", "created_at": "granted"},
        "target": {"column": "default_status"},
        "features": {
            "income": {"type": "number"},
            "region": {"type": "category"},
            "born": {"type": "date"},
            "employed": {"type": "date", "before": "applied"},
        },
        "personal": {"sex": {"type": "category"}},
        "scoring": {
            "locations": "branches",
            "applications": "requests",
            "scores": "scores",
            "location": "branch",
            "id": "number",
            "decided_at": "decided",
            "services": [{"name": "regions", "url": "http://localhost/{location}", "columns": ["region"]}],
        },
    }
)
# What each row of the table on the page stands for, by the names in its first cell.
COLUMNS = {
    "location": {"branch"},
    "id": {"number"},
    "decided_at": {"decided"},
    "[features]": {"income", "born", "employed"},
    "[features] before": {"applied"},
}


def test_the_page_has_all_columns_that_a_wave_needs_of_the_applications_and_no_other() -> None:
    page = (ROOT / "docs" / "your-table" / "scoring.md").read_text()
    table = page.split("## The columns of applications")[1].strip().split("\n\n")[0]
    cells = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    shown = [" ".join(re.findall(r"`([^`]+)`", cell)) for cell in cells if "`" in cell]
    needed = declare_applications(DECLARED.require_scoring(), select_table_features(DECLARED)).columns
    assert set().union(*(COLUMNS[row] for row in shown)) == set(needed)
    assert len(set(shown)) == len(shown)
