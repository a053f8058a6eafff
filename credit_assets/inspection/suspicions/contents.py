"""What the values of a column say, whatever its name is: an attribute or an identity of a person, or free text.

Belongs here: patterns of values. Does not belong here: names (`names`). Nothing here returns a value.
"""

import re
from collections.abc import Callable, Iterable

from credit_assets.inspection.reading.facts import Facts
from credit_assets.inspection.suspicions.names import spell

SEXES = {"m", "f", "w", "d", "x", "male", "female", "man", "woman", "mann", "frau", "mannlich", "weiblich", "divers"}
SEXES |= {"homme", "femme", "masculin", "feminin", "hombre", "mujer", "masculino", "femenino", "unknown", "other"}
# How men and women are addressed says their sex.
MEN = {"mr", "herr", "hr", "m", "monsieur", "sr", "senor"}
WOMEN = {
    "mrs",
    "ms",
    "miss",
    "frau",
    "fr",
    "mme",
    "mlle",
    "madame",
    "mademoiselle",
    "sra",
    "srta",
    "senora",
    "senorita",
}
SEXES |= MEN | WOMEN | {"maennlich", "varon", "dr", "prof", "mx", "firma", "company"}
BOTH_SEXES = [{"m", "male", "man", "mann", "mannlich", "homme", "masculin", "hombre", "masculino"} | MEN]
BOTH_SEXES[0] |= {"maennlich", "varon"}
BOTH_SEXES += [{"f", "w", "female", "woman", "weiblich", "femme", "feminin", "mujer", "femenino"} | WOMEN]
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
TITLE = re.compile(r"(?:Herrn?|Hr|Frau|Fr|Mr|Mrs|Ms|Miss|Dr|Prof|Monsieur|Mme|Mlle|Madame|Sr|Sra|Srta|Don|Doña)\.?\s+")
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


def is_named_people(facts: Facts) -> bool:
    """Whether most values look like the name of a person: two or three words of letters with capitals, or a title.

    Ordinary categories do so too, for example `Single Family`.
    """
    return facts.form == "text" and _are_most(map(str, facts.counts), _is_persons_name)


def is_titled_people(facts: Facts) -> bool:
    """Whether most values are a name behind a title, for example `Mrs`; no ordinary category is."""
    return facts.form == "text" and _are_most(
        map(str, facts.counts), lambda text: bool(TITLE.match(text)) and _is_persons_name(text)
    )


def _is_persons_name(text: str) -> bool:
    rest, titles = text.strip(), 0
    while title := TITLE.match(rest):
        rest, titles = rest[title.end() :], titles + 1
    words = rest.replace(",", " ").split()
    capitals = [word for word in words if word[:1].isupper()]
    letters = all(part.isalpha() for word in words for part in re.split(r"[-'’]", word.removesuffix(".")))
    # Small words stand between the others: Ludwig van Beethoven, María de la Cruz.
    return letters and (1 if titles else 2) <= len(capitals) <= 3 and all(word[:1].isupper() for word in words[-1:])


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
