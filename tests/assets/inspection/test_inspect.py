"""The first command that a lender types: it must not guess, overwrite, write to the database, or show a person."""

import re
from pathlib import Path

import pytest

from credit_assets.commands.main import main
from credit_assets.settings.file import load_settings
from tests.assets.inspection.lender_tables import LOAN_BOOK
from tests.support.sandbox import GOOD_LOANS


def test_several_tables_are_listed_and_nothing_is_guessed_or_written(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(GOOD_LOANS + "CREATE TABLE codes (id integer, name text); CREATE VIEW recent AS SELECT * FROM loans;")
    assert drafts.inspect() == 3
    captured = capsys.readouterr()
    assert re.search(r"public\.loans +table ", captured.out)
    assert re.search(r"public\.recent +view ", captured.out)
    assert "codes" not in captured.out
    assert not drafts.sandbox.settings.exists()


def test_the_only_table_that_could_be_meant_is_drafted_and_each_line_to_look_at_is_printed(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(GOOD_LOANS + "CREATE TABLE codes (id integer, name text);")
    assert drafts.inspect() == 0
    printed = capsys.readouterr().out
    marked = [number for number, line in enumerate(drafts.text.splitlines(), 1) if "LOOK:" in line]
    assert marked
    assert all(f"settings.toml:{number}: " in printed for number in marked)
    assert "table public.loans" not in printed


def test_a_file_that_is_there_is_never_overwritten(drafts, capsys: pytest.CaptureFixture[str]) -> None:
    drafts.make(GOOD_LOANS)
    drafts.sandbox.settings.write_text("mine")
    with drafts.sandbox.entered():
        assert main(["inspect", "--output", "settings.toml"]) == 1
    assert drafts.text == "mine"
    assert "settings.toml is there already, and is not overwritten" in capsys.readouterr().err


def test_the_file_is_named_after_the_table_and_a_name_that_no_run_takes_is_refused(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make('CREATE TABLE "My Loans!" AS SELECT 1 AS id, now() AS created_at, 0 AS bad, 1 AS amount;')
    with drafts.sandbox.entered():
        assert main(["inspect"]) == 3
        written = drafts.sandbox.folder / "settings" / "My_Loans.toml"
        assert '"a column" = "" # FILL IN: no column is left' in written.read_text()
        assert main(["inspect", "--output", "my-loans.toml"]) == 1
    assert "Use at most 50 letters, digits or `_`" in capsys.readouterr().err
    assert not (drafts.sandbox.folder / "my-loans.toml").exists()


def test_a_file_that_can_not_be_written_is_refused_before_a_database_is_opened(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    (drafts.sandbox.folder / "settings").mkdir(exist_ok=True)
    (drafts.sandbox.folder / "settings" / "lones.toml").write_text("mine")
    with drafts.sandbox.entered(PLATFORM_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing"):
        assert main(["inspect", "--table", "public.lones"]) == 1
        assert "lones.toml is there already" in capsys.readouterr().err
        assert main(["inspect", "--output", "settings/lones.toml/draft.toml"]) == 1
        assert "lones.toml is no folder that takes files" in capsys.readouterr().err
        assert main(["inspect", "--output", "fine.toml"]) == 1
    assert "127.0.0.1" in capsys.readouterr().err


def test_a_table_without_rows_says_so_in_one_sentence_and_finds_its_keys(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make("CREATE TABLE loans (id integer PRIMARY KEY, created_at timestamptz, amount numeric, is_bad integer);")
    assert drafts.inspect() == 3
    sentence = "public.loans has no rows: values, gaps, bounds and the outcome can't be known"
    assert sentence in capsys.readouterr().out
    assert f"# {sentence}" in drafts.text
    assert 'id = "id"' in drafts.text
    assert 'created_at = "created_at"' in drafts.text
    assert "the table has no rows whose values could say it. is_bad may say it" in drafts.text


def test_a_table_that_nobody_may_read_or_that_is_not_there_is_an_error_with_a_way_out(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make("CREATE TABLE codes (id integer, name text);")
    assert drafts.inspect("--table", "lones") == 1
    assert "--table: this role can read no table lones" in capsys.readouterr().err
    assert drafts.inspect() == 1
    assert "none of the 1 tables that this role can read has three columns and a time" in capsys.readouterr().err


def test_without_a_target_the_draft_says_which_line_is_open_and_a_filled_one_is_read(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(GOOD_LOANS + "ALTER TABLE loans RENAME default_status TO x7;")
    assert drafts.inspect() == 3
    assert re.search(r'settings\.toml:\d+: column = "" # FILL IN: ', capsys.readouterr().out)
    drafts.edit(column='"x7"')
    assert "x7 = {" in drafts.text
    drafts.sandbox.settings.write_text(re.sub(r"^x7 = \{.*\n", "", drafts.text, flags=re.MULTILINE))
    assert load_settings(drafts.sandbox.settings).target.column == "x7"


def test_the_draft_counts_codes_of_the_days_past_due_and_loans_of_the_future(drafts) -> None:
    drafts.make(
        GOOD_LOANS + "ALTER TABLE loans RENAME default_status TO days_past_due; UPDATE loans SET days_past_due = "
        "CASE WHEN id <= 30 THEN -1 WHEN id <= 60 THEN 9999 ELSE id % 150 END; "
        "UPDATE loans SET created_at = now() + interval '9 days' WHERE id <= 7;"
    )
    assert drafts.inspect() == 0
    (bound,) = re.findall(r"^at_least = 90 # (LOOK: .*)$", drafts.text, re.MULTILINE)
    assert "-1 (30 rows) lies below 0, counted as repaid" in bound
    assert "9,999 (30 rows) lies far from the others, counted as defaults" in bound
    ((view,),) = [re.findall(r"a view may have (.*?);", bound)]
    drafts.sandbox.execute(f"CREATE VIEW known AS SELECT *, {view} FROM loans")
    assert drafts.sandbox.execute("SELECT count(*), count(days_past_due_known) FROM known") == [(300, 240)]
    assert "LOOK: 7 of the 300 rows of the sample lie in the future: a dataset leaves them out" in drafts.text


def test_neither_the_draft_nor_what_is_printed_shows_a_value_of_a_person(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(LOAN_BOOK)
    drafts.inspect("--table", "lending.Loan Book")
    captured = capsys.readouterr()
    for shown in (drafts.text, captured.out, captured.err):
        for secret in ("Kryptozoologie", "example.com", "+49 30", "called on day", "00899"):
            assert secret not in shown


def test_inspecting_reads_a_snapshot_and_writes_nothing_to_the_database(drafts) -> None:
    drafts.make(GOOD_LOANS)
    before = drafts.sandbox.execute("SELECT xmin, count(*) FROM loans GROUP BY 1")
    tables = "SELECT count(*) FROM pg_class"
    counted = drafts.sandbox.execute(tables)
    assert drafts.inspect() == 0
    assert drafts.sandbox.execute(tables) == counted
    assert drafts.sandbox.execute("SELECT xmin, count(*) FROM loans GROUP BY 1") == before


def test_without_a_database_of_its_own_it_inspects_that_of_make_run_and_only_in_a_checkout(
    drafts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PLATFORM_DATABASE_URL", raising=False)
        environment.chdir(drafts.sandbox.folder)
        assert main(["inspect", "--table", "no_such_table"]) == 1
        printed = capsys.readouterr().err  # other tests of this server may have made tables in its database, or not
        assert "can read no table no_such_table" in printed or "no table that this role can read" in printed
        environment.chdir(tmp_path)
        assert main(["inspect"]) == 1
    assert "run this from the root of a checkout" in capsys.readouterr().err


def test_rows_that_a_policy_hides_are_a_persons_decision_and_never_left_out_in_silence(
    drafts, postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(
        GOOD_LOANS + "DROP ROLE IF EXISTS half_blind; CREATE ROLE half_blind LOGIN; GRANT USAGE ON SCHEMA public TO "
        "half_blind; GRANT SELECT ON loans TO half_blind; ALTER TABLE loans ENABLE ROW LEVEL SECURITY; "
        "CREATE POLICY half ON loans USING (id % 2 = 0);"
    )
    own = drafts.sandbox.environment["PLATFORM_DATABASE_URL"]
    drafts.sandbox.settings.unlink(missing_ok=True)
    with drafts.sandbox.entered(PLATFORM_DATABASE_URL=own.replace("//postgres@", "//half_blind@")):
        assert main(["inspect", "--output", "settings.toml"]) == 3
    printed = capsys.readouterr().out
    assert "the draft was made from the rows that this role sees (150); the table may have more" in printed
    assert "all 150 rows that this role sees" in drafts.text
    assert 'name = "public.loans" # a table; this role sees 150 rows' in drafts.text
    drafts.edit(row_policy='"apply"')
    assert load_settings(drafts.sandbox.settings).table.row_policy == "apply"
    assert drafts.inspect() == 0
    assert "row_policy" not in drafts.text
    assert "all 300 rows" in drafts.text
    drafts.sandbox.execute("DROP OWNED BY half_blind; DROP ROLE half_blind")
