"""What tests assert about the event log of one run, and about the errors that a command printed."""

import re
from dataclasses import dataclass

import dagster as dg

STEPS = {
    "loan_dataset": ["loan_dataset"],
    "training": ["test_split", "trained_model"],
    "model_metrics": ["model_metrics"],
    "promoted_model": ["promoted_model"],
    "benchmark": ["benchmark"],
}


@dataclass(frozen=True)
class RunLog:
    """The event log of one run."""

    entries: list[dg.EventLogEntry]

    def events(self, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
        return [event for each in self.entries if (event := each.dagster_event) and event.event_type is kind]

    def assert_stopped_at(self, blocked: str) -> None:
        """This step failed, those after it were left out, and nothing of them was materialized."""
        position = list(STEPS).index(blocked)
        started, left_out = list(STEPS)[: position + 1], list(STEPS)[position + 1 :]
        assert [event.step_key for event in self.events(dg.DagsterEventType.STEP_START)] == started
        assert [event.step_key for event in self.events(dg.DagsterEventType.STEP_FAILURE)] == [blocked]
        assert [each.step_key for each in self.entries if each.user_message.endswith("Not executing.")] == left_out
        materialized = {event.asset_key for event in self.events(dg.DagsterEventType.ASSET_MATERIALIZATION)}
        assert materialized.isdisjoint(dg.AssetKey(STEPS[step][-1]) for step in [blocked, *left_out])

    def failed_checks(self) -> dict[str, str]:
        """Name and description of the checks that failed; all of those are blocking ones."""
        failed = [
            evaluation
            for event in self.events(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
            if not (evaluation := event.asset_check_evaluation_data).passed
        ]
        assert all(each.blocking for each in failed)
        return {each.check_name: str(each.description) for each in failed}


def assert_one_error(printed: str, *expected: str) -> None:
    """One error was printed, in one line, the last one, with all of these words in it, and no traceback."""
    assert "Traceback" not in printed
    (error,) = re.findall(r"^error: (.*)$", printed, re.MULTILINE)
    assert printed.splitlines()[-1] == f"error: {error}", printed
    for words in expected:
        assert words in error
