"""A check that failed and only warns must be told to whoever ran `make run`: the exit code says that all is well."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from credit_assets.commands.one_machine.outcome import describe_warnings
from credit_assets.promoted_model import CHECK

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def run_with_check(name: str, passed: bool, severity: dg.AssetCheckSeverity) -> dg.ExecuteInProcessResult:
    @dg.asset(key="benchmark", check_specs=[dg.AssetCheckSpec(name, asset="benchmark")])
    def benchmark() -> Iterator[Any]:
        result = dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, description="0.6 is too low")
        yield dg.MaterializeResult(check_results=[result])

    return dg.materialize([benchmark])


def test_a_failed_check_that_warns_is_one_line_with_its_name_its_asset_and_what_it_found() -> None:
    assert describe_warnings(run_with_check("model_keeps_up", passed=False, severity=WARN)) == [
        "Warning: the check model_keeps_up of benchmark failed: 0.6 is too low"
    ]


@pytest.mark.parametrize(
    ("name", "passed", "severity"),
    [("model_keeps_up", True, WARN), ("ranges", False, ERROR), (CHECK, False, WARN)],
    ids=["it passed", "an error is printed as such", "the line about the promotion says it"],
)
def test_other_checks_print_no_warning(name: str, passed: bool, severity: dg.AssetCheckSeverity) -> None:
    assert describe_warnings(run_with_check(name, passed, severity)) == []
