"""A simulation that forgives a loss, or invents one, recommends the wrong machines."""

import os
import re
import signal
from dataclasses import replace

import pytest
import yaml

from resources.history.attempt import Attempt
from resources.history.retry_rule import DAEMON_SECONDS
from studies.spot_traces.__main__ import CHART, main, make_parser
from studies.spot_traces.machine import Machine
from studies.spot_traces.replay import ALWAYS, find_retry_time, is_bound_to_spot, replay, replay_undisturbed
from studies.spot_traces.report import BLOCKS, ZERO, Result
from studies.spot_traces.run import Platform, Training, find_request_times
from studies.spot_traces.trace import Trace

SHORT = Training(work=40, tree=0.5)
OURS = Platform(
    retries=20,
    spot_attempts=4,
    start_timeout=600,
    notice=0,
    noticed=11,
    given_up=60,
    restart=6,
    first=4,
    writing=0.05,
    reading=0.02,
    forgets=0,
)
FROM_ZERO = replace(OURS, blocks=False)
# What the market alone would do: no attempt is one on demand.
ON_SPOT = replace(OURS, spot_attempts=1000)
# A machine is lost after 30 s, and another is there 10 s later.
BLIP = Trace("blip", 10, (1, 1, 1, 0, *[1] * 100))


def result(trace, platform, policy=BLOCKS, training=SHORT) -> Result:
    outcomes = [replay(trace, training, platform, 0)]
    return Result(trace.name, policy, outcomes, replay_undisturbed(training, platform).bought, spot=0.3, on_demand=1)


def test_where_nothing_is_lost_nothing_is_wasted_and_the_costs_are_as_the_prices() -> None:
    on_demand = result(ALWAYS, replace(OURS, spot_attempts=0))
    calm, blip = result(Trace("calm", 30, (2, 2)), OURS), result(BLIP, OURS)
    assert (calm.completed, calm.waste, calm.worst_loss) == (1, 0, None)
    assert calm.relative_cost(on_demand) == pytest.approx(30)
    assert (calm.share_on_demand, on_demand.share_on_demand) == (0, 100)
    assert (blip.waste or 0) > 1
    assert (blip.relative_cost(on_demand) or 0) > 31


def test_a_loss_in_mid_training_costs_at_most_a_block_with_blocks_and_everything_without() -> None:
    (ours,), (theirs,) = result(BLIP, OURS).outcomes, result(BLIP, FROM_ZERO).outcomes
    assert 0 < ours.lost[0] <= 2.5 + OURS.writing
    assert theirs.lost == [30 - OURS.first], "all that was trained"
    assert ours.completed
    assert theirs.completed
    assert ours.retries == theirs.retries == 1


def test_a_run_buys_its_work_its_starts_and_its_losses_and_no_more() -> None:
    (theirs,) = result(BLIP, FROM_ZERO).outcomes
    assert theirs.bought == 30 + FROM_ZERO.restart + 40
    (ours,) = result(BLIP, OURS).outcomes
    extra = ours.bought - replay_undisturbed(SHORT, OURS).bought
    assert ours.lost[0] + OURS.restart < extra < ours.lost[0] + OURS.restart + 0.02 * 40, "and reading the blocks"
    assert ours.bought_on_demand == theirs.bought_on_demand == 0


def test_a_step_that_gets_a_notice_commits_its_block_and_ends() -> None:
    outcome = replay(BLIP, SHORT, replace(OURS, notice=10), 0)
    assert outcome.lost == [0]
    assert outcome.completed
    (from_zero,) = replay(BLIP, SHORT, replace(FROM_ZERO, notice=10), 0).lost
    assert from_zero == 30 - 10 - OURS.first, "nothing holds the notice back, and nothing is kept"


def test_a_notice_that_is_shorter_than_a_tree_does_not_save_it() -> None:
    slow = Training(work=40, tree=20)
    (outcome,) = result(BLIP, replace(OURS, notice=2), training=slow).outcomes
    assert outcome.lost[0] == pytest.approx(30 - 4 - 20 - OURS.writing - OURS.reading)
    assert outcome.down == [11 + 6], "found out as one without notice"
    assert result(BLIP, replace(OURS, notice=20), training=slow).outcomes[0].lost == [0]


