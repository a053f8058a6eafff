"""A check that only runs on the author's machine is one that a pull request can break."""

import re
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[3]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def steps() -> list[dict[str, Any]]:
    return [
        step
        for workflow in WORKFLOWS
        for job in yaml.safe_load(workflow.read_text())["jobs"].values()
        for step in job["steps"]
    ]


def test_every_pull_request_is_checked_tested_and_its_chart_is_rendered() -> None:
    commands = {step["run"] for step in steps() if "run" in step}
    assert {"make check", "make chart", "make test", "make run"} <= commands


def test_every_target_that_it_calls_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    called = {target for step in steps() for target in re.findall(r"\bmake (\w+)", step.get("run", ""))}
    assert called
    assert called <= targets


def test_every_action_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), f"{action}: a tag can be moved to other code"
