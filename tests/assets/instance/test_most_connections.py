"""A process without a limit of connections uses them all up; one with too low a limit waits for itself."""

import threading
import time
from contextlib import ExitStack, closing

import psycopg2
from psycopg2.extensions import parse_dsn


def count_connections(postgres, database_url) -> int:
    """Connections to the database, as its server counts them, once those that end have ended."""
    with closing(psycopg2.connect(postgres.create_database("postgres"))) as other, other.cursor() as cursor:
        other.autocommit = True
        counts = []
        while len(counts) < 2 or counts[-1] != counts[-2]:
            time.sleep(0.3)
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (parse_dsn(database_url)["dbname"],)
            )
            counts += [found for (found,) in cursor.fetchall()]
    return counts[-1]


def test_a_process_opens_twenty_connections_more_than_it_keeps_and_the_next_who_asks_waits(
    opened, postgres, database_url
) -> None:
    kept, more = 2, 20
    with opened(pool_size=kept) as instance, ExitStack() as rest:
        storage, given = instance.run_storage, threading.Event()

        def ask_for_one_more() -> None:
            with storage.connect():
                given.set()

        with storage.connect():
            for _ in range(kept + more - 1):
                rest.enter_context(storage.connect())
            asking = threading.Thread(target=ask_for_one_more)
            asking.start()
            assert not given.wait(1), "it is given more connections than the limit"
        assert given.wait(10), "one was given back, and nobody got it"
        asking.join(10)
        assert count_connections(postgres, database_url) == kept + more
        rest.close()
        assert count_connections(postgres, database_url) == kept, "what was opened for a moment stays open"
