#!/bin/sh
# The namespace and the search attributes of runs, where they are missing.
set -eu
temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention 90d

# The server's parts hear of a new namespace within some ten seconds.
tries=0
until there="$(temporal operator search-attribute list -n "$TEMPORAL_NAMESPACE")"; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || exit 1
  sleep 1
done

for name in RunbookName RunbookDatabase RunbookState RunbookRequester RunbookTicket; do
  echo "$there" | grep -qw "$name" || temporal operator search-attribute create -n "$TEMPORAL_NAMESPACE" --name "$name" --type Keyword
done
