"""The prices are what others read: two runs at once must make no jump of two steps, and bring no old rate back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from credit_assets.pricing.decisions import Priced, PublishedPrice
from credit_assets.pricing.prices_table import PRICE_COLUMNS, PricesError, open_prices, publish_prices
from resources.services.database import Database, DatabaseError
from tests.support.settings import make_pricing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ODD = 'it\'s a "name", \\N\n🏦' + "x" * 190
PRICING = make_pricing()


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(url=database_url, setting="PLATFORM_SCORES_URL")


def publish(database: Database, rate: float, hours: int, *segments: str) -> dict[str, PublishedPrice]:
    """Publishes a rate whose scores were read so many hours after noon: the prices before."""
    priced = [Priced(segment, rate, None, 20, 1 / 3, NOON) for segment in segments]
    with database.open_transaction() as cursor:
        before = open_prices(cursor, PRICING)
        publish_prices(cursor, PRICING, priced, "a-run", NOON + timedelta(hours=hours))
    return before


def test_what_was_published_is_what_the_next_run_compares_with(database: Database) -> None:
    assert publish(database, 0.08, 0, ODD, "south") == {}
    assert publish(database, 0.09, 1, "south") == dict.fromkeys([ODD, "south"], PublishedPrice(0.08, NOON))
    one_hour_later = PublishedPrice(0.09, NOON + timedelta(hours=1))
    assert publish(database, 0.09, 1) == {ODD: PublishedPrice(0.08, NOON), "south": one_hour_later}
    with database.open_snapshot() as cursor:
        cursor.execute(f"SELECT {', '.join(PRICE_COLUMNS)} FROM prices WHERE segment = 'south'")
        assert cursor.fetchall() == [("south", 0.09, 20, 1 / 3, NOON, "a-run", NOON + timedelta(hours=1))]


def test_an_older_price_never_takes_the_place_of_a_newer_one_and_the_same_may_be_written_again(
    database: Database,
) -> None:
    publish(database, 0.09, 1, "south")
    publish(database, 0.08, 0, "south", "north")
    publish(database, 0.09, 1, "south")
    found = publish(database, 0.0, 2)
    assert {segment: price.rate for segment, price in found.items()} == {"south": 0.09, "north": 0.08}


def test_a_second_run_compares_with_what_the_first_has_published_even_if_both_are_at_work(database: Database) -> None:
    publish(database, 0.08, 0, "south")
    with ThreadPoolExecutor(1) as pool:
        with database.open_transaction() as cursor:
            open_prices(cursor, PRICING)
            second = pool.submit(publish, database, 0.11, 2, "south")
            publish_prices(cursor, PRICING, [Priced("south", 0.1, 0.08, 20, 0.1, NOON)], "first", NOON)
            assert not second.done()
        assert second.result(60)["south"].rate == 0.1


def test_a_price_of_another_table_is_refused_and_nothing_is_published_after_an_error(database: Database) -> None:
    publish(database, 0.08, 0, "south")
    with pytest.raises(DatabaseError):
        publish(database, float("nan"), 1, "south", "south")
    assert publish(database, 0.09, 1)["south"].rate == 0.08
    with database.open_transaction() as cursor:
        cursor.execute("ALTER TABLE prices DROP CONSTRAINT prices_pkey")
    with pytest.raises(PricesError, match="table prices has no unique index on its column segment"):
        publish(database, 0.09, 2, "south")
