"""A draft that the product itself refuses is worse than none: its reader does not know yet what is wrong with it."""

import tomllib
from pathlib import Path

import pytest

from credit_assets.inspection.draft import check_draft, find_marks, write_draft
from credit_assets.inspection.inspection import find_tables
from credit_assets.inspection.limits import propose_limits
from credit_assets.inspection.lines import Line, leave_open
from credit_assets.inspection.reading.catalogue import FoundColumn, FoundTable
from credit_assets.inspection.reading.sample import InspectionError
from credit_assets.settings.file import SettingsError, load_settings
from credit_assets.tables.kinds import ColumnType

AMOUNT = Line("amount", {"type": "number", "minimum": 0, "maximum": 5000}, "seen 0 to 1,900")
ODD = 'Betrag in "€" [1.000]\n#'


def sections(*features: Line, target: Line | None = None) -> dict[str, list[Line]]:
    return {
        "table": [Line("name", "public.loans"), Line("id", "id"), Line("created_at", "created_at")],
        "target": [target or Line("column", "bad")],
        "features": list(features),
        "personal": [Line("sex", {"type": "category"})],
        **propose_limits(1_000, 0.3),
    }


def test_a_draft_is_read_back_with_every_value_that_was_written_and_none_that_was_left_out(tmp_path: Path) -> None:
    odd = Line(ODD, {"type": "category"}, "line\nbreak")
    left_out = Line("notes", {"type": "category"}, "people typed it freely", "left out")
    unread = Line(f"{ODD}2", None, "its type jsonb is not read", "left out")
    text = write_draft(["A draft"], sections(AMOUNT, odd, left_out, unread))
    path = tmp_path / "draft.toml"
    path.write_text(text)
    settings = load_settings(path)
    assert set(settings.features) == {"amount", ODD}
    assert settings.features["amount"].maximum == 5000
    assert set(settings.personal) == {"sex"}
    assert '# notes = { type = "category" } # people typed it freely' in text.splitlines()
    assert text.startswith("# A draft\n")


def test_a_line_that_was_left_out_is_declared_when_its_first_sign_is_removed(tmp_path: Path) -> None:
    left_out = Line(ODD, {"type": "integer", "minimum": 0}, "its name says too much", "left out")
    text = write_draft([], sections(AMOUNT, left_out))
    moved = text.replace("# 'Betrag", "'Betrag").replace('# "Betrag', '"Betrag')
    assert moved != text
    assert ODD in tomllib.loads(moved)["features"]


def test_a_line_that_a_person_must_fill_in_is_refused_until_then_and_everything_else_is_checked(tmp_path: Path) -> None:
    opened = leave_open("column", "none was found")
    check_draft([], sections(AMOUNT, target=opened))
    path = tmp_path / "draft.toml"
    path.write_text(text := write_draft([], sections(AMOUNT, target=opened)))
    with pytest.raises(SettingsError, match=r"FILL IN, .* line 8 \(column\)"):
        load_settings(path)
    assert find_marks(text) == [(8, 'column = "" # FILL IN: none was found')]
    with pytest.raises(SettingsError, match=r"features\.amount"):
        check_draft([], sections(Line("amount", {"type": "nonsense"}), target=opened))


@pytest.mark.parametrize("rows", [0, 1, 40, 60, 250, 1_000, 30_000, 5_000_000])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.3, 0.99, 1.0])
def test_the_limits_of_a_table_of_any_size_are_valid_and_let_it_train(rows: int, share: float) -> None:
    proposed = sections(AMOUNT) | propose_limits(rows, share)
    settings = check_draft([], proposed)
    rarer = min(share, 1 - share)
    assert settings.limits.minimum_rows <= max(rows, 50)
    assert rarer == 0 or settings.limits.minimum_class_share <= rarer
    assert rarer == 0 or settings.limits.cross_validation_folds <= rows * rarer
    assert settings.refresh.new_loans <= max(1, rows)


def test_loans_without_an_outcome_lower_the_limits_and_many_of_them_raise_the_one_on_themselves() -> None:
    some, most = (check_draft([], sections(AMOUNT) | propose_limits(2_000, 0.3, share)) for share in (0.2, 0.83))
    assert some.limits.maximum_missing_outcome_share == 0.5
    assert most.limits.maximum_missing_outcome_share == 0.85
    assert some.limits.minimum_rows == 500
    assert most.limits.minimum_rows == 170


def test_the_draft_of_a_small_table_knows_that_its_test_says_little() -> None:
    small, large = (check_draft([], sections(AMOUNT) | propose_limits(rows, 0.3)) for rows in (1_000, 1_000_000))
    assert (small.limits.cross_validation_folds, large.limits.cross_validation_folds) == (10, 0)
    assert small.promotion.maximum_auc_loss == 0.05
    assert large.promotion.maximum_auc_loss == 0.02
    assert (small.refresh.new_loans, large.refresh.new_loans) == (100, 1_000)


def make_table(schema: str, name: str, *types: str) -> FoundTable:
    columns = [FoundColumn(f"column_{number}", ColumnType(each, each)) for number, each in enumerate(types)]
    return FoundTable(schema, name, columns=columns)


def test_a_table_is_found_by_its_name_and_never_guessed() -> None:
    loans = make_table("lending", "Loan Book", "integer", "date", "text")
    others = [make_table("public", "codes", "integer", "text"), make_table("archive", "codes", "integer", "text")]
    assert find_tables([loans, *others], None) == [loans]
    assert find_tables([loans, *others], "lending.Loan Book") == [loans]
    assert find_tables([loans, *others], "Loan Book") == [loans]
    assert find_tables([loans, *others], "codes") == others
    assert find_tables([loans, *others], "archive.codes") == others[1:]
    for wrong in ("loan book", "public.Loan Book", "a.b.c"):
        with pytest.raises(InspectionError, match="--table"):
            find_tables([loans, *others], wrong)
    with pytest.raises(InspectionError, match="no table that this role can read"):
        find_tables([], "loans")
    with pytest.raises(InspectionError, match="none of the 2 tables"):
        find_tables(others, None)
