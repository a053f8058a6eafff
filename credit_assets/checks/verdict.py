"""Verdicts: the outcome of a check, and the one way from there to Dagster.

A step audits what it made before it commits. If a blocking check fails, the verdicts are logged, nothing is committed
or materialized, and the step fails: what came before stays the latest, and what comes after does not run.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from resources.store.checkpoints import Artifact, Draft


@dataclass(frozen=True)
class Verdict:
    """One check's outcome: a sentence that names the column and what was expected, and counts; never a row."""

    check: str
    passed: bool
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def specs(asset: str, checks: Mapping[str, str]) -> list[dg.AssetCheckSpec]:
    """Blocking checks of an asset, from name and description."""
    return [
        dg.AssetCheckSpec(name=name, asset=asset, description=description, blocking=True)
        for name, description in checks.items()
    ]


def commit_if_passed(
    asset: str, artifact: Artifact | Draft, verdicts: Sequence[Verdict]
) -> Generator[dg.AssetCheckResult, None, Artifact]:
    """Commits the artifact, or logs the verdicts and stops the step before anything of it is committed.

    Returns:
        The committed artifact, not materialized yet.

    Raises:
        dagster.Failure: a check failed; a retry would find the same, so it asks for none.
    """
    failed = [each for each in verdicts if not each.passed]
    if failed:
        yield from _results(asset, verdicts)
        raise dg.Failure(
            description=f"{asset} was not committed: " + "; ".join(f"{each.check}: {each.message}" for each in failed),
            allow_retries=False,
        )
    return artifact.commit()


def materialized(
    asset: str, artifact: Artifact, metadata: Mapping[str, Any], verdicts: Sequence[Verdict]
) -> dg.MaterializeResult:
    """A committed artifact as Dagster hears of it, with its verdicts and its digest as the data version."""
    return dg.MaterializeResult(
        asset_key=asset,
        value=artifact,
        metadata=metadata,
        check_results=_results(asset, verdicts),
        data_version=dg.DataVersion(artifact.sha256),
    )


def publish(
    asset: str, artifact: Artifact | Draft, metadata: Mapping[str, Any], verdicts: Sequence[Verdict]
) -> Generator[Any, None, None]:
    """Commits and materializes the one artifact of a step; raises as `commit_if_passed`."""
    committed = yield from commit_if_passed(asset, artifact, verdicts)
    yield materialized(asset, committed, metadata, verdicts)


def _results(asset: str, verdicts: Sequence[Verdict]) -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(
            asset_key=asset, check_name=each.check, passed=each.passed, description=each.message, metadata=each.facts
        )
        for each in verdicts
    ]
