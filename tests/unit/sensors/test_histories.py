"""No loan is forgotten, whatever lenders do: each is in a dataset, or each tick counts it or says why it is left out.

A rule that forgets a loan serves a model that never learns from it, and nobody sees it. 500 histories run here;
`HISTORIES=20000 .venv/bin/python -m pytest -q tests/unit/sensors/test_histories.py` runs more.
"""

import os
import random
from datetime import timedelta

import pytest

from tests.support.histories.history import play
from tests.support.histories.lender import Lender
from tests.support.histories.rules import count_above_greatest_id, count_by_census, forget_requests

HISTORIES = int(os.environ.get("HISTORIES", "500"))
PARTS = 50


@pytest.mark.parametrize("part", range(PARTS))
def test_every_loan_is_in_a_dataset_or_counted_or_named_with_the_reason(part: int) -> None:
    for seed in range(part, HISTORIES, PARTS):
        verdict = play(seed, count_by_census, has_uuids=seed % 3 == 0)
        assert not verdict.forgotten, f"seed {seed}: {verdict.forgotten}"
        assert not verdict.too_many, f"seed {seed}: {verdict.too_many}"


def test_in_some_dozen_histories_everything_happens() -> None:
    verdicts = [play(seed, count_by_census) for seed in range(30)]
    deeds = set[str]().union(*(each.lender.deeds for each in verdicts))
    assert deeds >= {"insert", "begin", "commit", "delete", "repair", "truncate", "set_clock", "forget", "import_old"}
    assert all(each.requests for each in verdicts)


def test_the_histories_find_a_rule_that_forgets_loans() -> None:
    found = [play(seed, count_above_greatest_id).forgotten for seed in range(50)]
    assert sum(map(bool, found)) > 40
    assert any("are counted" in each for forgotten in found for each in forgotten)


def test_the_histories_find_a_rule_that_requests_a_refresh_again_and_again() -> None:
    assert sum(bool(play(seed, forget_requests).too_many) for seed in range(20)) > 10


def test_the_greatest_id_forgets_a_table_whose_ids_start_again_for_ever() -> None:
    lender = Lender(random.Random(1))
    lender.add(lender.make_loans(50))
    lender.read_dataset()
    lender.table, lender.next_id, lender.now = {}, 1, lender.now + timedelta(hours=1)
    lender.add(lender.make_loans(40))
    assert count_above_greatest_id(lender, 20).missing == 0
    tick = count_by_census(lender, 20)
    assert tick.is_request
    assert tick.missing == 40
