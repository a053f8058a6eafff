"""A person who brings back the good model at night must not need the UI, and must not promote another by a slip."""

import pytest

from credit_assets.commands.main import main
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.opening import open_store
from tests.support.sandbox import Sandbox

BY_ADA = ["--who", "Ada", "--why", "the newer one is wrong about Mondays"]


def numbers(sandbox: Sandbox) -> list[int]:
    return [each.number for each in open_pointer(open_store(sandbox.environment["PLATFORM_STORE"]), "loans").history()]


def promote(sandbox: Sandbox, *arguments: str) -> int:
    with sandbox.entered():
        return main(["promote", *arguments, "--settings", str(sandbox.settings)])


def test_a_person_rolls_back_at_a_terminal_and_a_slip_moves_nothing(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox.reset()
    assert sandbox.run() == 0
    assert sandbox.run() == 0
    before = numbers(sandbox)
    assert promote(sandbox, "1", *BY_ADA) == 0
    assert numbers(sandbox) == [before[0] + 1, *before]

    runs = sandbox.instance.get_runs_count()
    assert promote(sandbox, "latest", *BY_ADA) == 2
    assert promote(sandbox, "1", "--who", "A", "--why", "a reason") == 2
    assert sandbox.instance.get_runs_count() == runs, "a slip of the keyboard is no failed run"
    capfd.readouterr()
    assert promote(sandbox, "7777", *BY_ADA) == 1
    error = capfd.readouterr().err
    assert "Traceback" not in error
    assert f"There is no promotion 7777; the latest is {before[0] + 1}." in error
    assert len(numbers(sandbox)) == len(before) + 1


def test_the_set_of_another_table_with_the_same_name_is_promoted_only_if_a_person_accepts_its_columns(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox.reset()
    assert sandbox.run() == 0
    assert sandbox.run() == 0  # number 1 is not in use any more
    before, text = numbers(sandbox), sandbox.settings.read_text()
    (income,) = (line for line in text.splitlines(keepends=True) if line.startswith("income ="))
    sandbox.settings.write_text(text.replace(income, ""))
    try:
        capfd.readouterr()
        assert promote(sandbox, "1", *BY_ADA) == 1
        error = capfd.readouterr().err
        assert "income is a feature of type double there and no column in the settings" in error
        assert "use another PLATFORM_STORE" in error
        assert numbers(sandbox) == before
        assert promote(sandbox, "1", *BY_ADA, "--accept-other-columns") == 0
        assert len(numbers(sandbox)) == len(before) + 1
    finally:
        sandbox.settings.write_text(text)