def test_training_continues_once_the_loss_is_noticed_a_machine_is_found_and_the_pod_has_started() -> None:
    assert replay(BLIP, SHORT, OURS, 0).down == [11 + 6]
    assert replay(BLIP, SHORT, replace(OURS, notice=10), 0).down == [10 + 10 + 6], "it waits for the next machine"
    there = Trace("there", 10, (2, 2, 2, 1, *[1] * 100))
    outcome = next(run for at in range(100) if (run := replay(there, SHORT, replace(OURS, notice=10), at * 1e-6)).down)
    assert 6 < outcome.down[0] <= 2.5 + OURS.writing + 6, "its own block is all that it waits for"
    drought = Trace("drought", 10, (1, 1, 1, *[0] * 20, *[1] * 100))
    assert replay(drought, SHORT, OURS, 0).down == [200 + 6]


def test_a_machine_lost_before_its_worker_holds_a_lease_is_given_up_by_kubernetes_and_costs_no_retry() -> None:
    early = Trace("early", 3, (1, 0, *[1] * 100))
    outcome = replay(early, SHORT, replace(OURS, retries=0), 0)
    assert (outcome.completed, outcome.retries, outcome.lost) == (True, 1, [0])
    assert 60 + 6 <= outcome.down[0] <= 60 + DAEMON_SECONDS + 15 + 6, (
        "of the budget nothing is left: the sensor retries it"
    )
    assert not replay(BLIP, SHORT, replace(OURS, retries=0), 0).completed


def test_a_run_without_a_machine_waits_fails_and_is_retried_whatever_its_budget() -> None:
    later = Trace("later", 100, (*[0] * 20, *[1] * 100))
    outcome = replay(later, SHORT, OURS, 0)
    assert (outcome.completed, outcome.unstarted, outcome.retries) == (True, 3, 3)
    assert (outcome.lost, outcome.down, outcome.bought_on_demand) == ([], [], 0)
    assert outcome.bought == replay_undisturbed(SHORT, OURS).bought
    assert replay(later, SHORT, replace(OURS, retries=0), 0).completed
    assert replay(later, SHORT, replace(OURS, retries=0, start_timeout=2000), 0).unstarted == 0


def test_attempts_from_spot_attempts_on_are_on_demand_and_those_that_never_began_count_among_them() -> None:
    assert [is_bound_to_spot(number, 4) for number in (0, 3, 4, 20)] == [True, True, False, False]
    outcome = replay(Trace("nothing", 100, (0,)), SHORT, OURS, 0)
    assert (outcome.completed, outcome.unstarted, outcome.retries) == (True, 4, 4)
    assert 0 < outcome.bought - replay_undisturbed(SHORT, OURS).bought <= 2, "the back-off of the fifth attempt"
    assert outcome.bought_on_demand == outcome.bought
    stormy = replay(Trace("storm", 10, (1, 1, 0)), Training(7200, 0.5), FROM_ZERO, 0)
    assert (stormy.completed, stormy.retries, len(stormy.lost)) == (True, 4, 4)
    assert 7200 < stormy.bought_on_demand < stormy.bought


def test_a_run_that_loses_every_machine_ends_without_one_and_all_that_it_bought_is_waste() -> None:
    storm = Trace("storm", 10, (1, 1, 0))
    outcome = result(storm, replace(ON_SPOT, blocks=False, retries=5), ZERO)
    assert (outcome.completed, outcome.outcomes[0].retries, len(outcome.outcomes[0].lost)) == (0, 5, 6)
    assert outcome.waste == 100
    assert outcome.relative_cost(result(ALWAYS, OURS)) is None
    assert replay(storm, SHORT, replace(ON_SPOT, retries=5), 0).completed, "with blocks it gets on by what each leaves"


def test_a_later_attempt_waits_on_its_machine_as_a_worker_does() -> None:
    storm = Trace("storm", 100, (1, 0))
    held = [replay(storm, Training(500, 0.5), ON_SPOT, moment * 1e-6).bought for moment in range(5)]
    assert len(set(held)) == 5, "a random part of it"


