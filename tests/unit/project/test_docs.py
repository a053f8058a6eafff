"""Documentation that names a command or a file which is not there sends the newcomer away on the first page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", page.read_text())) | set(
        re.findall(r"^make ([a-z]+)", page.read_text(), re.MULTILINE)
    )
    assert named <= targets, f"{page.name} names {sorted(named - targets)}; the Makefile has {sorted(targets)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken, f"{page.name} links to {broken}"


def test_every_decision_is_dated_and_has_a_status() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert pages
    for page in pages:
        heading, status = page.read_text().splitlines()[:2]
        assert heading.startswith(f"# {page.name[:4]}: "), page.name
        assert re.fullmatch(r"20\d\d-\d\d-\d\d, (accepted|replaced by \d{4})\.", status), page.name


def test_the_ci_calls_what_the_readme_tells_people_to_call() -> None:
    steps = re.findall(r"^make .*$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert steps
    readme = (ROOT / "README.md").read_text()
    for step in steps:
        assert step in readme, f".ci/run calls `{step}`, which the README does not name"
    assert {"make run", "make test", "make check"} <= set(steps)
