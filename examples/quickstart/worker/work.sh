#!/bin/sh
# Does its work every INTERVAL seconds, and stops at once when the container is told to.
set -eu

trap 'echo "worker: stopping"; exit 0' TERM INT

echo "worker: started, every ${INTERVAL:=10} s"
while :; do
  echo "worker: $(date -u +%Y-%m-%dT%H:%M:%SZ) nothing to do"
  # A background sleep, so that the trap need not wait for it.
  sleep "$INTERVAL" &
  wait $!
done
