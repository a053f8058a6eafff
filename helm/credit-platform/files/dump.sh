#!/usr/bin/env bash
# dump.sh FOLDER DATABASE…: dumps databases into a folder, one snapshot each; the first is Dagster's. Where they are, and
# whose, say libpq's variables (PGHOST, PGUSER, PGPASSWORD): no password is in a command line.
set -euo pipefail
folder=$1
shift

# Before the first snapshot, so that a backup never claims to hold what came after it.
date -u +%Y%m%dT%H%M%SZ >"$folder/taken-at"

# A PostgreSQL that came up empty after its volume was lost must not push out the backups that are needed now.
runs=$(psql --no-psqlrc --tuples-only --no-align --dbname="$1" --command="SELECT EXISTS (SELECT FROM runs)")
if [ "$runs" != t ]; then
  echo "error: database $1 is empty: it has no run. If it was lost, restore it (docs/runbooks/restore-postgresql.md)" >&2
  exit 1
fi

for database in "$@"; do
  pg_dump --format=custom --lock-wait-timeout=60s --file="$folder/$database.dump" "$database"
  echo "dumped $database: $(stat --format=%s "$folder/$database.dump") bytes"
done
