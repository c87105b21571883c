#!/bin/sh
# The namespace, and the search attributes of temporal/search-attributes.json. Harmless to repeat.
set -eu

: "${TEMPORAL_ADDRESS:?is host:port of the server}" "${TEMPORAL_NAMESPACE:?names the namespace}" "${RETENTION:?is how long closed workflows are kept}"
: "${SEARCH_ATTRIBUTES:?is the path of search-attributes.json}"
export TEMPORAL_ADDRESS TEMPORAL_NAMESPACE

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  echo "namespace $TEMPORAL_NAMESPACE is there"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

there=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE")
# One attribute a line, as the file is written: { "name": "Venue", "type": "Keyword" }
sed -n 's/.*"name": *"\([A-Za-z]*\)", *"type": *"\([A-Za-z]*\)".*/\1 \2/p' "$SEARCH_ATTRIBUTES" | while read -r name type; do
  if printf '%s\n' "$there" | grep -qw "$name"; then
    echo "search attribute $name is there"
  else
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type "$type"
  fi
done
echo "namespace $TEMPORAL_NAMESPACE is ready"
