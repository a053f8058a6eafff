"""The fence: what PostgreSQL itself refuses, whoever asks and however late.

It refuses what a worker writes about its run once the run's lease is no longer its own, a worker that turns a run that
was ended by others into another, and a second retry of one run.
A worker that was given up may live on: its node was cut off, or it was frozen and wakes up. Stock Dagster lets it write
on and turn its failed run green. Here its connections carry its name, and a trigger looks for its lease in the very
transaction that writes, so that there is no moment between the question and the deed.
(Kleppmann, How to do distributed locking, 2016: a lock needs a fence at the store.)
"""

from resources.supervision.lease import Leases

# What a worker's connections are called, before its name (PGAPPNAME).
WORKER = "worker "
# FOR SHARE: a lease isn't revoked between this look and the end of the statement that is looked at.
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

# Dagster's daemon and the sensor for lost retries both number theirs; a person's re-execution has no number. A run that
# is there twice already, from before there was this index, leaves the database without it.
ONE_RETRY = """DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('one_retry'));
  IF to_regclass('one_retry') IS NULL THEN
    CREATE UNIQUE INDEX one_retry ON runs ((run_body::jsonb #>> '{tags,dagster/parent_run_id}'))
      WHERE run_body::jsonb -> 'tags' ? 'dagster/retry_number';
  END IF;
EXCEPTION WHEN unique_violation THEN
  RAISE WARNING 'runs that were retried twice are there: nothing keeps others from it until they are deleted';
END $$"""


class NotFenced(Exception):
    """Dagster's tables are not where the leases are."""


def raise_fence(leases: Leases) -> None:
    """Sees to it that the fence stands.

    Raises:
        NotFenced: there are no tables of Dagster's in this database.
        psycopg2.Error: the database can't be asked.
    """
    if leases.ask(FENCE, worker=WORKER) != 3:
        raise NotFenced("PGDATABASE names a database without Dagster's tables: it must be the one of its storage")
