"""No schedule asks for runs beside a drill's, and every schedule that was running is running again after it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from resources.services.webserver import Webserver, WebserverError
from tests.drills.support.schedules import stop_schedules


@dataclass(frozen=True)
class Release(Webserver):
    """A webserver that keeps the status of each schedule; it refuses to change those of `stubborn`."""

    url: str = "http://nowhere"
    statuses: dict[str, str] = field(default_factory=dict)
    stubborn: Sequence[str] = ()

    def wait_for_location(self, patience: float, image: str | None = None) -> str:
        return "credit"

    def query(self, operation: str, **variables: Any) -> dict[str, Any]:
        if "schedulesOrError" in operation:
            states = [
                {"name": name, "scheduleState": {"id": name, "status": status}}
                for name, status in self.statuses.items()
            ]
            return {"schedulesOrError": {"__typename": "Schedules", "results": states}}
        stops = "stopRunningSchedule" in operation
        name = variables["id"] if stops else variables["selector"]["scheduleName"]
        if name in self.stubborn:
            answer: dict[str, Any] = {"__typename": "PythonError", "message": "the code server is away"}
        else:
            self.statuses[name] = "STOPPED" if stops else "RUNNING"
            answer = {"__typename": "ScheduleStateResult", "scheduleState": {"status": self.statuses[name]}}
        return {"stopRunningSchedule" if stops else "startSchedule": answer}


def test_schedules_are_stopped_during_drills_and_only_those_that_were_running_are_started_again() -> None:
    release = Release(statuses={"waves": "RUNNING", "prices": "RUNNING", "refresh": "STOPPED"})
    with stop_schedules(release) as stopped:
        assert stopped == ["waves", "prices"]
        assert release.statuses == {"waves": "STOPPED", "prices": "STOPPED", "refresh": "STOPPED"}
    assert release.statuses == {"waves": "RUNNING", "prices": "RUNNING", "refresh": "STOPPED"}


def test_schedules_are_started_again_after_a_drill_that_fails() -> None:
    release = Release(statuses={"waves": "RUNNING"})
    with pytest.raises(ZeroDivisionError), stop_schedules(release):
        raise ZeroDivisionError
    assert release.statuses == {"waves": "RUNNING"}


def test_a_schedule_that_is_not_started_again_is_an_error_with_its_name_and_the_others_run_again() -> None:
    refused: list[str] = []
    release = Release(statuses={"waves": "RUNNING", "prices": "RUNNING", "refresh": "RUNNING"}, stubborn=refused)
    expected = "did not set schedule prices to RUNNING: the code server is away"
    with pytest.raises(WebserverError, match=expected), stop_schedules(release):
        refused.append("prices")
    assert release.statuses == {"waves": "RUNNING", "prices": "STOPPED", "refresh": "RUNNING"}


def test_a_schedule_that_is_not_stopped_is_an_error_with_its_name_and_the_others_run_again() -> None:
    release = Release(statuses={"waves": "RUNNING", "prices": "RUNNING"}, stubborn=("prices",))
    expected = "did not set schedule prices to STOPPED: the code server is away"
    with pytest.raises(WebserverError, match=expected), stop_schedules(release):
        pytest.fail("the drill began")
    assert release.statuses == {"waves": "RUNNING", "prices": "RUNNING"}
