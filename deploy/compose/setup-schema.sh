#!/bin/sh
# Temporal's tables: made where there are none, brought up to the server's version otherwise. Harmless to repeat.
set -eu

: "${POSTGRES_SEEDS:?names the PostgreSQL host}" "${POSTGRES_USER:?names the role}" "${SQL_PASSWORD:?is its password}"
SCHEMAS=/etc/temporal/schema/postgresql/v12

bring_up_to_date() {
  database=$1
  schema=$2
  # The password is read from SQL_PASSWORD: on the command line every process could see it.
  set -- --plugin postgres12 --ep "$POSTGRES_SEEDS" -p "${DB_PORT:-5432}" -u "$POSTGRES_USER" --db "$database"
  temporal-sql-tool "$@" setup-schema -v 0.0
  temporal-sql-tool "$@" update-schema -d "$SCHEMAS/$schema/versioned"
}

bring_up_to_date temporal temporal
bring_up_to_date temporal_visibility visibility
echo "Temporal's tables are up to date"
