"""The sections [features] and [personal]: each column of the table with its type, or left out with the reason.

Belongs here: in which order suspicions decide. Does not belong here: a suspicion (`suspicions`), and what a line
says of types, bounds and values (`declarations`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from credit_assets.inspection.declarations import (
    declare_column,
    declare_gaps,
    describe_column,
    describe_count,
    describe_gaps,
    list_levels,
    suggest_cast,
    type_of,
)
from credit_assets.inspection.lines import LOOK, Line
from credit_assets.inspection.reading.facts import Facts, mark_filled
from credit_assets.inspection.suspicions.contents import (
    find_identity_content,
    find_personal_content,
    is_date_of_birth,
    is_free_text,
)
from credit_assets.inspection.suspicions.hindsight import find_one_class, lies_later, measure_alone
from credit_assets.inspection.suspicions.names import (
    ends_as_reference,
    find_identity,
    find_personal,
    says_afterwards,
    says_person,
    says_span,
)
from credit_assets.inspection.suspicions.persons import is_person, may_be_person
from credit_assets.inspection.suspicions.stored import find_stored, suggest_stored_cast
from credit_assets.settings.limits import Limits
from credit_assets.settings.names import quote_name

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# A column with so few texts names no person, whatever its name says.
FEW_LEVELS = 20
# One column alone that ranks better than whole models do is worth a question.
HIGH_AUC = 0.85
# Types of places, shapes and bytes: no cast makes them a number or a category that many rows share.
SAYS_NOTHING = {"point", "line", "lseg", "box", "path", "polygon", "circle", "geometry", "geography", "raster", "bytea"}
AGE_BANDS, DAYS_OF_A_YEAR = [25, 40, 60], 365.25


@dataclass(frozen=True)
class Subject:
    """A column that may become a feature, with what its suspicions are judged by.

    Attributes:
        facts: of the column.
        values: in the sample; shape (rows,).
        created: the facts of the time at which loans were made; None if nobody knows it.
        created_values: that time; shape (rows,).
        outcome: which loans defaulted, and of which this is known; None without a target.
        is_rival: whether the column could have been the target.
        is_state: whether it may say by more than two values how the loan stands.
    """

    facts: Facts
    values: "pa.ChunkedArray"
    created: Facts | None = None
    created_values: "pa.ChunkedArray | None" = None
    outcome: "tuple[np.ndarray, np.ndarray] | None" = None
    is_rival: bool = False
    is_state: bool = False

    @property
    def shows_states(self) -> bool:
        """Whether the values are few states of the loan: they name nobody, and a person has to judge them."""
        is_state = (self.is_state or self.is_rival) and self.facts.form == "text" and self.facts.distinct <= FEW_LEVELS
        return is_state and not says_person(self.facts.name) and not _find_identity(self)

    @cached_property
    def auc(self) -> float:
        """The AUC of the column as the only score; 0.5 where it is not defined."""
        import pyarrow as pa

        if self.outcome is None or self.facts.form == "filled":
            return 0.5
        defaulted, known = self.outcome
        return measure_alone(self.values.filter(pa.array(known)), defaulted[known])


def draft_columns(subjects: Sequence[Subject]) -> dict[str, list[Line]]:
    """The lines of both sections; those that are left out are behind the others.

    Args:
        subjects: every column of the table that has no other role, in its order.
    """
    features, personal = list[Line](), list[Line]()
    for subject in subjects:
        attribute = _find_attribute(subject)
        if attribute is None:
            features.append(_draft_feature(subject))
        else:
            personal.append(_draft_attribute(subject, attribute))
    return {
        name: sorted(lines, key=lambda line: line.state == "left out")
        for name, lines in (("features", features), ("personal", personal))
    }


def _draft_feature(subject: Subject) -> Line:
    facts = subject.facts
    value = declare_column(facts, subject.created.name if subject.created else None) if type_of(facts) else None
    if reason := next((reason for find in REASONS if (reason := find(subject))), None):
        shown = f"; {list_levels(facts, FEW_LEVELS)}" if subject.shows_states else ""
        return Line(facts.name, value, f"{reason}{shown}", "left out")
    doubts = [_say(subject.auc)] if subject.auc > HIGH_AUC else []
    if stored := find_stored(facts):
        doubts.append(suggest_stored_cast(facts, stored))
    may_be_people = type_of(facts) == "category" and may_be_person(facts) and not subject.shows_states
    if may_be_people:
        doubts.append("its name or its values may be those of persons, so none is shown")
    if subject.is_state:
        doubts.append("it may say how the loan stands, which nobody knew when it was made")
    seen = describe_count(facts) if may_be_people else describe_column(facts)
    if subject.shows_states:
        seen = list_levels(facts, FEW_LEVELS)
    comment = "; ".join(filter(None, (*doubts, describe_gaps(facts), seen)))
    return Line(facts.name, value, f"{LOOK} {comment}" if doubts else comment)


def _draft_attribute(subject: Subject, attribute: str) -> Line:
    facts = subject.facts
    named = f"{LOOK} it looks like a person's {attribute}"
    # A code of a sex is no number, whatever its type is.
    type_ = "category" if attribute == "sex" and facts.form in ("integer", "text") else type_of(facts)
    reason = next((reason for find in UNREADABLE if (reason := find(subject))), None)
    value: dict[str, Any] | None = {"type": type_} if type_ else None
    if value and type_ == "date":
        before = {"before": subject.created.name} if subject.created else {}
        value |= {**before, "bands": [round(years * DAYS_OF_A_YEAR) for years in AGE_BANDS]}
    elif value and attribute == "age" and type_ in ("integer", "number"):
        value |= {"bands": AGE_BANDS}
    if value:
        value |= declare_gaps(facts)
    if reason:
        return Line(facts.name, value, f"{named}; left out: {reason}", "left out")
    return Line(facts.name, value, named)


def _find_attribute(subject: Subject) -> str | None:
    facts = subject.facts
    if _find_identity(subject):
        return None
    if subject.created and is_date_of_birth(facts, subject.created):
        return "date of birth"
    attribute = find_personal(facts.name)
    # For how long somebody has lived there says neither where nor who.
    is_span = attribute == "postcode or address" and facts.form != "text" and says_span(facts.name)
    return find_personal_content(facts) if is_span else attribute or find_personal_content(facts)


def _find_type(subject: Subject) -> str | None:
    column = subject.facts.column
    if type_of(subject.facts):
        return None
    if column.type.base.removesuffix("[]").rpartition(".")[2] in SAYS_NOTHING:
        return f"its type {column.type} is not read, and says nothing to a model"
    return f"its type {column.type} is not read; a view may have {suggest_cast(column)}"


def _find_emptiness(subject: Subject) -> str | None:
    facts = subject.facts
    if not facts.filled:
        return "it has no value in the sample"
    return describe_gaps(facts) if facts.missing_share > Limits().maximum_missing_share else None


def _find_infinity(subject: Subject) -> str | None:
    facts = subject.facts
    if not facts.infinite:
        return None
    column, new = quote_name(facts.name), quote_name(f"{facts.name}_finite")
    finite = f"nullif(nullif({column}, 'infinity'), '-infinity') AS {new}"
    return f"{facts.infinite:,} rows are infinite; a view may have {finite}"


def _find_constant(subject: Subject) -> str | None:
    facts = subject.facts
    is_constant = facts.distinct == 1 and not facts.missing and facts.form != "filled"
    return "all rows have one value" if is_constant else None


def _find_outcome_by_name(subject: Subject) -> str | None:
    if subject.is_rival:
        return "it could be the target, so it knows the outcome"
    return "its name says what is known after the outcome only" if says_afterwards(subject.facts.name) else None


def _find_identity(subject: Subject) -> str | None:
    facts = subject.facts
    if identity := find_identity_content(facts):
        return f"its values look like {identity}"
    if is_person(facts):
        return "it looks like the name of a person"
    many = facts.form == "text" and facts.distinct > FEW_LEVELS
    if (identity := find_identity(facts.name)) and (many or facts.is_key):
        return f"its name says that it is the {identity}"
    return None


def _find_text(subject: Subject) -> str | None:
    return "people typed it freely" if is_free_text(subject.facts) else None


def _find_stored(subject: Subject) -> str | None:
    """A number or a date whose text would be left out, if it were a category."""
    facts = subject.facts
    if facts.distinct <= facts.filled / 2 or facts.column.key or not (stored := find_stored(facts)):
        return None
    return suggest_stored_cast(facts, stored)


def _find_key(subject: Subject) -> str | None:
    facts = subject.facts
    if facts.column.key or (facts.is_key and (facts.form == "text" or _is_counted(facts))):
        return "a key: no two rows have one value"
    if ends_as_reference(facts.name) and facts.distinct > FEW_LEVELS:
        return "its name says that it refers to something, and has no meaning by itself"
    if facts.form == "text" and facts.distinct > facts.filled / 2:
        return "most rows have a value of their own"
    return None


def _is_counted(facts: Facts) -> bool:
    """Whether whole numbers lie as densely as those that are given out one after the other; amounts don't."""
    return facts.form == "integer" and float(facts.high or 0) - float(facts.low or 0) < 10 * facts.filled


