"""Verdicts: the outcomes of checks, and the one way by which a step publishes its output.

A step checks what it made before it commits. If a blocking check fails, the verdicts are logged, nothing is committed
or materialized, and the step fails: the artifact before stays the latest, and the steps behind do not run. A check that
does not block is shown in the UI, and everything goes on.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from resources.store.checkpoints import Artifact, Draft


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        check: its name.
        passed: whether it passed.
        message: a sentence that names the column and what was expected; it never shows a row.
        facts: counts and figures, as metadata.
        blocking: whether a failure stops the step; the check is declared likewise (`declare_checks`).
        severity: how the UI shows a failure.
    """

    check: str
    passed: bool
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    blocking: bool = True
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR


def declare_checks(asset: str, descriptions: Mapping[str, str], *, blocking: bool = True) -> list[dg.AssetCheckSpec]:
    """The checks of an asset as Dagster knows them.

    Args:
        asset: the asset that they are about.
        descriptions: what each check holds, by its name.
        blocking: whether a failure stops the steps behind.
    """
    return [
        dg.AssetCheckSpec(name=name, asset=asset, description=description, blocking=blocking)
        for name, description in descriptions.items()
    ]


def commit_if_passed(
    asset: str, artifact: Artifact | Draft, verdicts: Sequence[Verdict]
) -> Generator[dg.AssetCheckResult, None, Artifact]:
    """Commits the artifact, or logs the verdicts and stops the step before anything of it is committed.

    Returns:
        The committed artifact, not materialized yet.

    Raises:
        dagster.Failure: a blocking check failed; a retry would find the same, so it asks for none.
    """
    failed = [each for each in verdicts if each.blocking and not each.passed]
    if failed:
        yield from report_checks(asset, verdicts)
        raise dg.Failure(
            description=f"{asset} was not committed: " + "; ".join(f"{each.check}: {each.message}" for each in failed),
            allow_retries=False,
        )
    return artifact.commit()


def materialize(
    asset: str, artifact: Artifact, metadata: Mapping[str, Any], verdicts: Sequence[Verdict]
) -> dg.MaterializeResult:
    """A committed artifact as Dagster logs it, with its verdicts and its digest as the data version."""
    return dg.MaterializeResult(
        asset_key=asset,
        value=artifact,
        metadata=metadata,
        check_results=report_checks(asset, verdicts),
        data_version=dg.DataVersion(artifact.sha256),
    )


def publish(
    asset: str, artifact: Artifact | Draft, metadata: Mapping[str, Any], verdicts: Sequence[Verdict]
) -> Generator[Any, None, None]:
    """Commits and materializes the one artifact of a step; raises as `commit_if_passed`."""
    committed = yield from commit_if_passed(asset, artifact, verdicts)
    yield materialize(asset, committed, metadata, verdicts)


def report_checks(asset: str, verdicts: Sequence[Verdict]) -> list[dg.AssetCheckResult]:
    """The verdicts as Dagster logs them."""
    return [
        dg.AssetCheckResult(
            asset_key=asset,
            check_name=each.check,
            passed=each.passed,
            severity=each.severity,
            description=each.message,
            metadata=each.facts,
        )
        for each in verdicts
    ]
