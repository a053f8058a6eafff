"""The table of prices: one row for each segment, with the newest rate that was published.

Belongs here: its columns, and how rows get in and out. Does not belong here: which rates are published (`decisions`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from credit_assets.pricing.decisions import Priced, PublishedPrice
from credit_assets.settings.names import quote_table
from credit_assets.settings.pricing import Pricing
from credit_assets.tables.written import WrittenTable, create_table, lock_table, row_schema, upsert_rows
from resources.errors import PlatformError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

PRICE_COLUMNS = {
    "segment": "text",
    "rate": "double precision",
    "scores": "bigint",
    "mean_probability": "double precision",
    "oldest_score": "timestamp with time zone",
    "run": "text",
    "priced_at": "timestamp with time zone",
}


class PricesError(PlatformError, ValueError):
    """The table of prices is not one: names it, its columns, what was expected, and what to do."""


def open_prices(cursor: "cursor", pricing: Pricing) -> dict[str, PublishedPrice]:
    """The published price of each segment. Until the transaction ends, no other run publishes.

    Of two runs at once, each compares with what the other has published, so that two small steps are no jump.

    Args:
        cursor: of a transaction that may write.
        pricing: which table it is. It is made if it is missing.

    Raises:
        PricesError: there is a table of this name with other columns, or without its key.
    """
    table = _declare_prices(pricing)
    lock_table(cursor, table)
    create_table(cursor, table)
    cursor.execute(f"SELECT segment, rate, priced_at FROM {quote_table(table.name)}")  # noqa: S608 all names are quoted
    return {segment: PublishedPrice(rate, priced_at) for segment, rate, priced_at in cursor.fetchall()}


def publish_prices(cursor: "cursor", pricing: Pricing, priced: Sequence[Priced], run: str, now: datetime) -> None:
    """Writes prices. A price whose scores were read later stays.

    Args:
        cursor: of the transaction in which `open_prices` was called.
        pricing: which table it is.
        priced: one for each segment.
        run: id of the run.
        now: when the scores were read, with a time zone.
    """
    import pyarrow as pa

    rows = [
        {
            "segment": each.segment,
            "rate": each.rate,
            "scores": each.scores,
            "mean_probability": each.mean_probability,
            "oldest_score": each.oldest,
            "run": run,
            "priced_at": now,
        }
        for each in priced
    ]
    upsert_rows(cursor, _declare_prices(pricing), pa.Table.from_pylist(rows, row_schema(PRICE_COLUMNS)))


def _declare_prices(pricing: Pricing) -> WrittenTable:
    return WrittenTable(
        name=pricing.prices,
        setting="pricing.prices",
        content="prices",
        columns=PRICE_COLUMNS,
        key="segment",
        version="priced_at",
        error=PricesError,
    )
