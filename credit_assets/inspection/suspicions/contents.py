"""What the values of a column say, whatever its name is: an attribute or an identity of a person, or free text.

Belongs here: patterns of values. Does not belong here: names (`names`). Nothing here returns a value.
"""

import re
from collections.abc import Callable, Iterable

from credit_assets.inspection.reading.facts import Facts
from credit_assets.inspection.suspicions.names import spell

SEXES = {"m", "f", "w", "d", "x", "male", "female", "man", "woman", "mann", "frau", "mannlich", "weiblich", "divers"}
SEXES |= {"homme", "femme", "masculin", "feminin", "hombre", "mujer", "masculino", "femenino", "unknown", "other"}
BOTH_SEXES = [{"m", "male", "man", "mann", "mannlich", "homme", "masculin", "hombre", "masculino"}]
BOTH_SEXES += [{"f", "w", "female", "woman", "frau", "weiblich", "femme", "feminin", "mujer", "femenino"}]
MARITAL = {"single", "married", "divorced", "widowed", "separated", "ledig", "verheiratet", "geschieden"}
MARITAL |= {"verwitwet", "celibataire", "marie", "divorce", "veuf", "soltero", "casado", "divorciado", "viudo"}
RELIGIONS = {"catholic", "protestant", "muslim", "jewish", "hindu", "buddhist", "katholisch", "evangelisch"}
RELIGIONS |= {"muslimisch", "judisch", "catholique", "musulman", "catolico", "orthodox", "atheist"}
NATIONS = {"german", "french", "spanish", "british", "italian", "polish", "turkish", "american", "deutsch", "turkisch"}
NATIONS |= {"polnisch", "italienisch", "francais", "espanol", "allemand", "turc", "mexican", "indian", "chinese"}
SHAPES = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"),
    "account numbers": re.compile(r"[A-Z]{2}\d{2}[ ]?(?:[A-Z0-9]{4}[ ]?){2,7}[A-Z0-9]{1,4}"),
    "telephone numbers": re.compile(r"(?:\+|00)[\d ()/.-]{7,20}|0\d{2,5}[ /-]\d[\d -]{4,}"),
    "keys": re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "addresses in a network": re.compile(r"\d{1,3}(?:\.\d{1,3}){3}"),
}
LONGEST_CATEGORY = 60
YEAR_SECONDS = 365.25 * 86_400


def find_personal_content(facts: Facts) -> str | None:
    """Which attribute of a person the values are; None if they look like none."""
    if facts.form != "text" or not 2 <= facts.distinct <= 60:
        return None
    levels = {spell(str(level)) for level in facts.counts}
    words = [word for level in levels for word in level.split("_")]
    if levels <= SEXES and all(levels & sex for sex in BOTH_SEXES):
        return "sex"
    for attribute, known in (("marital status", MARITAL), ("religion", RELIGIONS), ("nationality", NATIONS)):
        if len(known.intersection(words)) >= 2:
            return attribute
    return None


def is_date_of_birth(facts: Facts, created: Facts) -> bool:
    """Whether a time lies where births of borrowers lie: 15 years before the loans at the latest, and far apart.

    Args:
        facts: of a time.
        created: of the time at which the loans were made.
    """
    if facts.form != "time" or None in (facts.low, facts.high, created.low, created.high):
        return False
    youngest = float(created.high or 0) - float(facts.high or 0)
    spread = float(facts.high or 0) - float(facts.low or 0)
    return youngest > 15 * YEAR_SECONDS and spread > 20 * YEAR_SECONDS


def find_identity_content(facts: Facts) -> str | None:
    """Which identity the values have the shape of; None if fewer than half of them have one."""
    if facts.form != "text":
        return None
    texts = [str(text) for text in facts.counts]
    return next((name for name, shape in SHAPES.items() if _are_most(texts, shape.fullmatch)), None)


def is_free_text(facts: Facts) -> bool:
    """Whether people typed the values: most are long, or have several words and differ from each other."""
    if facts.form != "text" or facts.distinct < 20:
        return False
    texts = [str(text) for text in facts.counts]
    many_words = _are_most(texts, lambda text: len(text.split()) > 2) and facts.distinct > facts.filled / 2
    return many_words or _are_most(texts, lambda text: len(text) > LONGEST_CATEGORY)


def _are_most(texts: Iterable[str], holds: Callable[[str], object]) -> bool:
    marks = [bool(holds(text)) for text in texts]
    return bool(marks) and sum(marks) > len(marks) / 2