def _find_later(subject: Subject) -> str | None:
    if subject.facts.form != "time" or subject.created_values is None:
        return None
    is_later = lies_later(subject.values, subject.created_values)
    return "it lies after the loan was made, when nobody knew it" if is_later else None


def _find_hindsight(subject: Subject) -> str | None:
    if subject.outcome is None:
        return None
    defaulted, known = subject.outcome
    filled = mark_filled(subject.values).to_numpy().astype(bool)
    if one_class := find_one_class(filled[known], defaulted[known]):
        return one_class
    auc = subject.auc
    return f"{_say(auc)}: it knows it" if auc > Limits().maximum_feature_auc else None


def _say(auc: float) -> str:
    return f"alone it ranks the outcome with an AUC of {auc:.3f}"


Find = Callable[[Subject], str | None]
UNREADABLE: Sequence[Find] = (_find_emptiness, _find_type, _find_constant, _find_infinity)
# The first that finds something names the reason: what is worst for a person or for the model comes before what is only
# unhandy.
REASONS: Sequence[Find] = (
    _find_emptiness,
    _find_constant,
    _find_outcome_by_name,
    _find_identity,
    _find_text,
    _find_stored,
    _find_key,
    _find_later,
    _find_hindsight,
    _find_type,
    _find_infinity,
)
