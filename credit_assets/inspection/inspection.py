"""From a table to the draft of its settings: reads the sample, and asks each section for its lines.

Belongs here: what follows what. Does not belong here: statements (`reading`), choices and words of a section.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from credit_assets.inspection.columns import Subject, draft_columns
from credit_assets.inspection.days import describe_bound
from credit_assets.inspection.keys import (
    choose_created_at,
    choose_id,
    describe_future,
    propose_row_policy,
    propose_time_zone,
)
from credit_assets.inspection.limits import propose_limits
from credit_assets.inspection.lines import Line, Sections, leave_open
from credit_assets.inspection.reading.catalogue import FoundTable
from credit_assets.inspection.reading.facts import Facts, describe_column
from credit_assets.inspection.reading.sample import InspectionError, Sample
from credit_assets.inspection.targets import TargetChoice, choose_target
from credit_assets.settings.names import split_table
from credit_assets.tables.kinds import list_kinds

if TYPE_CHECKING:
    import numpy as np


def find_tables(tables: Sequence[FoundTable], name: str | None) -> list[FoundTable]:
    """The tables that are meant by a name, or that could be the loans: these have a time and at least three columns.

    Args:
        tables: all that the role can read.
        name: as a person typed it, with or without the schema; None if nobody said which.

    Raises:
        InspectionError: there is none.
    """
    if not tables:
        raise InspectionError(
            "the database has no table that this role can read: fill it, grant SELECT, or name another database in "
            "PLATFORM_DATABASE_URL"
        )
    if name is not None:
        try:
            *schema, own = split_table(name)
        except ValueError as error:
            raise InspectionError(f"--table: {error}") from None
        found = [table for table in tables if table.name == own and schema in ([], [table.schema])]
        if not found:
            raise InspectionError(
                f"--table: this role can read no table {name}. Correct the name, or grant SELECT on it; without "
                "--table the tables are listed that could be meant"
            )
        return found
    found = [
        table
        for table in tables
        if len(table.columns) >= 3 and any("time" in list_kinds(column.type) for column in table.columns)
    ]
    if not found:
        raise InspectionError(
            f"none of the {len(tables):,} tables that this role can read has three columns and a time among them. Name "
            "the table by --table schema.table, or grant SELECT on it"
        )
    return found


def draft_sections(table: FoundTable, sample: Sample) -> Sections:
    """The lines of all sections of the draft.

    Args:
        table: with its columns.
        sample: of its rows.
    """
    columns = {column.name: column for column in table.columns}
    facts = [describe_column(columns[name], sample.rows.column(name)) for name in sample.rows.column_names]
    by_name = {each.name: each for each in facts}
    row_id, created_at = choose_id(facts, table.name), choose_created_at(facts)
    rest = [each for each in facts if each.name not in (row_id.value, created_at.value)]
    target = choose_target(rest)
    created = by_name.get(created_at.value)
    outcome = target.mark(sample.rows)
    subjects = [
        Subject(
            each,
            sample.rows.column(each.name),
            created,
            sample.rows.column(created.name) if created else None,
            outcome,
            each.name in target.rivals,
            each.name in target.states,
        )
        for each in rest
        if each.name != target.column
    ]
    drafted = draft_columns(subjects)
    drafted["features"] += [
        Line(column.name, None, "this role has no right to read it", "left out")
        for column in table.columns
        if not column.is_readable
    ]
    if not any(line.state == "kept" for line in drafted["features"]):
        what = "no column is left that a model may learn from; declare one, as the lines below do"
        drafted["features"].append(leave_open("a column", what, {"type": "number"}))
    size = f"a {table.kind}; this role sees {sample.size}" if table.hides_rows else f"a {table.kind} of {sample.size}"
    name = Line("name", table.full_name, size)
    return {
        "table": [
            name,
            row_id,
            _describe_times(created_at, created, sample),
            *propose_time_zone(created),
            *propose_row_policy(table, sample),
        ],
        "target": _describe_target(target, sample),
        **drafted,
        **_propose_limits(sample, outcome),
    }


def _describe_target(target: TargetChoice, sample: Sample) -> list[Line]:
    """The lines of the target. That of a bound has its comment from the rows of the sample."""
    return [
        describe_bound(target.column, sample.rows.column(target.column), line.value)
        if line.key == "at_least" and target.column
        else line
        for line in target.lines
    ]


def _describe_times(line: Line, created: Facts | None, sample: Sample) -> Line:
    """The line `created_at`, with the loans that a dataset would leave out or refuse."""
    if created is None:
        return line
    notes = describe_future(created, sample.rows.column(created.name), sample.read_at)
    return replace(line, comment="; ".join([line.comment, *notes])) if notes else line


def _propose_limits(sample: Sample, outcome: "tuple[np.ndarray, np.ndarray] | None") -> Sections:
    if outcome is None or not outcome[1].any():
        return propose_limits(sample.total, 0.0)
    defaulted, known = outcome
    return propose_limits(sample.total, float(defaulted[known].mean()), float(1 - known.mean()))


def say_empty(table: FoundTable, sample: Sample) -> list[str]:
    """A sentence, if the table has no rows."""
    if sample.rows.num_rows:
        return []
    none = f"This role sees no rows of {table.full_name}" if table.hides_rows else f"{table.full_name} has no rows"
    return [f"{none}: values, gaps, bounds and the outcome can't be known, so each column is left out."]


def write_header(table: FoundTable, sample: Sample) -> list[str]:
    """What a reader of the file has to know before its lines."""
    return [
        f"A draft by `credit-platform inspect` of {table.full_name}: look at each line with LOOK, and fill in FILL IN.",
        f"It was made from {sample.way}{' that this role sees' if table.hides_rows else ''}.",
        *say_empty(table, sample),
        "What was seen is rounded, and categories of fewer than 20 rows are not shown. A bound is wider than what was",
        "seen: a row outside of it fails the check `ranges`.",
    ]
