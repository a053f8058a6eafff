"""A runbook that quotes a message which no program prints is searched for in vain, at night."""

import re
from pathlib import Path

import pytest

from tests.support.pages import ROOT, name_of, spans

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
SOURCES = [
    *(each for package in ("resources", "sensors", "credit_assets") for each in ROOT.glob(f"{package}/**/*.py")),
    *ROOT.glob("helm/credit-platform/files/*"),
    ROOT / "helm" / "restore",
]
COMMANDS = ("kubectl ", "helm", "logs ", "ask ", "credit-platform ", "export ", "make ", "psql ")
FOREIGN = {'relation "runs" does not exist'}  # PostgreSQL's own


def pieces(message: str) -> list[str]:
    """The fixed words of a message: between … and capital placeholders, and without numbers."""
    return [each.strip(" :") for each in re.split(r"…|\bN\b|\d+", message) if len(each.strip(" :")) > 2]


@pytest.mark.parametrize("page", RUNBOOKS, ids=name_of)
def test_every_message_that_a_runbook_quotes_is_printed_by_a_program(page: Path) -> None:
    source = " ".join(" ".join(file.read_text() for file in SOURCES).split())
    source = re.sub(r'" f?"', "", source)  # a text that goes on in the next line
    quoted = {
        each for each in spans(page) if " " in each and not each.startswith(COMMANDS) and "=" not in each
    } - FOREIGN
    quoted = {each for each in quoted if not re.match(r"[\w.]+: \w+$", each)}  # a value of the chart
    missing = {each for each in quoted if not all(piece in source for piece in pieces(each))}
    assert not missing, f"{name_of(page)} quotes {missing}"
