"""A worker may die at any instruction, and any call to the store or a database may fail: what comes out is right.

Without these tests a fault at a moment that nobody thought of publishes a damaged model, two models or none; or a wave
scores a location twice, never, or with two models.
The faults are drawn from the number of the case, so a case that failed fails again when it is run alone.
`make sweep` runs 200 cases (SWEEP_CASES), `make test` 20. Every third case is a wave.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.assets.sweep.conftest import Undisturbed
from tests.assets.sweep.faults import COMMITS, DATABASE, KILL, LOANS, SCORES, STORE, TABLES, Fault
from tests.assets.sweep.kinds import REFRESH_CASE, WAVE_CASE, Kind, choose_kind
from tests.assets.sweep.sweep import Sweep
from tests.assets.sweep.wave_invariants import WaveInvariants

CASES = int(os.environ.get("SWEEP_CASES", "20"))
# Of fewer cases of a kind, half may be uninterrupted by chance.
ENOUGH_CASES = 10


@dataclass
class Struck:
    """What became of the cases of one kind.

    Attributes:
        interrupted: for each case, whether a fault ended an attempt.
        overtaken: how many waves ended after another model was promoted than the one they use.
    """

    interrupted: list[bool] = field(default_factory=list)
    overtaken: int = 0


@pytest.fixture(scope="module")
def struck() -> Iterator[dict[Kind, Struck]]:
    """What became of the cases that ran. A sweep whose faults come too late proves nothing."""
    cases = {REFRESH_CASE: Struck(), WAVE_CASE: Struck()}
    yield cases
    for kind, each in cases.items():
        count, total = sum(each.interrupted), len(each.interrupted)
        assert total < ENOUGH_CASES or count >= total / 2, f"{kind.job}: {count} of {total} were interrupted"
    waves = cases[WAVE_CASE]
    assert len(waves.interrupted) < ENOUGH_CASES or waves.overtaken, "no wave went on after a promotion"


@pytest.mark.parametrize("case", range(CASES), ids=lambda case: f"{choose_kind(case).job}-{case}")
def test_what_comes_out_is_right_and_there_once_whatever_fails(
    sweep: Sweep, undisturbed: dict[Kind, Undisturbed], struck: dict[Kind, Struck], case: int
) -> None:
    kind = choose_kind(case)
    size, invariants = undisturbed[kind].size, undisturbed[kind].invariants
    ended = sweep.run_case(kind, f"case {case}", random.Random(case), size)
    struck[kind].interrupted.append(ended.is_interrupted)
    try:
        invariants.hold(ended.runs)
    except AssertionError as error:
        error.add_note(f"case {case}, after {ended.faults}")
        raise
    if isinstance(invariants, WaveInvariants):
        struck[kind].overtaken += invariants.is_overtaken()


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        *((REFRESH_CASE, target) for target in (STORE, DATABASE, LOANS)),
        *((WAVE_CASE, target) for target in (STORE, DATABASE, COMMITS, TABLES, SCORES)),
    ],
    ids=lambda each: each.job if isinstance(each, Kind) else each,
)
def test_a_fault_interrupts_an_attempt_at_the_call_that_it_names(
    sweep: Sweep, undisturbed: dict[Kind, Undisturbed], kind: Kind, target: str
) -> None:
    case = f"{target} kills {kind.job}"
    assert sweep.run_attempt(kind, case, [], Fault(target, KILL, after_call=False, at=1)) is None
    assert [run.status.value for run in sweep.runs(case)] in ([], ["FAILURE"])
