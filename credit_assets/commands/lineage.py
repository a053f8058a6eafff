"""`credit-platform lineage`: from a model to what made it, and from a dataset or code to all that was made with it.

Belongs here: the lines that are printed. Does not belong here: how lineage is found (`credit_assets.promotion`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import dagster as dg

from credit_assets.commands.local import local_history
from credit_assets.promotion.model_set import NoSuchSet, promoted_set
from credit_assets.promotion.provenance import (
    about,
    attempts,
    came_from,
    every_artifact,
    of_code,
    of_dataset,
    went_into,
)
from credit_assets.promotion.rule import POINTER
from resources.deployment import Deployment
from resources.store.artifacts import Committed
from resources.store.object_store import ObjectStore, open_store
from resources.store.pointer import Pointer, Position

NUMBER, RUN, DIGEST = r"[1-9]\d{0,7}", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"[0-9a-f]{12,64}"


@contextmanager
def recorded(deployment: Deployment, settings: Path) -> Iterator[tuple[ObjectStore, dg.DagsterInstance | None]]:
    """The store, and the instance if there is one: those of the deployment, or else those of `make run`.

    Args:
        deployment: its store is opened if it names one, and its instance if it names a folder for it.
        settings: whose store and history are opened otherwise.

    Raises:
        PlatformError: the store or the history can't be opened.
    """
    if deployment.store:
        with dg.DagsterInstance.get() if deployment.dagster_home else nullcontext() as instance:
            yield open_store(deployment.store), instance
        return
    with local_history(settings, deployment) as local, dg.DagsterInstance.get() as instance:
        yield open_store(local.deployment.require("store")), instance


def print_lineage(
    deployment: Deployment, settings: Path, what: str, dataset: str | None = None, code: str | None = None
) -> None:
    """Prints what made a thing, or what was made from a dataset or with a version of the code.

    Args:
        deployment: where store and history are.
        settings: whose store and history to open, if the deployment names no store.
        what: `latest`, the number of a promotion, the id of a run, or the sha256 of an artifact.
        dataset: sha256 of a dataset's file or content, in the place of `what`.
        code: a version of the code, likewise.

    Raises:
        PlatformError: nothing of that name was found, or something can't be read.
    """
    with recorded(deployment, settings) as (store, instance):
        if dataset or code:
            start = of_dataset(dataset) if dataset else of_code(str(code))
            lines = forward(store, went_into(every_artifact(store), start))
        else:
            lines = backward(store, instance, what)
        print("\n".join(lines))


def backward(store: ObjectStore, instance: dg.DagsterInstance | None, what: str) -> list[str]:
    """What made the thing that was asked for, line by line.

    Raises:
        NoSuchSet: nothing of that name is in the store.
        PointerError, ArtifactError: it can't be read.
    """
    if what == "latest" or re.fullmatch(NUMBER, what):
        pointer = Pointer(store, POINTER)
        position = pointer.latest() if what == "latest" else pointer.at(int(what))
        return [*promotion(position), *chain(promoted_set(store, position).values(), instance)]
    artifacts = every_artifact(store)
    if re.fullmatch(RUN, what):
        run = instance.get_run_by_id(what) if instance else None
        roots = {what, run and run.root_run_id}
        roots |= {part.manifest.root_run for part in artifacts if part.manifest.run == what}
        found = [[part for part in artifacts if part.manifest.root_run in roots]]
    elif re.fullmatch(DIGEST, what):
        named = [part for part in artifacts if any(file.sha256.startswith(what) for file in part.manifest.files)]
        found = [came_from(artifacts, part) for part in named]
    else:
        raise NoSuchSet(f"{what}: expected latest, a number, the id of a run, or 12 to 64 digits of a sha256")
    if not any(found):
        raise NoSuchSet(f"{what}: nothing of that name was committed to {store.uri}")
    numbers = promotions(store)
    return [line for parts in found for line in (*chain(parts, instance), *promoted_as(parts, numbers), "")]


def forward(store: ObjectStore, parts: Sequence[Committed]) -> list[str]:
    """A line for each artifact, and which promotions name one of them. Raises NoSuchSet if there is none."""
    if not parts:
        raise NoSuchSet(f"nothing of that name was committed to {store.uri}")
    lines = [
        f"{part.manifest.asset:<14} sha256 {part.sha256}  root run {part.manifest.root_run}  "
        f"{part.manifest.committed_at}"
        for part in parts
    ]
    return [*lines, *promoted_as(parts, promotions(store))]


def promotions(store: ObjectStore) -> Mapping[int, set[str]]:
    """The places that each promotion names, by its number."""
    history = Pointer(store, POINTER).history()
    return {each.number: {part["place"] for part in each.value["set"].values()} for each in history}


def promoted_as(parts: Iterable[Committed], numbers: Mapping[int, set[str]]) -> list[str]:
    """The line that says which promotions name one of these artifacts."""
    places = {part.place for part in parts}
    named = [str(number) for number, theirs in sorted(numbers.items()) if theirs & places]
    return [f"promoted as number {', '.join(named)}" if named else "never promoted"]


def promotion(position: Position) -> list[str]:
    """Who promoted a set, when, in the place of what, and how good it is."""
    value, decision = position.value, position.value["decision"]
    who = "by the rule" if decision["by"] == "rule" else f"by hand, {decision['who']}: {decision['why']}"
    scores = ", ".join(f"{name} {figure:.4f}" for name, figure in value["metrics"].items())
    before = value["champion"]
    return [
        f"promotion number {position.number}, {position.at}, {who}, in run {decision['run']}",
        f"  {scores}",
        f"  in the place of number {before['number']}, roc_auc {before['metrics']['roc_auc']:.4f}"
        if before
        else "  in the place of nothing",
    ]


def chain(parts: Iterable[Committed], instance: dg.DagsterInstance | None) -> list[str]:
    """Each artifact with all that its manifest says, then the attempts of their root runs."""
    parts = list(parts)
    lines = []
    for part in parts:
        lines += ["", part.manifest.asset]
        for name, value in about(part).items():
            said = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else value
            lines.append(f"  {name}: {said}")
    for root in sorted({part.manifest.root_run for part in parts}):
        lines += ["", f"attempts of root run {root}", *(f"  {line}" for line in attempts(root, parts, instance))]
    return lines
