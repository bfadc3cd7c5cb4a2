# shellcheck shell=bash
# What every script here says and asks; sourced, never run.

# Debian keeps the daemon and its tools where only root's login shell looks.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# One line about what is being done; results go to stdout, this does not.
say() { printf '== %s\n' "$*" >&2; }

# The same shape as the program's own errors: what failed, then what to do.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The daemon's version, or nothing if none answers; DOCKER_HOST is respected by the client itself.
daemon_version() {
  have docker && timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null
}
