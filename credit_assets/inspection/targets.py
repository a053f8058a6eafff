"""The section [target]: which column says that a loan defaulted, and which of its values does.

Belongs here: the choice between candidates, by name and values. Does not belong here: what is known of the outcome by
other columns (`suspicions.hindsight`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit_assets.inspection.lines import LOOK, Line, join_names, leave_open
from credit_assets.inspection.reading.facts import Facts
from credit_assets.inspection.suspicions.names import (
    DEFAULTED,
    EARLIER,
    REPAID,
    STATES,
    names_any,
    says_past_due,
    spell,
)
from credit_assets.inspection.suspicions.states import find_states, may_say_state, says_state

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

BAD = "default defaulted bad charged_off charge_off chargeoff late overdue delinquent npl loss write_off written_off "
BAD += "ausfall ausgefallen schlecht impago impagado moroso malo mauvais defaut defaillant b"
GOOD = "good paid fully_paid repaid paid_off current performing ok gut bezahlt bon bueno pagado paye g closed"
YES, NO = "1 t true y yes ja j oui o si s", "0 f false n no nein non"
MATURITY = Line("matures_after", "12 months", "so old is a loan that has its outcome", "left out")
# So many days past due are a default by Article 178 of the Capital Requirements Regulation (EU) 575/2013.
DAYS = 90


Value = str | int | float


@dataclass(frozen=True)
class TargetChoice:
    """What the draft says of the outcome.

    Attributes:
        lines: of the section.
        column: its name; None if a person must name it.
        positive: the value of a loan that defaulted, as the sample has it; None if the target is a bound.
        negative: the value of a loan that did not.
        rivals: columns that could have been chosen, or that say the outcome by more values; they know it.
        states: columns that may say by more than two values how the loan stands; a person judges their values.
    """

    lines: list[Line]
    column: str | None = None
    positive: Value | None = None
    negative: Value | None = None
    rivals: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    def mark(self, rows: "pa.Table") -> tuple["np.ndarray", "np.ndarray"] | None:
        """Which rows defaulted, and of which the outcome is known; both of shape (rows,). None without a column."""
        import pyarrow.compute as pc

        if self.column is None:
            return None
        values = rows.column(self.column)
        if self.positive is None:
            defaulted, repaid = pc.greater_equal(values, DAYS), pc.less(values, DAYS)
        else:
            defaulted, repaid = pc.equal(values, self.positive), pc.equal(values, self.negative)
        first, second = (marks.fill_null(False).to_numpy().astype(bool) for marks in (defaulted, repaid))
        return first, first | second


def choose_target(columns: Sequence[Facts]) -> TargetChoice:
    """The column that says whether a loan defaulted, with its two values or its bound; or open lines."""
    scores = {facts.name: score for facts in columns if (score := _score_target(facts))}
    found = [each for each in find_states(columns) if each.name not in scores]
    states, knowing = [each.name for each in found], [each.name for each in found if says_state(each)]
    if not scores:
        return TargetChoice(_open_lines(columns), rivals=knowing, states=states)
    best = max(scores, key=lambda name: scores[name])
    rivals = [name for name in scores if name != best]
    (facts,) = (each for each in columns if each.name == best)
    notes = [f"it could also be {join_names(rivals)}"] if rivals else []
    if states:
        notes.append(f"{join_names(states)} may say it too, by more than two values")
    rivals += knowing
    if facts.missing:
        notes.append(f"{facts.missing_share:.1%} of the loans have none, so they have no outcome")
    if _is_past_due(facts):
        lines = [
            _choose_column(best, "its name says how many days a loan is past due", notes),
            Line("at_least", DAYS),
        ]
        return TargetChoice([*lines, MATURITY], best, rivals=rivals, states=states)
    (positive, count), negative, why = _choose_positive(facts)
    lines = [
        _choose_column(best, "its name and its two values say so", notes),
        Line("negative", _write_value(facts, negative), "the loan was repaid"),
        Line(
            "positive",
            _write_value(facts, positive),
            f"{LOOK} the loan defaulted, {count / facts.filled:.1%} of the loans; {why}",
        ),
    ]
    return TargetChoice([*lines, MATURITY], best, positive, negative, rivals, states)


def _choose_column(name: str, why: str, notes: Sequence[str]) -> Line:
    return Line("column", name, "; ".join([f"{LOOK} {why}", *notes]))


def _is_past_due(facts: Facts) -> bool:
    return says_past_due(facts.name) and facts.form in ("integer", "number") and (facts.high or 0) >= DAYS


def _score_target(facts: Facts) -> int:
    if names_any(facts.name, EARLIER):
        return 0
    if _is_past_due(facts):
        return 2
    if facts.distinct != 2 or facts.form not in ("text", "integer", "number"):
        return 0
    if names_any(facts.name, f"{DEFAULTED} {REPAID}"):
        return 3
    return 1 if names_any(facts.name, f"{STATES} flag y") or may_say_state(facts) else 0


def _choose_positive(facts: Facts) -> tuple[tuple[Value, int], Value, str]:
    """The value that means a default with its count, the other value, and how that was decided."""
    (often, more), (seldom, fewer) = list(facts.counts.items())[:2]
    is_inverted = names_any(facts.name, REPAID)
    for (one, count), other in (((often, more), seldom), ((seldom, fewer), often)):
        if spell(str(one)) in BAD.split() or spell(str(other)) in GOOD.split():
            return (one, count), other, "by the words of its values"
        if spell(str(one)) in YES.split() and spell(str(other)) in NO.split():
            if is_inverted:
                return (other, facts.filled - count), one, "by its name, which says that a loan was repaid"
            return (one, count), other, "by its name"
    return (seldom, fewer), often, "the rarer value, because neither name nor values say which one it is"


def _write_value(facts: Facts, value: Value) -> Value | bool:
    return value == "true" if facts.column.type.base == "boolean" else value


def _open_lines(columns: Sequence[Facts]) -> list[Line]:
    others = [facts.name for facts in find_states(columns)]
    what = "the column that says whether a loan defaulted, by two values or by a bound (at_least); none was found"
    if columns and not columns[0].rows:
        what = "the column that says whether a loan defaulted; the table has no rows whose values could say it"
    if others:
        what += f". {join_names(others)} may say it; a view may have a column with two values"
    return [leave_open("column", what), Line("negative", 0, "the loan was repaid"), Line("positive", 1, "it defaulted")]
