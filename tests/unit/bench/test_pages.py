"""A page whose slow visit is left out of its figure looks fast to whoever reads the table, and to nobody else."""

import shutil

import pytest

from bench.pages.browser import PageLoad, Request, name_request, open_browser
from bench.pages.measurement import PAGES, tabulate_pages
from bench.timing.children import BenchError


def load(shown: float, *queries: tuple[str, float]) -> PageLoad:
    requests = [Request(name, 5.0, 5.0 + seconds, 1_000) for name, seconds in queries]
    return PageLoad(shown, shown + 0.5, [Request("/_next/script.js", 5.0), *requests], b"")


def test_the_first_visit_stands_apart_and_the_slowest_query_of_all_visits_is_named() -> None:
    loads = {name: [load(3.0, ("Cold", 2.5)), load(1.0, ("Warm", 0.4)), load(1.2, ("Warm", 0.6))] for name in PAGES}
    table = tabulate_pages(loads, 2_000, 30)
    assert list(table.rows[0].figures) == pytest.approx([3.0, 1.1, 1.6, 1, 1.0, 2.5])
    assert all(goal.is_met for goal in table.goals)
    assert any("Cold (asset)" in note for note in table.notes)


def test_a_page_that_is_slow_every_time_misses_its_goal() -> None:
    loads = {name: [load(3.0, ("Query", 1.0)), load(2.1 if name == "run" else 1.0, ("Query", 1.0))] for name in PAGES}
    assert [str(goal).split()[:6] for goal in tabulate_pages(loads, 2_000, 30).goals if not goal.is_met] == [
        ["MISSED", "2.1", "s", "until", "the", "page"]
    ]


def test_a_query_has_the_name_of_its_operation_and_a_file_that_of_its_path() -> None:
    assert name_request("http://127.0.0.1:3000/graphql", '{"operationName":"RunRootQuery","variables":{}}') == (
        "RunRootQuery"
    )
    assert name_request("http://127.0.0.1:3000/_next/a.js?v=1", "") == "/_next/a.js"
    assert len(name_request("data:font/woff2;base64," + "A" * 9_000, "")) < 100


def test_a_machine_without_a_browser_is_refused_and_not_passed_over(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(BenchError, match=r"no browser: .* Install one of chromium"), open_browser():
        pass
