"""What a run in this process came to, as text for people.

Belongs here: sentences made from the events of a run. Does not belong here: the run itself (`run`).
"""

import sys
from collections.abc import Sequence

import dagster as dg

from credit_assets.benchmark.benchmark import BENCHMARK
from credit_assets.promoted_model import CHECK
from credit_assets.promotion.table_pointer import POINTER
from credit_assets.tables.rules import count_of
from credit_assets.waves.plans.making import WAVE
from resources.error_texts import is_from_us, remove_class_name


def print_failures(result: dg.ExecuteInProcessResult) -> None:
    """Prints why a run failed, one line for each reason."""
    for reason in failure_reasons(result.all_events):
        print(f"error: {reason}", file=sys.stderr)


def failure_reasons(events: Sequence[dg.DagsterEvent]) -> list[str]:
    """Why a run failed: the innermost message of each failed step, or of what kept the run from starting."""
    steps, run = (
        [event for event in events if event.event_type is kind]
        for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE)
    )
    reasons = []
    for event in steps or run:
        error = getattr(event.event_specific_data, "error", None)
        user_failure = getattr(event.event_specific_data, "user_failure_data", None)
        while error is not None and error.cause is not None:
            error = error.cause
        message = getattr(user_failure, "description", None) or (error.message if error else event.message)
        message = (message or "no reason was given").strip()
        reason = remove_class_name(message) if is_from_us(message) else message
        reasons.append((f"{event.step_key}: " if event.step_key else "") + reason)
    return reasons


def is_interruption(event: dg.DagsterEvent) -> bool:
    """Whether the event says that somebody stopped the run, by Ctrl-C or SIGTERM."""
    error = getattr(event.event_specific_data, "error", None)
    return error is not None and error.cls_name == "DagsterExecutionInterruptedError"


def summary(result: dg.ExecuteInProcessResult) -> str:
    """The metrics for people, where each artifact lies with its digest, and which set is promoted."""
    reports = [result.output_for_node(name).value.text for name in ("model_metrics", BENCHMARK)]
    lines = [line for report in reports for line in (report.rstrip(), "")] + ["Artifacts"]
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        asset = event.materialization.asset_key.to_user_string()
        if asset == POINTER:
            continue
        lines += [f"  {asset:<14} sha256 {metadata['sha256'].value}", f"  {'':<14} {metadata['path'].value}"]
    return "\n".join([*lines, "", *describe_warnings(result), *describe_promotion(result)])


def describe_warnings(result: dg.ExecuteInProcessResult) -> list[str]:
    """A line for each check that failed and only warns: nothing else says so where the run ends well."""
    return [
        f"Warning: the check {each.check_name} of {each.asset_key.to_user_string()} failed: {each.description}"
        for each in result.get_asset_check_evaluations()
        # The line about the promotion says what its check says.
        if not each.passed and each.severity is dg.AssetCheckSeverity.WARN and each.check_name != CHECK
    ]


def describe_promotion(result: dg.ExecuteInProcessResult) -> list[str]:
    """The line that says which set is promoted; none if the run did not come so far."""
    checks = result.get_asset_check_evaluations()
    return [f"Promotion: {each.description}" for each in checks if each.check_name == CHECK]


def describe_wave_run(result: dg.ExecuteInProcessResult) -> str:
    """One line about a wave: how many locations and applications were scored, by which model, and how many failed."""
    waves = [
        event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.materialization.asset_key == dg.AssetKey(WAVE)
    ]
    if not waves:
        return "it did not end"
    (shown,) = waves
    scored, failed, applications = (int(str(shown[name].value)) for name in ("scored", "failed", "applications"))
    counts = f"{count_of(scored, 'location')} scored, {failed:,} failed, {count_of(applications, 'application')}"
    return f"{counts}, model of {shown['model'].value}"
