"""How long the pages of an asset, its partitions, a run and a wave take, after a month with eight waves a day."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.pages.browser import Browser, PageLoad, open_browser
from bench.pages.history import WAVES_A_DAY, repeat_wave
from bench.timing.children import make_module_command, run, show_progress
from bench.timing.served import serve_instance
from bench.timing.table import Goal, Row, Table
from bench.waves.platform import open_platform

# One of a hundred locations fails, as in a wave that nobody is alarmed about.
BREAK = """UPDATE applications SET income = NULL WHERE id IN (
  SELECT min(id) FROM applications WHERE right(location, 2) = '00' GROUP BY location)"""
TEXT = "document.body.textContent"
# The path of each page, and JavaScript that is true as soon as the page shows what it is opened for.
PAGES = {
    "asset": ("/assets/location_scores?view=overview", f"/Latest materialization.*Row count/s.test({TEXT})"),
    "partitions": (
        "/assets/location_scores?view=partitions",
        f"/Materialized \\([1-9]/.test({TEXT}) && {TEXT}.includes('branch-0001')",
    ),
    "run": ("/runs/{run}", f"/(Succeeded|Errored) \\([1-9]/.test({TEXT}) && /event type/i.test({TEXT})"),
    "run, whole log": ("/runs/{run}", f"/RUN_(SUCCESS|FAILURE)/.test({TEXT})"),
    "wave": ("/assets/wave?view=overview", f"/failed locations.*a repetition/s.test({TEXT})"),
    "wave, events": ("/assets/wave?view=events", f"/failed locations.*a repetition/s.test({TEXT})"),
}
SECONDS, APPLICATIONS = 2, 2


def measure_pages(counts: Sequence[int], days: int, rounds: int, pictures: Path | None) -> Iterator[Table]:
    """Makes a history for each number of locations, and opens every page in a browser.

    Args:
        counts: of locations.
        days: of waves.
        rounds: how often each page is opened after the first time.
        pictures: a folder for a picture of each page; None: no pictures.

    Raises:
        BenchError: there is no browser, or a page does not show its content.
    """
    for locations in counts:
        yield measure_one(locations, days, rounds, pictures)


def measure_one(locations: int, days: int, rounds: int, pictures: Path | None) -> Table:
    """The pages of one platform."""
    with open_browser() as browser, open_platform(locations, APPLICATIONS) as platform:
        platform.execute(BREAK)
        command = make_module_command("bench.waves.failing_waves", "score_locations", locations // 100, locations)
        wave = str(run(command, platform.environment).output["run"])
        last = repeat_wave(platform.environment["PLATFORM_HISTORY_URL"], wave, WAVES_A_DAY * days)
        with serve_instance(platform.environment, with_daemon=False) as webserver:
            # Loads the UI's scripts into the browser's cache.
            browser.visit(webserver.url, f"{TEXT}.includes('Overview')")
            loads = {name: open_page(browser, webserver.url, name, last, rounds) for name in PAGES}
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        for name, each in loads.items():
            (pictures / f"{name.replace(', ', '-').replace(' ', '-')}-{locations}.png").write_bytes(each[-1].picture)
    return tabulate_pages(loads, locations, days)


def open_page(browser: Browser, address: str, name: str, run_id: str, rounds: int) -> list[PageLoad]:
    """Opens one page for the first time, and then so many times more."""
    path, content = PAGES[name]
    loads = []
    for number in range(1 + rounds):
        show_progress(f"page {name}, {number + 1} of {1 + rounds}")
        loads.append(browser.visit(address + path.format(run=run_id), content))
    show_progress("")
    return loads


def tabulate_pages(loads: dict[str, list[PageLoad]], locations: int, days: int) -> Table:
    """Seconds of each page: the first time, and the median of the later times."""
    shown = {name: median(load.shown for load in each[1:]) for name, each in loads.items()}
    slowest = {
        name: max((load.queries[0] for load in each), key=lambda query: query.seconds) for name, each in loads.items()
    }
    return Table(
        f"Pages with {locations:,} partitions and {days} days of {WAVES_A_DAY} waves",
        ("first s", "s", "complete s", "queries", "kB of data", "slowest query s"),
        [
            Row(
                name,
                (
                    each[0].shown,
                    shown[name],
                    median(load.quiet for load in each[1:]),
                    len(each[-1].queries),
                    sum(query.size for query in each[-1].queries) / 1000,
                    slowest[name].seconds,
                ),
            )
            for name, each in loads.items()
        ],
        [
            Goal(f"s until the page {name} shows its content", each, SECONDS, at_least=False)
            for name, each in shown.items()
        ],
        [
            "Chromium, headless, with the UI's scripts in its cache. s: from the navigation to the content.",
            "The first visit after the start of the webserver stands apart; s is the median of the later ones.",
            "Complete: until the last query has ended. The log of a run comes over a WebSocket and is no query.",
            "Slowest queries: " + ", ".join(f"{query.name} ({name})" for name, query in slowest.items()) + ".",
        ],
    )
