"""Columns that say by more than two values how a loan stands, beside the target or in its place.

Belongs here: names with values. Does not belong here: the target itself (`targets`), and words of names (`names`).
"""

from collections.abc import Sequence

from credit_assets.inspection.reading.facts import Facts
from credit_assets.inspection.suspicions.names import (
    DEFAULTED,
    EARLIER,
    PAST_DUE,
    REPAID,
    VAGUE,
    find_personal,
    names_any,
    says_loan_state,
    spell,
)

# A loan alone stands so. A home, a job or an account does not.
OF_A_LOAN = "default defaulted in_default charged_off charge_off chargeoff overdue delinquent npl non_performing "
OF_A_LOAN += "write_off written_off past_due late fully_paid repaid paid_off ausgefallen abgeschrieben uberfallig "
OF_A_LOAN += "zuruckgezahlt impago impagado moroso rembourse impaye"


def find_states(columns: Sequence[Facts]) -> list[Facts]:
    """Columns that may know the outcome, and whose values can't say it: they are not two."""
    return [
        facts
        for facts in columns
        if (facts.distinct > 2 or not facts.rows)
        and (_is_named(facts.name) or may_say_state(facts))
        and not names_any(facts.name, EARLIER)
        and not find_personal(facts.name)
    ]


def may_say_state(facts: Facts) -> bool:
    """Whether a column is a `status` of nothing that is named, or one whose values only a loan has."""
    return spell(facts.name) in ("status", "flag", "y") or (names_any(facts.name, VAGUE) and _has_loan_words(facts))


def says_state(facts: Facts) -> bool:
    """Whether a column has words for how the loan itself stands, which nobody knew when it was made.

    A number counts what was late before, and a status may be that of an account.
    """
    is_loans = _is_named(facts.name) or (spell(facts.name) == "status" and _has_loan_words(facts))
    return facts.form == "text" and is_loans


def _is_named(name: str) -> bool:
    return names_any(name, f"{DEFAULTED} {REPAID} {PAST_DUE}") or says_loan_state(name)


def _has_loan_words(facts: Facts) -> bool:
    return facts.form == "text" and any(names_any(str(level), OF_A_LOAN) for level in facts.counts)
