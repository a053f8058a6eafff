#!/usr/bin/env bash
# restore.sh FOLDER: restores each FOLDER/DATABASE.dump into a new database, DATABASE_restoring. When all are complete, it drops
# what the last restore kept and renames all of them in one transaction. The old databases stay as DATABASE_replaced until
# the next restore is complete. libpq reads the server from its variables.
set -euo pipefail
cd "$1"
# An error of a COPY may quote a row of loans. So the server does not log it, and the message of pg_restore is cut below.
export PGOPTIONS="-c log_min_messages=fatal -c log_min_error_statement=panic"
ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname=postgres "$@"; }

shopt -s nullglob
databases=(*.dump)
databases=("${databases[@]%.dump}")
[ "${#databases[@]}" -gt 0 ] || { echo "error: $1 has no dump to restore" >&2; exit 1; }
names=$(IFS=,; echo "${databases[*]}")

sessions() { ask --set=names="$names" <<<"SELECT coalesce(sum(sessions), 0) FROM pg_stat_database WHERE datname = ANY (string_to_array(:'names', ','));"; }
connected() { ask --set=names="$names" <<<"SELECT datname || ' by ' || coalesce(nullif(application_name, ''), 'a program without a name') || ' at ' || coalesce(host(client_addr), 'this machine')
  FROM pg_stat_activity WHERE datname = ANY (string_to_array(:'names', ',')) AND backend_type = 'client backend';"; }

# A connection of Dagster lasts milliseconds. So new sessions are counted: if there are any, Dagster is running.
before=$(sessions)
sleep "${WATCH_SECONDS:-10}"
came=$(($(sessions) - before)) users=$(connected)
if [ "$came" -gt 0 ] || [ -n "$users" ]; then
  echo "error: $names are in use ($came connections in ${WATCH_SECONDS:-10} s; now: ${users:-none}). Nothing was changed." >&2
  echo "Stop the control plane and the runs first, as helm/restore does" >&2
  exit 1
fi

for database in "${databases[@]}"; do
  ask --set=restoring="${database}_restoring" <<'SQL'
SET client_min_messages = warning;
DROP DATABASE IF EXISTS :"restoring";
CREATE DATABASE :"restoring" TEMPLATE template0;
SQL
  # Of each message, keep pg_restore's words and one name in quotes. A second pair of quotes may hold a value of a row.
  pg_restore --exit-on-error --single-transaction --no-owner --dbname="${database}_restoring" "$database.dump" \
    2> >(sed -n 's/^\(pg_restore: [^"]*\("[^"]*"\)\?[^"]*\).*/\1/p' >&2)
  psql --no-psqlrc --quiet --dbname="${database}_restoring" --command=ANALYZE
done

# PostgreSQL can't drop a database in a transaction. So this comes right before the transaction.
for database in "${databases[@]}"; do
  ask --set=replaced="${database}_replaced" <<'SQL'
SET client_min_messages = warning;
DROP DATABASE IF EXISTS :"replaced";
SQL
done

{
  echo "BEGIN;"
  for database in "${databases[@]}"; do
    cat <<SQL
\\set database '${database//\'/\'\'}'
\\set replaced '${database//\'/\'\'}_replaced'
\\set restoring '${database//\'/\'\'}_restoring'
SELECT count(*) > 0 AS there FROM pg_database WHERE datname = :'database' \\gset
\\if :there
ALTER DATABASE :"database" RENAME TO :"replaced";
\\endif
ALTER DATABASE :"restoring" RENAME TO :"database";
SQL
  done
  echo "COMMIT;"
} | ask
echo "restored $names"
