#!/bin/bash
# On the first start of the control database: the role that the API and the workers log in with. It owns nothing; `migrate` gives
# it its rights.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/control_app_password`
SET log_statement = 'none';
SET log_min_duration_statement = -1;
CREATE ROLE steadyhand_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
SQL
