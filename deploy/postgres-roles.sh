#!/bin/sh
# What docker-compose.yml's PostgreSQL starts with: one database for each service, and roles that can do no more than they need.
#
#   shop_order, shop_user, ...   a service: reads and writes the rows of its own database; every other refuses it
#   migrator                     owns the six databases and their tables (`orderflow migrate`)
#   auditor                      reads all six, writes nothing (`orderflow audit`)
#
# PostgreSQL's image runs it once, on an empty volume.  Passwords come from the environment; an empty one is refused.
set -eu

services="user product order payment delivery notification"

for name in MIGRATOR AUDITOR $(echo "$services" | tr a-z A-Z); do
  eval "password=\${${name}_DATABASE_PASSWORD:-}"
  [ -n "$password" ] || { echo "${name}_DATABASE_PASSWORD is empty; 'make env' writes one into .env" >&2; exit 1; }
done

run() { psql -X -q -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d "$1"; }

run postgres <<'SQL'
\getenv migrator MIGRATOR_DATABASE_PASSWORD
\getenv auditor AUDITOR_DATABASE_PASSWORD
CREATE ROLE migrator LOGIN PASSWORD :'migrator';
CREATE ROLE auditor LOGIN PASSWORD :'auditor';
GRANT pg_read_all_data TO auditor;
ALTER ROLE auditor SET default_transaction_read_only = on;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL

for service in $services; do
  role=shop_$service
  run postgres <<SQL
\getenv password $(echo "$service" | tr a-z A-Z)_DATABASE_PASSWORD
CREATE ROLE $role LOGIN PASSWORD :'password';
CREATE DATABASE $role OWNER migrator TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
REVOKE ALL ON DATABASE $role FROM PUBLIC;
GRANT CONNECT ON DATABASE $role TO $role, auditor;
SQL
  run "$role" <<SQL
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO $role;
ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO $role;
ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO $role;
SQL
done
