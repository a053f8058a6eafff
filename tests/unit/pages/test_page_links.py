"""Documentation that names a command or a file which does not exist sends the newcomer away on the first page."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.pages import PAGES, ROOT, anchors, links, name_of

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*/*.md"), key=lambda page: page.name)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    found = {*re.findall(r"`make ([a-z]+)", text), *re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z]+)", text, re.MULTILINE)}
    assert found <= targets, f"{page.name} names {sorted(found - targets)}; the Makefile has {sorted(targets)}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    broken = []
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken, f"{name_of(page)} links to {broken}"


@pytest.mark.parametrize("page", [each for each in PAGES if each.is_relative_to(ROOT / "docs")], ids=name_of)
def test_every_page_can_be_reached_from_the_readme(page: Path) -> None:
    reached, more = set[Path](), [ROOT / "README.md"]
    while more:
        each = more.pop()
        if each in reached or not each.exists():
            continue
        reached.add(each)
        targets = [(each.parent / link.partition("#")[0]).resolve() for link in links(each) if "://" not in link]
        more += [found for target in targets for found in (target.glob("*.md") if target.is_dir() else [target])
                 if found.suffix == ".md"]  # fmt: skip
    assert page in reached


def test_every_page_that_code_names_exists() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("no git here: an archive of the sources")
    files = [ROOT / name for name in tracked.stdout.splitlines() if not name.endswith((".md", ".png", ".csv"))]
    broken = {
        (str(file.relative_to(ROOT)), page)
        for file in files
        if file.is_file() and file.name != Path(__file__).name
        for page in re.findall(r"\bdocs/[\w/.-]+\.md", file.read_text(errors="replace"))
        if not (ROOT / page).exists()
    }
    assert not broken


def test_every_decision_is_dated_and_has_a_status() -> None:
    assert DECISIONS
    for page in DECISIONS:
        heading, status = page.read_text().splitlines()[:2]
        assert heading.startswith(f"# {page.name[:4]}: "), page.name
        day = r"20\d\d-\d\d-\d\d"
        assert re.fullmatch(rf"{day}, (accepted|replaced by \d{{4}})\.( Changed {day}(: .+)?\.)?", status), page.name


def test_the_list_of_decisions_has_every_page_once_with_its_title_and_numbers_have_no_gap() -> None:
    index = ROOT / "docs" / "decisions" / "README.md"
    listed = re.findall(r"^- \[(\d{4})\]\(([^)]+)\): (.+)\.$", index.read_text(), re.MULTILINE)
    titles = [page.read_text().splitlines()[0].removeprefix("# ").partition(": ") for page in DECISIONS]
    pages = [str(page.relative_to(index.parent)) for page in DECISIONS]
    assert sorted(listed) == [(number, page, title) for page, (number, _, title) in zip(pages, titles, strict=True)]
    assert [int(number) for number, _, _ in titles] == list(range(1, len(DECISIONS) + 1))
    assert list(index.parent.glob("*.md")) == [index], "a decision lies in the folder of its subject"


def test_a_decision_has_the_date_on_which_it_was_added() -> None:
    for page in DECISIONS:
        # --follow: a page that was moved keeps its date.
        log = subprocess.run(
            ["git", "log", "--follow", "-m", "--diff-filter=A", "--format=%as", "--", str(page)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if log.returncode or not log.stdout:
            pytest.skip("no history here: an archive, a shallow clone, or a decision that is not committed yet")
        assert page.read_text().splitlines()[1].startswith(log.stdout.split()[-1]), page.name


def test_the_ci_calls_what_the_readme_tells_people_to_call() -> None:
    steps = re.findall(r"^make .*$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert steps
    readme = (ROOT / "README.md").read_text()
    for step in steps:
        assert step in readme, f".ci/run calls `{step}`, which the README does not name"
    assert {"make run", "make test", "make check"} <= set(steps)


def test_a_runbook_has_meaning_impact_diagnosis_and_mitigation_in_this_order() -> None:
    pages = [each for each in (ROOT / "docs" / "runbooks").glob("*.md") if each.name != "README.md"]
    assert pages
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings[:4] == ["Meaning", "Impact", "Diagnosis", "Mitigation"], page.name
        assert "ask() {" not in page.read_text(), f"{page.name} copies the function of README.md"
        uses = re.search(r'^ask "', page.read_text(), re.MULTILINE) is not None
        assert not uses or "README.md#before-you-start" in links(page), page.name
