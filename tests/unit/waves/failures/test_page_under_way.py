"""A failure must stand on the page within seconds, also if nothing follows, and not every failure writes a page."""

from credit_assets.waves.failures.page_under_way import PageUnderWay
from credit_assets.waves.outcomes import Failed, Outcome, Scored

FAILED, SCORED = Failed("a", "cause", "message", 0.1), Scored("b", 1, 0.1, "d" * 64)


def test_a_page_is_shown_at_the_first_failure_and_then_every_two_seconds_at_most() -> None:
    shown, times = list[int](), [0.0]
    page = PageUnderWay(lambda outcomes: shown.append(len(outcomes)), lambda: times[0])
    outcomes: list[Outcome] = [SCORED]
    page.show_if_due(outcomes)
    assert shown == []
    outcomes.append(FAILED)
    page.show_if_due(outcomes)
    assert shown == [2]
    outcomes.append(FAILED)
    page.show_if_due(outcomes)
    assert shown == [2], "two pages within two seconds"
    times[0] = 2.0
    page.show_if_due(outcomes)
    page.show_if_due(outcomes)
    assert shown == [2, 3], "a failure that came too soon was never shown, or was shown twice"


def test_a_long_wave_shows_its_progress_though_nothing_fails_and_a_short_one_shows_none() -> None:
    shown, times = list[int](), [100.0]
    page = PageUnderWay(lambda outcomes: shown.append(len(outcomes)), lambda: times[0])
    for times[0] in (100.0, 129.0):
        page.show_if_due([SCORED])
    assert shown == [], "a page for every chunk"
    for times[0] in (130.0, 131.0, 159.0):
        page.show_if_due([SCORED, SCORED])
    assert shown == [2]
    times[0] = 160.0
    page.show_if_due([SCORED, SCORED, SCORED])
    assert shown == [2, 3]
