"""The pages of documentation, taken apart: prose, code spans, code blocks, headings and links.

Belongs here: how Markdown is read. Does not belong here: what is required of a page (tests/unit/project).
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[([^\]]*)\]\(([^)]+)\)")
ITEM = re.compile(r"^\s*([-*]|\d+\.) ")
ROW_RULE = re.compile(r"^\|[\s|:-]+\|$")


def name_of(page: Path) -> str:
    """A page's path in the repository."""
    return str(page.relative_to(ROOT))


def code_blocks(page: Path, language: str | None = None) -> list[str]:
    """The fenced blocks of a page, of one language or of all."""
    return [code for kind, code in FENCE.findall(page.read_text()) if language in (None, kind)]


def spans(page: Path) -> list[str]:
    """What stands between backticks outside of fenced blocks."""
    return SPAN.findall(FENCE.sub("", page.read_text()))


def links(page: Path) -> list[str]:
    """The targets of all links and pictures outside of fenced blocks."""
    return [target for _, target in LINK.findall(FENCE.sub("", page.read_text()))]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def paragraphs(text: str) -> Iterator[str]:
    """The prose of a page in pieces: paragraphs, headings, list items and table cells; no fenced block.

    A code span counts as one word, and a link as its text. A heading, and a line that ends in a colon, end their piece.
    """
    text = FENCE.sub("\n", text)
    piece: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            cells = [] if ROW_RULE.match(line) else SPAN.sub("Code", line).replace("\\|", " ").strip("|").split("|")
            starts, rest = True, [cell.strip() for cell in cells if cell.strip()]
        else:
            starts, rest = not line.strip() or bool(ITEM.match(line)) or line.startswith("#"), []
        if starts and piece:
            yield _plain(" ".join(piece))
            piece = []
        yield from map(_plain, rest)
        if not line.startswith("|") and line.strip():
            piece.append(ITEM.sub("", line.lstrip("# ")).strip())
            if line.endswith(":") or line.startswith("#"):
                yield _plain(" ".join(piece))
                piece = []


def _plain(piece: str) -> str:
    return LINK.sub(r"\1", SPAN.sub("Code", piece)).replace("**", "").replace("*", "")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page's prose."""
    for piece in paragraphs(text):
        yield from (each.strip() for each in re.split(r"(?<=[.!?])\)?\s+(?=[\"(A-Z*0-9…])", piece) if each.strip())


def words(sentence: str) -> int:
    """How many words a sentence has; numbers, units and signs alone are none."""
    return len([word for word in sentence.split() if re.search(r"[A-Za-z]{2}|\b[aAI]\b", word)])


@contextmanager
def module_of(name: str, code: str) -> Iterator[ModuleType]:
    """A module made of code that a page shows, for as long as it is needed."""
    module = sys.modules[name] = ModuleType(name)
    try:
        exec(compile(code, name, "exec"), module.__dict__)
        yield module
    finally:
        del sys.modules[name]
