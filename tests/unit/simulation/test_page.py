"""A page whose seeds no longer break anything shows a simulation that nobody can see."""

import re

import pytest

from simulation.guards import Guard
from simulation.history import live_through
from simulation.many import format_timeline
from tests.support.pages import ROOT

PAGE = (ROOT / "docs" / "simulation.md").read_text()


@pytest.mark.parametrize("guard", Guard, ids=lambda guard: guard.option)
def test_the_table_names_a_seed_that_breaks_without_the_guard_and_what_breaks(guard: Guard) -> None:
    (row,) = re.findall(rf"^\| {re.escape(guard)} \| [\d,]+ \| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert live_through(int(row[0]), [guard]).broken == row[1]
    assert not live_through(int(row[0])).broken


def test_the_page_shows_the_timeline_that_its_command_prints() -> None:
    seed, option = re.findall(r"^`make simulate HISTORIES=1 SEED=(\d+) GUARDS=(\S+)`", PAGE, re.MULTILINE)[0]
    shown = [line.strip() for line in PAGE.split("     …\n")[1].split("```")[0].splitlines()]
    lived = live_through(int(seed), [each for each in Guard if each.option == option])
    assert lived.broken
    printed = [line.strip() for line in format_timeline(lived)]
    assert shown == printed[-len(shown) :]
