"""A simulation that forgives a loss, or invents one, recommends the wrong machines."""

import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bench.spot_traces.__main__ import AGAIN, CHART, FIRST_STEP, NOTICED, main, parser
from bench.spot_traces.machine import Machine
from bench.spot_traces.replay import ALWAYS, replay, retried_at, undisturbed
from bench.spot_traces.report import BLOCKS, ZERO, Result
from bench.spot_traces.run import Platform, Training, asked
from bench.spot_traces.trace import Trace
from sensors.lost_retries import PATIENCE, Ended

KUBERNETES = Path(__file__).parents[2] / "docs" / "kubernetes.md"
SHORT = Training(work=40, tree=0.5)
OURS = Platform(
    retries=5,
    start_timeout=600,
    notice=0,
    noticed=(3, 70),
    again=(5, 6),
    first=4,
    writing=0.05,
    reading=0.02,
    forgets=0,
)
FROM_ZERO = replace(OURS, blocks=False)
# A machine is lost after 30 s, and another is there 10 s later.
BLIP = Trace("blip", 10, (1, 1, 1, 0, *[1] * 100))


def result(trace, platform, policy=BLOCKS, price=0.3, training=SHORT) -> Result:
    outcomes = [replay(trace, training, platform, 0)]
    return Result(trace.name, policy, outcomes, undisturbed(training, platform).bought, price)


def test_where_nothing_is_lost_nothing_is_wasted_and_the_costs_are_as_the_prices() -> None:
    on_demand = result(ALWAYS, OURS, price=1.0)
    calm, blip = result(Trace("calm", 30, (2, 2)), OURS), result(BLIP, OURS)
    assert (calm.completed, calm.waste, calm.worst_loss) == (1, 0, None)
    assert calm.against(on_demand) == pytest.approx(30)
    assert (blip.waste or 0) > 1
    assert (blip.against(on_demand) or 0) > 31


def test_a_loss_in_mid_training_costs_at_most_a_block_with_blocks_and_everything_without() -> None:
    (ours,), (theirs,) = result(BLIP, OURS).outcomes, result(BLIP, FROM_ZERO).outcomes
    assert 0 < ours.lost[0] <= 2.5 + OURS.writing
    assert theirs.lost == [30 - OURS.first], "all that was trained"
    assert ours.completed
    assert theirs.completed
    assert ours.retries == theirs.retries == 1


def test_what_was_bought_is_the_work_the_starts_and_what_was_lost_and_no_more() -> None:
    (theirs,) = result(BLIP, FROM_ZERO).outcomes
    assert theirs.bought == 30 + FROM_ZERO.again[1] + 40
    (ours,) = result(BLIP, OURS).outcomes
    extra = ours.bought - undisturbed(SHORT, OURS).bought
    assert ours.lost[0] + OURS.again[1] < extra < ours.lost[0] + OURS.again[1] + 0.02 * 40, "and reading the blocks"


def test_a_step_that_is_told_commits_its_block_and_goes() -> None:
    told = replay(BLIP, SHORT, replace(OURS, notice=10), 0)
    assert told.lost == [0]
    assert told.completed
    (from_zero,) = replay(BLIP, SHORT, replace(FROM_ZERO, notice=10), 0).lost
    assert from_zero == 30 - 10 - OURS.first, "nothing holds the notice back, and nothing is kept"


def test_a_notice_that_is_shorter_than_a_tree_does_not_save_it() -> None:
    slow = Training(work=40, tree=20)
    (outcome,) = result(BLIP, replace(OURS, notice=2), training=slow).outcomes
    assert outcome.lost[0] == pytest.approx(30 - 4 - 20 - OURS.writing - OURS.reading)
    assert outcome.down == [70 + 6], "found out as one without notice"
    assert result(BLIP, replace(OURS, notice=20), training=slow).outcomes[0].lost == [0]


def test_it_trains_again_when_the_loss_was_noticed_a_machine_found_and_the_pod_started() -> None:
    assert replay(BLIP, SHORT, OURS, 0).down == [70 + 6]
    assert replay(BLIP, SHORT, replace(OURS, notice=10), 0).down == [10 + 10 + 5], "it waits for the next machine"
    drought = Trace("drought", 10, (1, 1, 1, *[0] * 20, *[1] * 100))
    assert replay(drought, SHORT, OURS, 0).down == [200 + 6]


def test_a_run_without_a_machine_waits_fails_and_goes_on_while_it_has_retries() -> None:
    later = Trace("later", 100, (*[0] * 20, *[1] * 100))
    outcome = replay(later, SHORT, OURS, 0)
    assert (outcome.completed, outcome.unstarted, outcome.retries) == (True, 3, 3)
    assert (outcome.lost, outcome.down, outcome.bought) == ([], [], undisturbed(SHORT, OURS).bought)
    assert not replay(later, SHORT, replace(OURS, retries=2), 0).completed
    assert replay(later, SHORT, replace(OURS, retries=0, start_timeout=2000), 0).completed


def test_a_run_that_loses_every_machine_ends_without_one_and_all_that_it_bought_is_waste() -> None:
    storm = Trace("storm", 10, (1, 1, 0))
    outcome = result(storm, FROM_ZERO, ZERO)
    assert (outcome.completed, outcome.outcomes[0].retries, len(outcome.outcomes[0].lost)) == (0, 5, 6)
    assert outcome.waste == 100
    assert outcome.against(result(ALWAYS, OURS)) is None
    assert replay(storm, SHORT, OURS, 0).completed, "with blocks it gets on by what each machine leaves"


