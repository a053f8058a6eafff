#!/usr/bin/env bash
# dump.sh FOLDER DATABASE…: dumps each database into the folder, from one snapshot. The first database is Dagster's.
# libpq reads the server and the password from its variables (PGHOST, PGUSER, PGPASSWORD): no command line has a password.
set -euo pipefail
folder=$1
shift

# The time is taken before the first snapshot, so that a backup never claims to have what came later.
date -u +%Y%m%dT%H%M%SZ >"$folder/taken-at"

# If the volume was lost, PostgreSQL starts with an empty one. Backups of it would replace those that are needed now.
runs=$(psql --no-psqlrc --tuples-only --no-align --dbname="$1" --command="SELECT EXISTS (SELECT FROM runs)")
if [ "$runs" != t ]; then
  echo "error: database $1 is empty: it has no run. If it was lost, restore it (docs/runbooks/restore-postgresql.md)" >&2
  exit 1
fi

for database in "$@"; do
  pg_dump --format=custom --lock-wait-timeout=60s --file="$folder/$database.dump" "$database"
  echo "dumped $database: $(stat --format=%s "$folder/$database.dump") bytes"
done
