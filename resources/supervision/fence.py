"""The fence: what PostgreSQL itself refuses, no matter who asks and how late.

It refuses three things:
- an event or a status that a worker writes after its lease was revoked,
- a worker's attempt to change the status of a run that has failed or was canceled,
- a second automatic retry of one run.

A worker that was given up may live on, because its node was only cut off, or because it was frozen and wakes up. Stock
Dagster lets it write on and turn its failed run into a success. Here the name of its connection contains the worker's
name, and a trigger looks for its lease in the same transaction that writes. So no time passes between the check and the
write. (Kleppmann, How to do distributed locking, 2016: a lock needs a fence at the store.)
"""

from resources.errors import PlatformError
from resources.supervision.lease_table import LeaseConnection

# The start of the name of each connection that a worker opens (PGAPPNAME); the name of its pod follows.
WORKER = "worker "
# FOR SHARE: nobody can revoke the lease between this check and the end of the transaction that writes.
FENCE = """DO $$ BEGIN
  IF (SELECT count(*) FROM pg_trigger WHERE tgname IN ('lease_fence', 'ended_stays')) < 3
      AND to_regclass('event_logs') IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('leases'));
    CREATE OR REPLACE FUNCTION refuse_without_lease() RETURNS trigger LANGUAGE plpgsql AS $fence$
    DECLARE called text := current_setting('application_name');
    BEGIN
      IF starts_with(called, %(worker)s) THEN
        PERFORM FROM leases WHERE holder = substr(called, length(%(worker)s) + 1) FOR SHARE;
        IF NOT FOUND THEN
          RAISE EXCEPTION '%% has no lease any more: its run was given up, and goes on elsewhere', called
            USING ERRCODE = 'insufficient_privilege';
        END IF;
      END IF;
      RETURN NULL;
    END $fence$;
    CREATE OR REPLACE TRIGGER lease_fence BEFORE INSERT OR UPDATE ON event_logs EXECUTE FUNCTION refuse_without_lease();
    CREATE OR REPLACE TRIGGER lease_fence BEFORE INSERT OR UPDATE ON runs EXECUTE FUNCTION refuse_without_lease();
    CREATE OR REPLACE FUNCTION refuse_to_revive() RETURNS trigger LANGUAGE plpgsql AS $fence$
    BEGIN
      RAISE EXCEPTION 'run %% has ended as %% and stays so', OLD.run_id, OLD.status
        USING ERRCODE = 'insufficient_privilege';
    END $fence$;
    CREATE OR REPLACE TRIGGER ended_stays BEFORE UPDATE ON runs FOR EACH ROW
      WHEN (OLD.status IN ('FAILURE', 'CANCELED') AND NEW.status <> OLD.status
        AND starts_with(current_setting('application_name'), %(worker)s)) EXECUTE FUNCTION refuse_to_revive();
  END IF;
END $$;
SELECT count(*) FROM pg_trigger WHERE tgname IN ('lease_fence', 'ended_stays')"""

# A unique index lets only one retry of a run exist. It covers automatic retries only: Dagster's daemon and the sensor
# for lost retries number theirs, and a person's re-execution has no number. If a database already has a run with two
# retries, from a release without this index, it goes on without the index and writes a warning.
ONE_RETRY = """DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('one_retry'));
  IF to_regclass('one_retry') IS NULL THEN
    CREATE UNIQUE INDEX one_retry ON runs ((run_body::jsonb #>> '{tags,dagster/parent_run_id}'))
      WHERE run_body::jsonb -> 'tags' ? 'dagster/retry_number';
  END IF;
EXCEPTION WHEN unique_violation THEN
  RAISE WARNING 'some runs have two retries already: nothing prevents more of them until these are deleted';
END $$"""


class NotFenced(PlatformError):
    """Dagster's tables are not in the database of the leases."""


def raise_fence(connection: LeaseConnection) -> None:
    """Creates the triggers of the fence, unless they are there.

    Raises:
        NotFenced: this database has no tables of Dagster.
        psycopg2.Error: the database did not answer.
    """
    if connection.fetch_value(FENCE, worker=WORKER) != 3:
        raise NotFenced(
            "PGDATABASE names a database without Dagster's tables: set it to the database of Dagster's storage"
        )
