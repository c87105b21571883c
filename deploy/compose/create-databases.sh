#!/bin/sh
# Run once by the postgres image, when its volume is new: a role and its databases for each of the two programs.
set -eu

create() {
  role=$1
  password=$(cat "/run/secrets/$role-database-password")
  shift
  if [ -z "$password" ]; then
    echo "the password of $role is empty: fill in .env (deploy/compose/env.example) and remove the volume postgres-data" >&2
    exit 1
  fi
  psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set role="$role" --set password="$password" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
SQL
  for database in "$@"; do
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set role="$role" --set database="$database" <<'SQL'
CREATE DATABASE :"database" OWNER :"role";
SQL
  done
}

: "${POSTGRES_USER:=postgres}"
create surefill surefill
create temporal temporal temporal_visibility
