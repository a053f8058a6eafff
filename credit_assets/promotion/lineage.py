"""Lineage as lines for a terminal: from a model to what made it, and from a dataset or code to all that it went into.

Belongs here: finding what a person asks for, and the lines. Does not belong here: options and exit codes
(`credit_assets.commands.lineage`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from credit_assets.measurement.figures import format_figure
from credit_assets.promotion.model_set import (
    DATASET,
    OTHER_OUTCOME,
    OTHER_TABLE,
    NoSuchSet,
    describe_difference,
    read_set,
)
from credit_assets.promotion.provenance import describe_artifact, describe_attempts, find_ancestors, list_artifacts
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.target import describe_other_target
from resources.store.artifacts import Committed
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import Position

NUMBER, RUN, DIGEST = r"[1-9]\d{0,7}", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"[0-9a-f]{12,64}"


def trace_back(
    store: ObjectStore,
    settings: Settings,
    instance: dg.DagsterInstance | None,
    name: str,
    report_unreadable: Callable[[str], None],
) -> list[str]:
    """What made the thing that a person names, line by line.

    Args:
        settings: whose table's promotions are meant, and whose columns the model's are compared with.
        instance: whose event log knows the attempts; None if there is none.
        name: `latest`, the number of a promotion, the id of a run, or 12 to 64 digits of a SHA-256.
        report_unreadable: gets what is wrong with each manifest that a search can't read.

    Raises:
        NoSuchSet: nothing of that name is in the store.
        PointerError, ArtifactError: it can't be read.
    """
    table = settings.table.name
    if name == "latest" or re.fullmatch(NUMBER, name):
        pointer = open_pointer(store, table)
        position = pointer.latest() if name == "latest" else pointer.at(int(name))
        parts = read_set(store, position)
        return [
            *format_promotion(position),
            *format_difference(parts, settings),
            *format_artifacts(parts.values(), instance),
        ]
    artifacts = list_artifacts(store, report_unreadable)
    if re.fullmatch(RUN, name):
        run = instance.get_run_by_id(name) if instance else None
        roots = {name, run and run.root_run_id}
        roots |= {part.manifest.root_run for part in artifacts if part.manifest.run == name}
        found = [[part for part in artifacts if part.manifest.root_run in roots]]
    elif re.fullmatch(DIGEST, name):
        matching = [part for part in artifacts if any(file.sha256.startswith(name) for file in part.manifest.files)]
        found = [find_ancestors(artifacts, part) for part in matching]
    else:
        raise NoSuchSet(f"{name}: expected latest, a number, the id of a run, or 12 to 64 digits of a sha256")
    if not any(found):
        raise NoSuchSet(f"{name}: nothing of that name was committed to {store.uri}")
    numbers = list_promotions(store, table)
    return [
        line for parts in found for line in (*format_artifacts(parts, instance), format_numbers(parts, numbers), "")
    ]


def trace_forward(store: ObjectStore, table: str, parts: Sequence[Committed]) -> list[str]:
    """A line for each artifact, and which promotions name one of them. Raises NoSuchSet if there is none."""
    if not parts:
        raise NoSuchSet(f"nothing of that name was committed to {store.uri}")
    lines = [
        f"{part.manifest.asset:<14} sha256 {part.sha256}  root run {part.manifest.root_run}  "
        f"{part.manifest.committed_at}"
        for part in parts
    ]
    return [*lines, format_numbers(parts, list_promotions(store, table))]


def list_promotions(store: ObjectStore, table: str) -> Mapping[int, set[str]]:
    """The places that each promotion of a table names, by its number."""
    history = open_pointer(store, table).history()
    return {each.number: {part["place"] for part in each.value["set"].values()} for each in history}


def format_numbers(parts: Iterable[Committed], promotions: Mapping[int, set[str]]) -> str:
    """The line that says which promotions name one of these artifacts."""
    places = {part.place for part in parts}
    numbers = [str(number) for number, promoted in sorted(promotions.items()) if promoted & places]
    return f"promoted as number {', '.join(numbers)}" if numbers else "never promoted"


def format_promotion(position: Position) -> list[str]:
    """Who promoted a set, when, in the place of what, and how good it is."""
    value, decision, before = position.value, position.value["decision"], position.value["champion"]
    who = "by the rule" if decision["by"] == "rule" else f"by hand, {decision['who']}: {decision['why']}"
    return [
        f"promotion number {position.number}, {position.at}, {who}, in run {decision['run']}",
        "  " + ", ".join(f"{name} {format_figure(figure)}" for name, figure in value["metrics"].items()),
        f"  in the place of number {before['number']}, roc_auc {format_figure(before['metrics']['roc_auc'])}"
        if before
        else "  in the place of nothing",
    ]


def format_difference(parts: Mapping[str, Committed], settings: Settings) -> list[str]:
    """A line if the set was made from other columns than the settings declare, and one if for another outcome."""
    columns = describe_difference(parts, settings)
    target = describe_other_target(parts[DATASET].manifest.facts.get("target"), settings.target.to_facts())
    return [
        *([f"  other columns than the settings declare: {columns}. {OTHER_TABLE}"] if columns else []),
        *([f"  another outcome than the settings declare: {target}. {OTHER_OUTCOME}"] if target else []),
    ]


def format_artifacts(parts: Iterable[Committed], instance: dg.DagsterInstance | None) -> list[str]:
    """Each artifact with all that its manifest says, then the attempts of their root runs."""
    parts, lines = list(parts), list[str]()
    for part in parts:
        lines += ["", part.manifest.asset]
        lines += [f"  {name}: {_format_fact(value)}" for name, value in describe_artifact(part).items()]
    for root in sorted({part.manifest.root_run for part in parts}):
        attempts = describe_attempts(root, parts, instance)
        lines += ["", f"attempts of root run {root}", *(f"  {line}" for line in attempts)]
    return lines


def _format_fact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_format_fact(each)}" for name, each in value.items())
    return "none" if value is None else str(value)
