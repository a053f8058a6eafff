"""A table that can't be read whole is refused, with the column, the count and a way out; nothing of it is promoted.

Without these tests a model is trained on half of the loans, and nobody is told.
"""

import pytest

from tests.assets.real_tables.tables import BASE, declare
from tests.support.sandbox import Sandbox

REFUSED = {
    "a missing value in a column that does not allow it": (
        "UPDATE loans SET income = NULL WHERE id % 5 = 0",
        ["income", "400 rows"],
    ),
    "a time at minus infinity": ("UPDATE loans SET created_at = '-infinity' WHERE id = 7", ["created_at", "1 "]),
    "a year before Christ": (
        "UPDATE loans SET created_at = timestamp '0024-01-05 00:00 BC' WHERE id = 9",
        ["created_at", "1 "],
    ),
    "a type without a meaning for a model": (
        "ALTER TABLE loans ALTER purpose TYPE json USING to_json(purpose)",
        ["purpose", "json", "CREATE VIEW"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_cannot_be_read_whole_is_refused_and_says_what_is_wrong_with_which_column(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    change, expected = REFUSED[name]
    sandbox.execute(BASE + change)
    sandbox.settings.write_text(declare())
    assert sandbox.run() == 1
    printed = capsys.readouterr()
    told = printed.out + printed.err
    assert [each for each in expected if each not in told] == []
    assert "Traceback" not in told
    assert "Promotion: number" not in told
