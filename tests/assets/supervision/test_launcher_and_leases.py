"""The launcher on the real table of leases: a made-up table could hide a lease that nobody can revoke."""

import psycopg2
import pytest

from resources.history.tags import LOST_AT
from resources.launching.kubernetes_jobs import NoAnswer
from resources.supervision.lease import Lease
from resources.supervision.lease_table import Leases, name_run_lease
from tests.assets.supervision.leases import find
from tests.support.launching import Launching, launching


@pytest.fixture
def built(tmp_path, database) -> Launching:
    return launching(tmp_path, Leases(database.dsn))


def test_a_worker_that_falls_silent_loses_its_lease_and_those_of_its_steps(built, database) -> None:
    run = built.instance.add()
    worker, step = (Lease(database.dsn, name_run_lease(run.run_id, name), "pod", 8) for name in (None, "training"))
    assert worker.take()
    assert step.take()
    assert built.check_every_3_seconds(run, 6) == ["RUNNING"] * 3
    assert worker.renew()
    assert built.check_every_3_seconds(run, 6) == ["RUNNING"] * 3
    deadline = find(Leases(database.dsn), worker.name)
    assert built.check(run) == "UNKNOWN"
    assert not worker.renew()
    assert not step.renew(), "the pod of a step would compute beside the retry"
    assert float(built.tags(run)[LOST_AT]) == pytest.approx(deadline.timestamp() - 8, abs=0.1)
    assert built.check(run) == "UNKNOWN", "the next launcher goes on where this one died"


def test_a_worker_that_ended_without_being_asked_to_leaves_no_lease_and_its_job_decides(built, database) -> None:
    run = built.instance.add()
    worker = Lease(database.dsn, name_run_lease(run.run_id), "pod", 8)
    assert worker.take()
    assert built.launcher.has_begun(run)
    worker.end()
    assert not built.launcher.has_begun(run)
    assert built.check(run) == "RUNNING", "its pod has not ended yet"


def test_a_database_that_does_not_answer_is_no_verdict(tmp_path) -> None:
    built = launching(tmp_path, Leases("host=127.0.0.1 port=1"))
    run = built.instance.add()
    with pytest.raises(NoAnswer, match="the leases can't be read") as raised:
        built.check(run)
    assert not isinstance(raised.value, psycopg2.Error)
    assert not built.deeds
