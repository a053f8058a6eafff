"""A sentence that must be read twice is not read, least of all by somebody whose first language is not English."""

import re
from pathlib import Path

import pytest

from tests.support.pages import FENCE, LINK, PAGES, SPAN, name_of, paragraphs, sentences, words

MOST_WORDS, LONGEST_LINE = 30, 160
# Private words, with what to write instead. A code span may have them: it is a name.
BANNED = {
    r"\bstock\b": "Dagster's own, unmodified Dagster",
    r"\btuned\b(?! settings)": "with tuned settings",
    r"\b(gave|given?|gives) up\b": "revoked, failed",
    r"\breclaim": "taken away with notice",
    r"\bstorms?\b": "many losses in a row",
    r"\bpromised\b": "automatic",
    r"\bchampion\b": "the promoted model",
    r"\bnodes? that stays?\b": "on-demand node",
    r"\barrows?\b": "step",
    r"\bback-?off\b": "random wait",
    r"\bwatermark\b": "greatest id",
    r"\bmend(ed)?\b": "corrected",
    r"\bhouse\b": "project",
    r"\btold\b": "informed, logged",
    r"\bis asked\b(?! to)": "who asks, and what",
    r"\bnobody need\b": "is not needed",
    r"\bmaster\b": "",
}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_sentence_is_longer_than_thirty_words(page: Path) -> None:
    long = [f"{words(each)}: {each}" for each in sentences(page.read_text()) if words(each) > MOST_WORDS]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_line_needs_a_wider_screen(page: Path) -> None:
    text = FENCE.sub(lambda block: "\n" * block[0].count("\n"), page.read_text())
    wide = [number for number, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST_LINE]
    assert not wide, f"{name_of(page)}: lines {wide} have more than {LONGEST_LINE} characters"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_uses_a_private_word_that_the_glossary_does_not_explain(page: Path) -> None:
    text = "\n".join(paragraphs(page.read_text()))
    found = {word: better for word, better in BANNED.items() if re.search(word, text, re.IGNORECASE)}
    assert not found, f"{name_of(page)} uses {found}"


def test_the_glossary_explains_few_words_in_one_sentence_each() -> None:
    (page,) = (each for each in PAGES if each.name == "glossary.md")
    rows = re.findall(r"^\| ([\w ]+) \| (.+) \|$", page.read_text(), re.MULTILINE)[1:]
    assert 18 <= len(rows) <= 30
    assert [word for word, _ in rows] == sorted(word for word, _ in rows)
    for word, meaning in rows:
        assert word.lower() in meaning.lower(), word
        assert len(list(sentences(meaning))) == 1, word


def test_the_reader_of_pages_sees_sentences_where_a_person_does() -> None:
    text = "# A title\nOne line\nand its rest. Another `a b c` word.\n\n- item [one](x.md)\n- two\n"
    text += "\n| a | b c |\n|---|---|\n"
    assert list(sentences(text)) == [
        "A title", "One line and its rest.", "Another Code word.", "item one", "two", "a", "b c",
    ]  # fmt: skip
    assert words("Of 14.5 s; one code: a word") == 5
    assert SPAN.findall("`x` y") == ["x"]
    assert LINK.findall("[a](b#c)") == [("a", "b#c")]
