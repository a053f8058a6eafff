"""Provenance: from an artifact to the exact rows, code, parameters and machines that made it, and back.

Belongs here: what the manifests say. It is what the artifacts themselves recorded, never what runs now. Does not belong
here: lines for a terminal (`lineage`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from credit_assets.loans.census import summarize_census
from credit_assets.promotion.model_set import DATASET, MODEL, PARTS
from resources.history.tags import ROOT
from resources.store.artifacts import DISTRIBUTION, MANIFEST, ArtifactError, Committed, Manifest, find_artifact
from resources.store.object_store import ObjectStore


def describe_artifact(part: Committed) -> dict[str, Any]:
    """What made one artifact, as JSON: its digests, code, libraries, run, machine, and the facts of its producer."""
    manifest = part.manifest
    libraries = {name: version for name, version in manifest.versions.items() if name != DISTRIBUTION}
    return {
        "sha256": part.sha256,
        "place": part.place,
        "committed by run": manifest.run,
        "committed at": manifest.committed_at,
        "code version": str(manifest.identity["code"]),
        "platform version": manifest.versions.get(DISTRIBUTION, "unknown"),
        "libraries": libraries,
        **({"where": dict(manifest.where)} if manifest.where else {}),
        **{name: value for name, value in manifest.facts.items() if name != "schema"},
        # Thousands of digits, of which nobody reads one.
        **({"census": summarize_census(manifest.facts["census"])} if "census" in manifest.facts else {}),
        **({"seed": parameters["random_state"]} if (parameters := manifest.facts.get("parameters")) else {}),
    }


def describe_provenance(parts: Mapping[str, Committed]) -> dict[str, Any]:
    """What made a whole set, as JSON: the rows, the parameters and the seed first, then each part by its name."""
    dataset, parameters = parts[DATASET].manifest.facts, parts[MODEL].manifest.facts["parameters"]
    return {
        **{name: dataset[name] for name in ("rows", "as_of", "content_sha256")},
        "parameters": parameters,
        "seed": parameters["random_state"],
        "root run": parts[MODEL].manifest.root_run,
        **{name: describe_artifact(parts[name]) for name in PARTS},
    }


def list_artifacts(store: ObjectStore, report_unreadable: Callable[[str], None]) -> list[Committed]:
    """Every artifact of the store whose manifest can be read, the oldest first.

    Args:
        store: where they lie.
        report_unreadable: gets what is wrong with each manifest that can't be read.
    """
    found = []
    for key in store.list_keys():
        if key.endswith(f"/{MANIFEST}"):
            try:
                committed = find_artifact(store, key.removesuffix(f"/{MANIFEST}"))
            except ArtifactError as error:
                report_unreadable(str(error))
            else:
                found += [committed] if committed else []
    return sorted(found, key=lambda each: (each.manifest.committed_at, _order(each.manifest)))


def list_source_digests(part: Committed) -> set[str]:
    """SHA-256 of each artifact that this one was made from."""
    pinned = {**part.manifest.facts, **part.manifest.identity.get("inputs", {})}
    return {str(value) for name, value in pinned.items() if name.removesuffix("_sha256") in PARTS}


def link_sources(artifacts: Iterable[Committed]) -> dict[str, list[Committed]]:
    """By place: what each artifact was made from; of its own root run if that committed it, or else of any."""
    artifacts = list(artifacts)
    by_digest: dict[str, list[Committed]] = {}
    for part in artifacts:
        by_digest.setdefault(part.sha256, []).append(part)
    found: dict[str, list[Committed]] = {}
    for part in artifacts:
        found[part.place] = []
        for sha256 in list_source_digests(part):
            same = by_digest.get(sha256, [])
            own = [each for each in same if each.manifest.root_run == part.manifest.root_run]
            found[part.place] += own or same
    return found


def find_descendants(artifacts: Iterable[Committed], first: Callable[[Committed], bool]) -> list[Committed]:
    """The artifacts for which `first` holds, and everything made from them, directly or not, in the order given."""
    artifacts = list(artifacts)
    origins = link_sources(artifacts)
    chosen: set[str] = set()
    more = {part.place for part in artifacts if first(part)}
    while more:
        chosen |= more
        more = {place for place, parents in origins.items() if any(each.place in chosen for each in parents)} - chosen
    return [part for part in artifacts if part.place in chosen]


def find_ancestors(artifacts: Iterable[Committed], part: Committed) -> list[Committed]:
    """The artifact, and everything that it was made from, directly or not, in the order given."""
    artifacts = list(artifacts)
    origins = link_sources(artifacts)
    chosen, more = set(), {part.place}
    while more:
        chosen |= more
        more = {each.place for place in more for each in origins[place]} - chosen
    return [each for each in artifacts if each.place in chosen]


def describe_attempts(root: str, parts: Iterable[Committed], instance: dg.DagsterInstance | None) -> list[str]:
    """The runs of a root run: what each committed, and, from the event log, how and when it ended."""
    committed: dict[str, list[str]] = {}
    for part in parts:
        if part.manifest.root_run == root:
            committed.setdefault(part.manifest.run, []).append(part.manifest.asset)
    if instance is None:
        return [f"{run} committed {', '.join(assets)}" for run, assets in committed.items()] + [
            "attempts without a result are not shown, because DAGSTER_HOME is not set"
        ]
    records = [
        *instance.get_run_records(dg.RunsFilter(run_ids=[root])),
        *reversed(instance.get_run_records(dg.RunsFilter(tags={ROOT: root}))),
    ]
    lines = []
    for record in records:
        run, assets = record.dagster_run, committed.pop(record.dagster_run.run_id, ["nothing of it"])
        period = f"{_format_time(record.start_time)} to {_format_time(record.end_time)}"
        lines.append(f"{run.run_id} {run.status.value}, {period}, committed {', '.join(assets)}")
    return lines + [f"{run} is not in the event log, committed {', '.join(each)}" for run, each in committed.items()]


def match_dataset(sha256: str) -> Callable[[Committed], bool]:
    """A test for datasets: whether the SHA-256 of the file or of the content begins like this."""

    def matches(part: Committed) -> bool:
        digests = (part.sha256, str(part.manifest.facts.get("content_sha256", "")))
        return part.manifest.asset == DATASET and any(each.startswith(sha256) for each in digests)

    return matches


def match_code(version: str) -> Callable[[Committed], bool]:
    """A test for artifacts: whether this code made it, as `asset:code version`, version of the platform, or image."""

    def matches(part: Committed) -> bool:
        manifest = part.manifest
        own = f"{manifest.asset}:{manifest.identity['code']}"
        return version in (own, manifest.versions.get(DISTRIBUTION), manifest.where.get("image"))

    return matches


def _order(manifest: Manifest) -> int:
    return PARTS.index(manifest.asset) if manifest.asset in PARTS else len(PARTS)


def _format_time(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else "never"
