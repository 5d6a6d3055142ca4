#!/bin/sh
# The server takes its password from the environment only; this brings it there from the secret's file.
set -eu
POSTGRES_PWD="$(cat /run/secrets/temporal_db_password)"
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
