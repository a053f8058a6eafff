"""A limit that docs state and the code no longer has sends whoever is on call the wrong way."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from credit_assets.checks.loan_dataset.leakage import FEWEST
from credit_assets.measurement.scores import THRESHOLD
from credit_assets.model.pipeline import TrainingConfig
from credit_assets.settings.limits import Limits
from resources.history.retry_rule import DAEMON_SECONDS
from resources.store.blocks.pace import NOTICE_SECONDS
from resources.store.blocks.series import Blocks
from resources.store.object_store import ONE_REQUEST
from resources.supervision.worker import LONGEST_DELAY, RETRIES_WITHOUT_DELAY
from sensors import lost_retries
from sensors.schedules.refresh_schedule import INTERVAL
from tests.support.pages import ROOT, code_blocks

DOCS = ROOT / "docs"
LIMITS = Limits()
CHART: dict[str, Any] = yaml.safe_load((ROOT / "helm" / "credit-platform" / "values.yaml").read_text())
LOCAL: dict[str, Any] = yaml.safe_load((ROOT / "local" / "dagster.yaml").read_text())
BLOCKS: dict[str, Any] = {each.name: each.default for each in fields(Blocks)}
DAEMON, MONITORING = CHART["dagsterDaemon"], CHART["dagsterDaemon"]["runMonitoring"]
RETRIES = DAEMON["runRetries"]
# Where it is stated, the words around the figure, and what the code has.
STATED = [
    ("recovery.md", r"its last block, ([\d.]+) s", BLOCKS["max_seconds"]),
    ("architecture.md", r"at most ([\d.]+) s of work", BLOCKS["max_seconds"]),
    ("decisions/recovery/0012-a-forest-in-blocks.md", r"at most ([\d.]+) s of work", BLOCKS["max_seconds"]),
    ("decisions/recovery/0012-a-forest-in-blocks.md", r"costs under (\d+) %", BLOCKS["max_share"] * 100),
    (
        "decisions/recovery/0012-a-forest-in-blocks.md",
        r"after ([\d.]+) s of work for each core",
        NOTICE_SECONDS,
    ),
    ("recovery.md", r"works at most ([\d.]+) s per core", NOTICE_SECONDS),
    ("recovery.md", r"not renewed for (\d+) s", MONITORING["leaseSeconds"]),
    ("recovery.md", r"restarts its (\d+)-second count", MONITORING["leaseSeconds"]),
    ("decisions/recovery/0015-a-worker-holds-a-lease.md", r"no renewal for (\d+) s", MONITORING["leaseSeconds"]),
    ("recovery.md", r"if it can't reach the holder either, for (\d+) s", MONITORING["unreachableSeconds"]),
    ("recovery.md", r"It leads after (\d+) s", DAEMON["leaseSeconds"]),
    ("recovery.md", r"`maxRetries`: (\d+)", RETRIES["maxRetries"]),
    ("recovery.md", r"`crashRetries`: (\d+)", RETRIES["crashRetries"]),
    ("recovery.md", r"It waits (\d+) s before it retries", DAEMON_SECONDS),
    ("decisions/recovery/0013-no-answer-is-not-a-death.md", r"sensor waits (\d+) s before", DAEMON_SECONDS),
    ("recovery.md", r"`lost_retries` looks every (\d+) s", lost_retries.lost_retries.minimum_interval_seconds),
    ("recovery.md", r"and so on up to (\d+) s", LONGEST_DELAY),
    ("kubernetes/spot-traces.md", r"machine for (\d+) s", MONITORING["startTimeoutSeconds"]),
    ("decisions/store/0002-object-store.md", r"Objects up to (\d+) MiB", ONE_REQUEST / 2**20),
    ("your-table/missing.md", r"`maximum_missing_share` \(default ([\d.]+)\)", LIMITS.maximum_missing_share),
    ("your-table/missing.md", r"`maximum_missing_drift` \(default ([\d.]+),", LIMITS.maximum_missing_drift),
    ("your-table/missing.md", r"at least (\d+) loans of each class", FEWEST),
    ("your-table/README.md", r"the threshold of ([\d.]+)", THRESHOLD),
    ("../README.md", r"every (\d+) days", INTERVAL.days),
]


@pytest.mark.parametrize(("page", "words", "value"), STATED)
def test_a_figure_in_a_page_is_that_of_the_code(page: str, words: str, value: float) -> None:
    found = re.search(words, " ".join((DOCS / page).read_text().split()))
    assert found, f"{page} no longer says {words!r}: state the figure, or take this row out"
    assert float(found[1]) == pytest.approx(float(value)), f"{page} says {found[0]!r}, and the code has {value}"


def test_figures_in_words_are_those_of_the_code() -> None:
    numbers = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
    recovery, ordinals = (DOCS / "recovery.md").read_text(), ("first", "second", "third", "fourth", "fifth", "sixth")
    assert f"From the {ordinals[RETRIES['spotAttempts']]} attempt on (`spotAttempts`)" in recovery
    assert f"From the {ordinals[RETRIES_WITHOUT_DELAY + 1]} attempt on, a worker also waits" in recovery
    assert f"`make ui` retries up to {numbers[LOCAL['run_retries']['max_retries']]} times" in recovery
    pages = [each for each in (DOCS / "runbooks").glob("*.md") if "# Restore" not in each.read_text()]
    alerts = re.findall(r"- alert: (\w+)", rule("daemon/prometheusrule.yaml"))
    assert f"**Alerts**: {numbers[len(alerts)]}" in recovery
    assert {each.read_text().splitlines()[0][2:].partition(":")[0] for each in pages} >= set(alerts)
    every = re.fullmatch(r"\d+ \*/(\d+) \* \* \*", CHART["postgresql"]["backup"]["schedule"])
    assert every
    assert f"every {numbers[int(every[1])]} hours" in (DOCS / "kubernetes" / "operate.md").read_text()


def rule(name: str) -> str:
    """The text of a template of the chart."""
    return (ROOT / "helm" / "credit-platform" / "templates" / name).read_text()


def test_the_bounds_of_the_training_are_those_that_the_page_states() -> None:
    (shown,) = (code for code in code_blocks(DOCS / "your-table" / "README.md", "yaml") if "n_estimators" in code)
    defaults = TrainingConfig()
    for name, field in TrainingConfig.model_fields.items():
        line = next(each for each in shown.splitlines() if each.strip().startswith(name))
        assert f"default {getattr(defaults, name)}" in line
        bounds = {
            bound: limit for each in field.metadata for bound in ("ge", "le") if (limit := getattr(each, bound, None))
        }
        if stated := re.search(r"([\d,]+) to ([\d,]+)", line):
            assert [int(each.replace(",", "")) for each in stated.groups()] == [bounds["ge"], bounds["le"]]


def test_the_readme_has_the_figures_of_the_drills() -> None:
    measured = (DOCS / "kubernetes" / "drills.md").read_text()
    readme = (ROOT / "README.md").read_text()

    def row(text: str, begins: str) -> str:
        return next(line for line in text.splitlines() if line.startswith(f"| {begins}"))

    power, notice = (
        row(measured, "power loss of the worker's node, five"),
        row(measured, "node taken away with 30 s notice"),
    )
    again, worst = re.findall(r"[\d.]+", power.split("|")[3])
    assert f"| {again}; {worst} |" in row(readme, "Seconds from power loss")
    again, worst = re.findall(r"[\d.]+", notice.split("|")[3])
    assert f"| {again}; {worst} |" in row(readme, "Seconds from a node taken away").replace("**", "")
    lost = max(float(each) for line in (power, notice) for each in re.findall(r"[\d.]+", line.split("|")[4]))
    # A figure that misses its goal is bold.
    assert f"| {lost} |" in row(readme, "Seconds of the step's work lost").replace("**", "")


def test_the_most_work_that_a_drill_lost_is_what_each_page_says() -> None:
    table = (DOCS / "kubernetes" / "drills.md").read_text().partition("| work lost |")[2].partition("\n\n")[0]
    lost = [float(each) for line in table.splitlines()[2:] for each in re.findall(r"[\d.]+", line.split("|")[4])]
    assert len(lost) > 30
    said = {page.name: re.findall(r"lost ([\d.]+) s at worst", page.read_text()) for page in DOCS.rglob("*.md")}
    said = {name: figures for name, figures in said.items() if figures}
    assert said == {"architecture.md": [str(max(lost))], "recovery.md": [str(max(lost))]}


def test_the_sweep_has_as_many_cases_as_the_readme_says() -> None:
    assert re.search(r"SWEEP_CASES=\$\(or \$\(CASES\),200\)", (ROOT / "Makefile").read_text())
    assert "200 seeded" in (ROOT / "README.md").read_text()
    assert Path(DOCS / "recovery.md").read_text().count("200 seeded cases") == 1
