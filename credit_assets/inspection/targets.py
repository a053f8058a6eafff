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
    VAGUE,
    find_personal,
    names_any,
    says_past_due,
    spell,
)
from credit_assets.settings.names import quote_name

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

BAD = "default defaulted bad charged_off charge_off chargeoff late overdue delinquent npl loss write_off written_off "
BAD += "ausfall ausgefallen schlecht impago impagado moroso malo mauvais defaut defaillant b"
GOOD = "good paid fully_paid repaid paid_off current performing ok gut bezahlt bon bueno pagado paye g closed"
YES, NO = "1 t true y yes ja j oui o si s", "0 f false n no nein non"
# So many days past due are a default by Article 178 of the Capital Requirements Regulation (EU) 575/2013.
DAYS = 90


@dataclass(frozen=True)
class TargetChoice:
    """What the draft says of the outcome.

    Attributes:
        lines: of the section.
        column: its name; None if a person must name it.
        positive: the value of a loan that defaulted, as the sample has it; None without a column.
        negative: the value of a loan that did not.
        rivals: columns that could have been chosen; they know the outcome.
    """

    lines: list[Line]
    column: str | None = None
    positive: str | int | float | None = None
    negative: str | int | float | None = None
    rivals: list[str] = field(default_factory=list)

    def mark(self, rows: "pa.Table") -> tuple["np.ndarray", "np.ndarray"] | None:
        """Which rows defaulted, and of which the outcome is known; both of shape (rows,). None without a column."""
        import pyarrow.compute as pc

        if self.column is None:
            return None
        values = rows.column(self.column)
        defaulted, repaid = (
            pc.equal(values, value).fill_null(False).to_numpy().astype(bool) for value in (self.positive, self.negative)
        )
        return defaulted, defaulted | repaid


def choose_target(columns: Sequence[Facts]) -> TargetChoice:
    """The column that says whether a loan defaulted, with its two values; or open lines."""
    scores = {facts.name: score for facts in columns if (score := _score_target(facts))}
    if not scores:
        return TargetChoice(_open_lines(columns))
    best = max(scores, key=lambda name: scores[name])
    rivals = [name for name in scores if name != best]
    (facts,) = (each for each in columns if each.name == best)
    (positive, count), negative, why = _choose_positive(facts)
    could = f"; it could also be {join_names(rivals)}" if rivals else ""
    unknown = f"; {facts.missing_share:.1%} have no outcome" if facts.missing else ""
    lines = [
        Line("column", best, f"{LOOK} its name and its two values say so{could}"),
        Line("negative", _write_value(facts, negative), "the loan was repaid"),
        Line(
            "positive",
            _write_value(facts, positive),
            f"{LOOK} the loan defaulted, {count / facts.filled:.1%} of the loans{unknown}; {why}",
        ),
    ]
    return TargetChoice(lines, best, positive, negative, rivals)


def is_candidate(facts: Facts) -> bool:
    """Whether a column could be the target."""
    return _score_target(facts) > 0


def _score_target(facts: Facts) -> int:
    if facts.distinct != 2 or facts.form not in ("text", "integer", "number") or names_any(facts.name, EARLIER):
        return 0
    if names_any(facts.name, f"{DEFAULTED} {REPAID}"):
        return 3
    return 1 if names_any(facts.name, VAGUE) else 0


def _choose_positive(facts: Facts) -> tuple[tuple[str | int | float, int], str | int | float, str]:
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


def _write_value(facts: Facts, value: str | int | float) -> str | int | float:
    # PostgreSQL prints the values of a boolean column so.
    return str(value)[0] if facts.column.base_type == "boolean" else value


def _open_lines(columns: Sequence[Facts]) -> list[Line]:
    days = [facts.name for facts in columns if says_past_due(facts.name) and facts.form in ("integer", "number")]
    others = [
        facts.name
        for facts in columns
        if facts.distinct > 2
        and names_any(facts.name, f"{DEFAULTED} {REPAID} {VAGUE}")
        and not find_personal(facts.name)
    ]
    what = "the column that says by two values whether a loan defaulted; none was found"
    if days:
        what += f". A view may have one: {quote_name(days[0])} >= {DAYS} AS is_default"
    elif others:
        what += f". {join_names(others)} may say it, with more than two values: a view may have a column with two"
    return [leave_open("column", what), Line("negative", 0, "the loan was repaid"), Line("positive", 1, "it defaulted")]
