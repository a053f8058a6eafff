"""What PostgreSQL tells about runs (`NOTIFY`), and the thread that listens (`LISTEN`).

News only makes a part of the daemon look earlier. A part without news looks once a second, so lost news costs a second
and no run.
"""

import logging
import select
import threading
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg2.extensions import connection

log = logging.getLogger(__name__)


class Topic(StrEnum):
    """What news is about; the value is the name of its channel."""

    QUEUE = "platform_queue"  # a run waits, or one has ended and makes room
    FAILURES = "platform_failures"  # the failure of a run can be read


# The condition of a trigger is checked without a call, so the other events of a run cost nothing more.
TELL = """DO $$ BEGIN
  IF (SELECT count(*) FROM pg_trigger WHERE tgname = 'news_of_runs') < 2 AND to_regclass('event_logs') IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('news_of_runs'));
    CREATE OR REPLACE FUNCTION tell_news() RETURNS trigger LANGUAGE plpgsql AS $tell$
    BEGIN
      PERFORM pg_notify(TG_ARGV[0], '');
      RETURN NULL;
    END $tell$;
    CREATE OR REPLACE TRIGGER news_of_runs AFTER INSERT OR UPDATE OF status ON runs FOR EACH ROW
      WHEN (NEW.status IN ('QUEUED', 'SUCCESS', 'FAILURE', 'CANCELED')) EXECUTE FUNCTION tell_news(%(queue)s);
    CREATE OR REPLACE TRIGGER news_of_runs AFTER INSERT ON event_logs FOR EACH ROW
      WHEN (NEW.dagster_event_type = 'PIPELINE_FAILURE') EXECUTE FUNCTION tell_news(%(failures)s);
  END IF;
END $$"""
# A connection to a node that lost its power says nothing. The kernel asks it, and gives it up after 11 s.
ALIVE: dict[str, Any] = {"connect_timeout": 3, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
# Seconds between two tries to connect, and after which a silent connection is looked at again.
PAUSE, LOOK = 1.0, 60.0


class News:
    """Hears what PostgreSQL tells, in a thread, and wakes those who wait for it.

    Args:
        dsn: libpq's connection string; empty: libpq's environment variables (PGHOST, PGPASSWORD, …).
        pause: seconds between two tries to connect.
    """

    def __init__(self, dsn: str = "", pause: float = PAUSE) -> None:
        self._dsn, self._pause = dsn, pause
        self._told = {topic: threading.Event() for topic in Topic}
        self._over = threading.Event()

    def start(self) -> None:
        """Begins to listen. It goes on until `stop`, or until this process ends."""
        threading.Thread(target=self._listen_for_ever, name="news", daemon=True).start()

    def stop(self) -> None:
        """Does not listen again once PostgreSQL is gone."""
        self._over.set()

    def wait(self, topic: Topic, seconds: float) -> bool:
        """Waits for news, or for so many seconds; whether there is news. One waiter for each topic."""
        told = self._told[topic].wait(seconds)
        self._told[topic].clear()
        return told

    def _listen_for_ever(self) -> None:
        import psycopg2

        while not self._over.wait(self._pause):
            try:
                self._listen()
            except psycopg2.Error as error:
                if not self._over.is_set():
                    log.warning("no news of runs, they are looked for: %s", " ".join(str(error).split()))

    def _listen(self) -> None:
        """Listens until PostgreSQL is gone.

        Raises:
            psycopg2.Error: it is.
        """
        import psycopg2

        listening = psycopg2.connect(self._dsn, application_name="news of runs", **ALIVE)
        try:
            listening.autocommit = True
            with listening.cursor() as cursor:
                cursor.execute(TELL, {"queue": Topic.QUEUE, "failures": Topic.FAILURES})
                for topic in Topic:
                    cursor.execute(f'LISTEN "{topic}"')
            for told in self._told.values():  # what was told before is not told again
                told.set()
            while True:
                self._hear(listening)
        finally:
            listening.close()

    def _hear(self, listening: "connection") -> None:
        select.select([listening], [], [], LOOK)
        listening.poll()
        while listening.notifies:
            self._told[Topic(listening.notifies.pop().channel)].set()