def test_a_retry_that_the_daemon_forgets_is_made_by_the_sensor_and_once() -> None:
    kept, forgotten = (replay(BLIP, SHORT, replace(OURS, forgets=share), 0) for share in (0, 1))
    assert PATIENCE < forgotten.down[0] - kept.down[0] <= PATIENCE + 15
    assert kept.retries == forgotten.retries == 1
    group = [Ended("0", None, 100.0, stays=False)]
    assert retried_at(group, retries=1, forgets=False) == 100
    assert retried_at(group, retries=1, forgets=True) == 135, "the first tick behind the sensor's patience"
    assert retried_at(group, retries=0, forgets=True) is None


def test_of_several_machines_a_run_loses_its_own_as_often_as_chance_has_it() -> None:
    quarter = Trace("quarter", 10, (4, 4, 3, *[4] * 1000))
    lost = sum(bool(replay(quarter, SHORT, OURS, moment * 1e-6).lost) for moment in range(200))
    assert 30 < lost < 70
    assert all(replay(BLIP, SHORT, OURS, moment * 1e-6).lost for moment in range(5))


def test_runs_are_asked_for_by_the_refresh_schedule_or_by_the_hour() -> None:
    days = [second / 86400 for second in asked(weeks=4, every=None)]
    assert days == [0, 10, 20]
    first, second = asked(weeks=1, every=84, seed=1)
    assert 0 < first < 84 * 3600 < second < 2 * 84 * 3600
    assert [first, second] == list(asked(weeks=1, every=84, seed=1)) != list(asked(weeks=1, every=84, seed=2))


def test_a_sigterm_that_is_not_of_the_simulation_ends_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="SIGTERM"), Machine(gone=9).heeding_notice():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def trace_file(folder, name, machines) -> str:
    path = folder / f"{name}.json"
    path.write_text(f'{{"metadata": {{"gap_seconds": 10}}, "data": {list(machines)}}}')
    return str(path)


PRICES = ["--on-demand", "1", "--spot", "0.3", "--weeks", "1", "--every", "24", "--work", "40"]


def test_a_market_without_machines_completes_nothing_and_says_so(tmp_path, capsys) -> None:
    nothing, blip = trace_file(tmp_path, "nothing", [0, 0]), trace_file(tmp_path, "blip", BLIP.machines)
    picture = tmp_path / "plot.png"
    assert main([nothing, blip, *PRICES, "--plot", str(picture)]) == 1
    out, err = capsys.readouterr()
    assert "no run was completed with blocks on nothing" in err
    assert "NOTHING COMPLETED: nothing, blocks" in out
    assert "NOTHING COMPLETED: blip" not in out
    assert re.search(r"^nothing, blocks +7 +0 +42 +35 +0 +0.00$", out, re.MULTILINE), "no waste nor cost to compare"
    assert "MISSED  0.5 of the runs completed with blocks" in out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main([blip, *PRICES]) == 0
    assert "MISSED" not in capsys.readouterr().out


def test_a_table_without_a_loss_proves_nothing_of_losses_and_says_so(tmp_path, capsys) -> None:
    assert main([trace_file(tmp_path, "calm", [1, 1]), *PRICES]) == 0
    out = capsys.readouterr().out
    assert "no machine was lost under a run: this shows nothing of losses" in out
    assert "s of work lost with blocks" not in out


def test_the_same_seed_gives_the_same_table_and_picture_and_another_another(tmp_path, capsys) -> None:
    def printed(seed: str) -> tuple[str, bytes]:
        picture = tmp_path / f"{seed}.png"
        main([trace_file(tmp_path, "pool", [4, 2, 4, 3]), *PRICES, "--seed", seed, "--plot", str(picture)])
        return capsys.readouterr().out, picture.read_bytes()

    assert printed("1") == printed("1")
    assert printed("1")[0] != printed("2")[0]
    assert printed("1")[1] != printed("2")[1]


def test_a_trace_that_can_not_be_read_is_an_error_and_no_table(tmp_path, capsys) -> None:
    good = trace_file(tmp_path, "good", [1])
    assert main([good, str(tmp_path / "none.json"), *PRICES]) == 2
    assert main([good, good, *PRICES]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "none.json: no such file" in err
    assert "two traces have files of the same name" in err


@pytest.mark.parametrize("wrong", [["--spot", "0"], ["--notice", "-1"], ["--every", "nan"], ["--on-demand", "much"]])
def test_a_number_that_can_not_be_is_refused_by_its_option(tmp_path, capsys, wrong) -> None:
    with pytest.raises(SystemExit):
        main([trace_file(tmp_path, "good", [1]), *PRICES, *wrong])
    assert f"argument {wrong[0]}" in capsys.readouterr().err


def test_what_is_not_given_is_what_the_chart_says_and_the_drills_measured() -> None:
    given = parser().parse_args(["trace.json", "--on-demand", "1", "--spot", "1"])
    daemon = yaml.safe_load(CHART.read_text())["dagsterDaemon"]
    assert given.retries == daemon["runRetries"]["maxRetries"]
    assert given.start_timeout == daemon["runMonitoring"]["startTimeoutSeconds"]
    rows = dict(re.findall(r"^\| ([^|]+) \| ([\d.]+ \| [\d.]+) \|", KUBERNETES.read_text(), re.MULTILINE))
    measured = [
        tuple(map(float, rows[fault].split(" | ")))
        for fault in ("reclaim with 30 s notice", "power loss of the worker node", "request to first step")
    ]
    assert [*zip(NOTICED, AGAIN, strict=True), FIRST_STEP] == [*measured[:2], measured[2][0]], (
        "docs/kubernetes.md has other figures: take them over, and print docs/spot-traces.md anew"
    )
