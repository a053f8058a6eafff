"""Provenance: from an artifact to the exact rows, code, parameters and machines that made it, and back.

All of it stands in the manifests. What is read here is what the parts themselves pinned, never what runs now.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from credit_assets.promotion.model_set import DATASET, MODEL, PARTS
from resources.history.tags import ROOT
from resources.store.artifacts import DISTRIBUTION, MANIFEST, Committed, Manifest, find
from resources.store.object_store import ObjectStore


def about(part: Committed) -> dict[str, Any]:
    """What made one artifact, as JSON: its digests, code, libraries, run, machine, and what its producer pinned."""
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
        **({"seed": parameters["random_state"]} if (parameters := manifest.facts.get("parameters")) else {}),
    }


def provenance(parts: Mapping[str, Committed]) -> dict[str, Any]:
    """What made a whole set, as JSON: the rows, the parameters and the seed first, then each part by its name."""
    dataset, parameters = parts[DATASET].manifest.facts, parts[MODEL].manifest.facts["parameters"]
    return {
        **{name: dataset[name] for name in ("rows", "as_of", "content_sha256")},
        "parameters": parameters,
        "seed": parameters["random_state"],
        "root run": parts[MODEL].manifest.root_run,
        **{name: about(parts[name]) for name in PARTS},
    }


def every_artifact(store: ObjectStore) -> list[Committed]:
    """Every artifact of the store, the oldest first. Raises ArtifactError for a manifest that can't be read."""
    places = [key.removesuffix(f"/{MANIFEST}") for key in store.list_keys() if key.endswith(f"/{MANIFEST}")]
    found = [committed for place in places if (committed := find(store, place))]
    return sorted(found, key=lambda each: (each.manifest.committed_at, _order(each.manifest)))


def sources(part: Committed) -> set[str]:
    """Digests of the artifacts that this one was made from."""
    pinned = {**part.manifest.facts, **part.manifest.identity.get("inputs", {})}
    return {str(value) for name, value in pinned.items() if name.removesuffix("_sha256") in PARTS}


def made_from(artifacts: Iterable[Committed]) -> dict[str, list[Committed]]:
    """By place: what each artifact was made from, in its own root run if that has it, or else in any that has it."""
    artifacts = list(artifacts)
    by_digest: dict[str, list[Committed]] = {}
    for part in artifacts:
        by_digest.setdefault(part.sha256, []).append(part)
    found: dict[str, list[Committed]] = {}
    for part in artifacts:
        found[part.place] = []
        for sha256 in sources(part):
            same = by_digest.get(sha256, [])
            own = [each for each in same if each.manifest.root_run == part.manifest.root_run]
            found[part.place] += own or same
    return found


def went_into(artifacts: Iterable[Committed], first: Callable[[Committed], bool]) -> list[Committed]:
    """The artifacts for which `first` holds, and all that was made from them, directly or not, in the order given."""
    artifacts = list(artifacts)
    origins = made_from(artifacts)
    chosen: set[str] = set()
    more = {part.place for part in artifacts if first(part)}
    while more:
        chosen |= more
        more = {place for place, theirs in origins.items() if any(each.place in chosen for each in theirs)} - chosen
    return [part for part in artifacts if part.place in chosen]


def came_from(artifacts: Iterable[Committed], part: Committed) -> list[Committed]:
    """The artifact, and all that it was made from, directly or not, in the order given."""
    artifacts = list(artifacts)
    origins = made_from(artifacts)
    chosen, more = set(), {part.place}
    while more:
        chosen |= more
        more = {each.place for place in more for each in origins[place]} - chosen
    return [each for each in artifacts if each.place in chosen]


def attempts(root: str, parts: Iterable[Committed], instance: dg.DagsterInstance | None) -> list[str]:
    """The runs of a root run: what each committed, and, from the event log, how and when it ended."""
    committed: dict[str, list[str]] = {}
    for part in parts:
        if part.manifest.root_run == root:
            committed.setdefault(part.manifest.run, []).append(part.manifest.asset)
    if instance is None:
        return [f"{run} committed {', '.join(assets)}" for run, assets in committed.items()] + [
            "those that committed nothing are in the event log: DAGSTER_HOME names none"
        ]
    records = [
        *instance.get_run_records(dg.RunsFilter(run_ids=[root])),
        *reversed(instance.get_run_records(dg.RunsFilter(tags={ROOT: root}))),
    ]
    lines = [
        f"{record.dagster_run.run_id} {record.dagster_run.status.value}, {_time(record.start_time)} to "
        f"{_time(record.end_time)}, committed {', '.join(committed.pop(record.dagster_run.run_id, ['nothing of it']))}"
        for record in records
    ]
    return lines + [f"{run} is not in the event log, committed {', '.join(each)}" for run, each in committed.items()]


def of_dataset(sha256: str) -> Callable[[Committed], bool]:
    """Whether an artifact is the dataset whose file or content has a digest that begins like this."""

    def is_it(part: Committed) -> bool:
        digests = (part.sha256, str(part.manifest.facts.get("content_sha256", "")))
        return part.manifest.asset == DATASET and any(each.startswith(sha256) for each in digests)

    return is_it


def of_code(version: str) -> Callable[[Committed], bool]:
    """Whether an artifact was made by this code: `asset:code version`, a version of the platform, or an image."""

    def is_it(part: Committed) -> bool:
        manifest = part.manifest
        own = f"{manifest.asset}:{manifest.identity['code']}"
        return version in (own, manifest.versions.get(DISTRIBUTION), manifest.where.get("image"))

    return is_it


def _order(manifest: Manifest) -> int:
    return PARTS.index(manifest.asset) if manifest.asset in PARTS else len(PARTS)


def _time(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else "never"
