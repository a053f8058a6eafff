"""A simulation that can't fail proves nothing, and one whose seed does not replay explains nothing."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from simulation import faults
from simulation.__main__ import MOST_NAMED, main
from simulation.faults import Striker
from simulation.guards import Guard
from simulation.history import Outcome, live_through
from simulation.many import live_through_many

# For each guard, some seeds one of which breaks an invariant without it.
ENOUGH = {guard: range(1, 201) for guard in Guard} | {
    Guard.ONE_RETRY: range(201, 301),
    Guard.STATUS_FIRST: range(1001, 1101),
}


def test_no_history_breaks_an_invariant() -> None:
    tally = live_through_many(range(1, 201))
    assert (tally.histories, tally.broken) == (200, ())
    assert tally.retries > 50, "faults that strike nobody prove nothing"
    assert tally.wrong_verdicts == 0


@pytest.mark.parametrize("guard", Guard, ids=lambda guard: guard.option)
def test_without_a_guard_a_history_breaks_an_invariant(guard: Guard) -> None:
    assert live_through_many(ENOUGH[guard], [guard], until_broken=True).broken


def list_victims(outcome: Outcome, fault: str) -> set[str]:
    """Whom a fault struck in a history."""
    return {who for _, who, what in outcome.timeline if what.startswith(fault)}


def test_a_loss_of_all_nodes_breaks_nothing_and_makes_no_verdict_wrong(monkeypatch) -> None:
    monkeypatch.setattr(faults, "FAULTS", (Striker.lose_node,))
    lived = live_through(61)
    assert list_victims(lived, "▓▓▓ no power") == {"node-1", "node-2", "node-3"}
    assert (lived.broken, lived.wrong_verdicts) == ("", 0)


def test_a_pod_that_waits_for_a_node_that_is_cut_off_breaks_nothing_and_makes_no_verdict_wrong(monkeypatch) -> None:
    monkeypatch.setattr(faults, "FAULTS", (Striker.cut_node,))
    lived = live_through(1)
    (node,) = list_victims(lived, "is cut off")
    acts = [(who, what) for _, who, what in lived.timeline]
    assert ("Kubernetes", f"chooses {node} for the pod of B") in acts
    assert (node, "starts the pod of B") not in acts
    assert any(what.startswith("fails B: its worker did not begin") for _, what in acts)
    assert (lived.broken, lived.wrong_verdicts) == ("", 0)


def test_a_process_with_threads_is_not_forked_because_its_locks_would_stay_locked(monkeypatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a lock that a thread holds is held for ever in a fork"))
    assert live_through_many(range(1, 3)).histories == 2


def test_a_search_that_has_found_something_ends_with_all_its_processes() -> None:
    tally = live_through_many(range(1, 100_001), [Guard.FENCE], until_broken=True)
    assert tally.broken
    assert tally.histories < 1_000
    assert not multiprocessing.active_children()


def test_a_search_that_loses_a_process_fails_and_does_not_wait_for_ever() -> None:
    def kill_one() -> None:
        # Not before all are there: Python's pool would wait for a process that it starts after it has ended the others.
        while len(there := multiprocessing.active_children()) < (os.cpu_count() or 1):
            time.sleep(0.01)
        os.kill(there[0].pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    with pytest.raises(BrokenProcessPool):
        live_through_many(range(1, 100_001))
    killer.join()


def test_a_seed_replays_its_history() -> None:
    first, again = live_through(36), live_through(36)
    assert first.timeline
    assert first == again
    assert live_through(37).timeline != first.timeline


def test_a_broken_history_is_printed_with_its_timeline_and_how_to_see_it_again(monkeypatch, capsys) -> None:
    seed, _ = min(live_through_many(ENOUGH[Guard.ALARM], [Guard.ALARM], until_broken=True).broken)
    command = ["simulation", "--histories", "1", "--seed", str(seed), "--guards", "alarm"]
    monkeypatch.setattr("sys.argv", command)
    assert main() == 1
    shown = capsys.readouterr().out
    assert f"make simulate HISTORIES=1 SEED={seed} GUARDS=alarm" in shown
    assert "BROKEN: " in shown.splitlines()[-1]


def test_every_broken_history_is_named(monkeypatch, capsys) -> None:
    broken = live_through_many(ENOUGH[Guard.PORT], [Guard.PORT]).broken
    assert 2 <= len(broken) <= MOST_NAMED
    histories = str(len(ENOUGH[Guard.PORT]))
    monkeypatch.setattr("sys.argv", ["simulation", "--histories", histories, "--seed", "1", "--guards", "port"])
    assert main() == 1
    shown = capsys.readouterr().out
    assert all(f"seed {seed}: {what}\n" in shown for seed, what in broken)


@pytest.mark.parametrize("count", ["0", "-3"])
def test_a_simulation_of_no_history_is_an_error_and_proves_nothing(monkeypatch, capsys, count) -> None:
    monkeypatch.setattr("sys.argv", ["simulation", "--histories", count])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert "(HISTORIES): expected 1 or more" in printed.err
    assert "broken invariants" not in printed.out