def test_a_retry_that_the_daemon_forgets_is_made_by_the_sensor_and_once() -> None:
    kept, forgotten = (replay(BLIP, SHORT, replace(OURS, forgets=share), 0) for share in (0, 1))
    assert DAEMON_SECONDS < forgotten.down[0] - kept.down[0] <= DAEMON_SECONDS + 15
    assert kept.retries == forgotten.retries == 1
    group = [Attempt("0", "0", ended=True, failed=100.0, began=True)]
    assert find_retry_time(group, retries=1, forgets=False) == 100
    assert find_retry_time(group, retries=1, forgets=True) == 135, "the first tick behind the sensor's patience"
    assert find_retry_time(group, retries=0, forgets=True) is None
    never_began = [replace(group[0], began=False)]
    assert find_retry_time(never_began, retries=1, forgets=False) == 100
    assert find_retry_time(never_began, retries=0, forgets=False) == 135, "Dagster counts it, and the sensor does not"


def test_of_several_machines_a_run_loses_its_own_as_often_as_chance_says() -> None:
    quarter = Trace("quarter", 10, (4, 4, 3, *[4] * 1000))
    lost = sum(bool(replay(quarter, SHORT, OURS, moment * 1e-6).lost) for moment in range(200))
    assert 30 < lost < 70
    assert all(replay(BLIP, SHORT, OURS, moment * 1e-6).lost for moment in range(5))


def test_runs_start_by_the_refresh_schedule_or_by_the_hour() -> None:
    days = [second / 86400 for second in find_request_times(weeks=4, every=None)]
    assert days == [0, 10, 20]
    first, second = find_request_times(weeks=1, every=84, seed=1)
    assert 0 < first < 84 * 3600 < second < 2 * 84 * 3600
    assert (
        [first, second]
        == list(find_request_times(weeks=1, every=84, seed=1))
        != list(find_request_times(weeks=1, every=84, seed=2))
    )


def test_a_sigterm_that_is_not_of_the_simulation_ends_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="SIGTERM"), Machine(lost_at=9).stop_at_notice():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def trace_file(folder, name, machines) -> str:
    path = folder / f"{name}.json"
    path.write_text(f'{{"metadata": {{"gap_seconds": 10}}, "data": {list(machines)}}}')
    return str(path)


PRICES = ["--on-demand", "1", "--spot", "0.3", "--weeks", "1", "--every", "24", "--work", "40"]


def test_a_market_without_machines_is_trained_for_on_demand(tmp_path, capsys) -> None:
    nothing, blip = trace_file(tmp_path, "nothing", [0, 0]), trace_file(tmp_path, "blip", BLIP.machines)
    assert main([nothing, blip, *PRICES]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^nothing, blocks +7 +7 +28 +28 +0 +\d+\.\d\d +100 ", out, re.MULTILINE), "nothing lost"
    assert "met     1 of the runs completed with blocks" in out
    assert "NOTHING COMPLETED" not in out


def test_a_market_on_which_no_run_is_completed_is_an_error(tmp_path, capsys) -> None:
    storm, calm = trace_file(tmp_path, "storm", [1, 1, 0]), trace_file(tmp_path, "calm", [1, 1])
    picture = tmp_path / "plot.png"
    never = ["--work", "600", "--retries", "0", "--plot", str(picture)]
    assert main([storm, calm, *PRICES, *never]) == 1
    out, err = capsys.readouterr()
    assert "no run was completed with blocks on storm" in err
    assert "NOTHING COMPLETED: storm, blocks" in out
    assert "NOTHING COMPLETED: calm" not in out
    assert re.search(r"^storm, blocks +7 +0 ", out, re.MULTILINE)
    assert "MISSED  0.5 of the runs completed with blocks" in out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main([storm, *PRICES]) == 0
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

    (table, picture), (other_table, other_picture) = printed("1"), printed("2")
    assert printed("1") == (table, picture)
    assert table != other_table
    assert picture != other_picture


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


def test_defaults_are_the_values_of_the_chart() -> None:
    given = make_parser().parse_args(["trace.json", "--on-demand", "1", "--spot", "1"])
    daemon = yaml.safe_load(CHART.read_text())["dagsterDaemon"]
    retries, watch = daemon["runRetries"], daemon["runMonitoring"]
    assert (given.retries, given.spot_attempts) == (retries["maxRetries"], retries["spotAttempts"])
    assert given.start_timeout == watch["startTimeoutSeconds"]
    assert given.noticed == watch["unreachableSeconds"] + watch["pollIntervalSeconds"]
    assert make_parser().parse_args(["trace.json", "--on-demand", "1", "--spot", "1", "--noticed", "7"]).noticed == 7
