"""Verdicts: the outcome of a check, and the one way from there to Dagster.

A step audits what it made before it commits. If a blocking check fails, the verdicts are logged, nothing is committed
or materialized, and the step fails: what came before stays the latest, and what comes after does not run.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from resources.checkpoints import Artifact, Draft


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


def publish(
    asset: str,
    artifact: Artifact | Draft,
    metadata: Mapping[str, Any],
    verdicts: Sequence[Verdict],
) -> Generator[Any, None, Artifact]:
    """Logs the verdicts and commits the artifact, or stops the step before anything is committed.

    Returns:
        The committed artifact.

    Raises:
        dagster.Failure: a check failed; a retry would find the same, so it asks for none.
    """
    results = [
        dg.AssetCheckResult(
            asset_key=asset, check_name=each.check, passed=each.passed, description=each.message, metadata=each.facts
        )
        for each in verdicts
    ]
    failed = [each for each in verdicts if not each.passed]
    if failed:
        yield from results
        raise dg.Failure(
            description=f"{asset} was not committed: " + "; ".join(f"{each.check}: {each.message}" for each in failed),
            allow_retries=False,
        )
    committed = artifact.commit()
    yield dg.MaterializeResult(
        asset_key=asset,
        value=committed,
        metadata=metadata,
        check_results=results,
        data_version=dg.DataVersion(committed.sha256),
    )
    return committed
