"""Whether a column names a person, by what its name and its values say together.

Belongs here: names with values. Does not belong here: words (`names`), and patterns of values (`contents`).
"""

from credit_assets.inspection.reading.facts import Facts
from credit_assets.inspection.suspicions.contents import (
    find_identity_content,
    is_free_text,
    is_named_people,
    is_titled_people,
)
from credit_assets.inspection.suspicions.names import find_identity, find_personal, says_person


def is_person(facts: Facts) -> bool:
    """Whether the values are names of persons, without a doubt."""
    return is_titled_people(facts) or (says_person(facts.name) and is_named_people(facts))


def may_be_person(facts: Facts) -> bool:
    """Whether the values may be names of persons: the name of the column or its values say so."""
    return facts.form == "text" and (says_person(facts.name) or is_named_people(facts))


def names_somebody(facts: Facts) -> bool:
    """Whether a column says more of a person than a key does, so that it is no id."""
    if facts.form != "text":
        return False
    # The number of an account may be that of the loan.
    if find_identity(facts.name) not in (None, "account number") or find_identity_content(facts) not in (None, "keys"):
        return True
    return bool(find_personal(facts.name)) or may_be_person(facts) or is_free_text(facts)
