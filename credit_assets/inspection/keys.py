"""The columns of [table]: which one tells loans apart, and which one says when a loan was made.

Belongs here: the choice between candidates. Does not belong here: the other roles (`targets`, `columns`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from credit_assets.inspection.lines import LOOK, Line, join_names, leave_open
from credit_assets.inspection.reading.catalogue import FoundTable
from credit_assets.inspection.reading.facts import Facts
from credit_assets.inspection.reading.sample import Sample
from credit_assets.inspection.suspicions.names import CREATED, EARLIER, ends_as_reference, names_any, spell
from credit_assets.inspection.suspicions.persons import names_somebody
from credit_assets.tables.kinds import SQL_TYPES, list_kinds

if TYPE_CHECKING:
    import pyarrow as pa

ENDED = "updated modified changed closed paid due last next birth end expiry expired deleted geburtsdatum"


def choose_id(columns: Sequence[Facts], table: str) -> Line:
    """The line `id`: the column that tells loans apart, or an open line."""
    scores = {facts.name: _score_id(facts, table) for facts in columns}
    best = max(scores, key=lambda name: scores[name], default=None)
    if best is None or scores[best] <= 0:
        return leave_open("id", _say_no_id(columns))
    (facts,) = (each for each in columns if each.name == best)
    proof = {"primary": "the primary key", "unique": "it has a unique index"}.get(
        facts.column.key, f"{LOOK} no index keeps two loans from having one; none has in the sample"
    )
    return Line("id", best, f"{proof}; {facts.column.type}")


def _score_id(facts: Facts, table: str) -> int:
    if not _can_be_id(facts):
        return 0
    name = spell(facts.name)
    score = {"primary": 4, "unique": 2, "": 0}[facts.column.key]
    if name in ("id", f"{spell(table)}_id", f"{spell(table).removesuffix('s')}_id", "loan_id"):
        score += 3
    elif ends_as_reference(name) or names_any(name, "no nr number loan_number contract_number"):
        score += 2
    # A text that differs in every row is an id more often than a number that does so by chance.
    return score or int(facts.form == "text")


def _can_be_id(facts: Facts) -> bool:
    if "id" not in list_kinds(facts.column.type) or facts.missing:
        return False
    is_unique = bool(facts.column.key) or facts.distinct == facts.filled > 1
    return facts.column.key == "primary" or (is_unique and not names_somebody(facts))


def _say_no_id(columns: Sequence[Facts]) -> str:
    if columns and not columns[0].rows:
        return "the table has no rows, so only an index could say which column tells loans apart, and none does"
    if others := [facts.name for facts in columns if _can_be_id(facts)]:
        return (
            "no index, name or text says which column tells loans apart; no two rows have one value of "
            f"{join_names(others)}"
        )
    types = ", ".join(sorted(SQL_TYPES["id"]))
    return (
        "no column was found that tells loans apart, is never missing, names no person, and is of a type that is "
        f"read: {types}"
    )


def choose_created_at(columns: Sequence[Facts]) -> Line:
    """The line `created_at`: the column that says when a loan was made, or an open line."""
    times = [facts for facts in columns if facts.form == "time" and (facts.filled or not facts.rows)]
    scores = {facts.name: _score_time(facts) for facts in times}
    best = max(scores, key=lambda name: scores[name], default=None)
    if best is None or (scores[best] <= 0 and len(times) > 1):
        others = [facts.name for facts in columns if facts.form == "time"]
        seen = f"times are {join_names(others)}" if others else "the table has no column of a time"
        return leave_open("created_at", f"no column says by its name when a loan was made; {seen}")
    (facts,) = (each for each in times if each.name == best)
    notes = [str(facts.column.type)]
    if scores[best] <= 0:
        notes.insert(0, f"{LOOK} the only time of the table; its name does not say that it is the loan's")
    rivals = [name for name, score in scores.items() if name != best and score == scores[best]]
    if rivals:
        notes.insert(0, f"{LOOK} it could also be {join_names(rivals)}")
    if facts.missing:
        notes.append(f"{LOOK} {facts.missing:,} rows have none")
    return Line("created_at", best, "; ".join(notes))


def describe_future(created: Facts, values: "pa.ChunkedArray", now: float) -> list[str]:
    """What is said of loans that a dataset of now would leave out, or refuse; empty if there are none.

    Args:
        created: the time of the loans.
        values: seconds since 1970; shape (rows,).
        now: the time of the sample, in seconds since 1970.
    """
    import pyarrow.compute as pc

    later = pc.sum(pc.greater(values, now)).as_py() or 0
    endless = pc.sum(pc.equal(values, float("inf"))).as_py() or 0
    before = created.infinite - endless
    said = []
    if later:
        share = f"{later:,} of the {created.rows:,} rows of the sample lie in the future"
        at = f", {endless:,} of them at infinity" if endless else ""
        zone = "" if created.column.type.base == "timestamp with time zone" else "name the time zone of its clock, or "
        said.append(f"{LOOK} {share}{at}: a dataset leaves them out (left_out) until then; {zone}correct them")
    if before:
        said.append(f"{LOOK} {before:,} rows lie at -infinity, and a run refuses them: correct them")
    return said


def propose_time_zone(created: Facts | None) -> list[Line]:
    """The line `time_zone`, if the time of the loans has no zone of its own."""
    if created is None or created.column.type.base == "timestamp with time zone":
        return []
    return [Line("time_zone", "UTC", f"{LOOK} {created.name} has no time zone; name the one that its clock shows")]


def propose_row_policy(table: FoundTable, sample: Sample) -> list[Line]:
    """The line `row_policy`, if policies hide rows of the table from this user; a person says what is meant."""
    if not table.hides_rows:
        return []
    what = (
        "policies decide which rows this role sees: the draft was made from the rows that this role sees "
        f'({sample.size.removesuffix(" rows")}); the table may have more. Write "apply" if the model is to learn from '
        "these only, or remove the line and name another user in PLATFORM_DATABASE_URL"
    )
    return [leave_open("row_policy", what, "apply")]


def _score_time(facts: Facts) -> int:
    score = 0
    if names_any(facts.name, CREATED):
        score = 3
    elif names_any(facts.name, "date time at datum fecha timestamp"):
        score = 1
    if names_any(facts.name, f"{ENDED} {EARLIER}"):
        score -= 3
    return score - (1 if facts.missing else 0)
