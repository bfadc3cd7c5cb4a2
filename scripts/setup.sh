#!/usr/bin/env bash
# Makes a Debian machine ready: `setup.sh demo` for the demonstration, `setup.sh test` for the tests as well.
# Installs only what is missing, starts a Docker daemon only where none answers, and says each in one line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

purpose=${1:-demo}
case "$purpose" in
  demo) packages=(gcc libc6-dev git ca-certificates docker.io busybox-static iptables) ;;
  test) packages=(gcc libc6-dev git ca-certificates docker.io busybox-static iptables
    skopeo podman chromium docker-registry openssh-client openssl apache2-utils python3-venv curl jq shellcheck
    iproute2 util-linux) ;;
  *) fail "unknown purpose \`$purpose\`" "use \`scripts/setup.sh demo\` or \`scripts/setup.sh test\`" ;;
esac

# Whether what a package is wanted for is there, wherever it came from.
there() {
  case "$1" in
    gcc) have cc ;;
    libc6-dev) [ -e /usr/include/stdlib.h ] ;;
    ca-certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] ;;
    docker.io) have docker && { [ -n "$daemon" ] || have dockerd; } ;;
    # A busybox that needs shared libraries cannot be the only file of an image.
    busybox-static) have busybox && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ;;
    iptables) [ -n "$daemon" ] || have iptables ;;
    openssh-client) have ssh-agent ;;
    chromium) have chromium || have chromium-browser ;;
    iproute2) have ip ;;
    util-linux) have setpriv ;;
    apache2-utils) have htpasswd ;;
    python3-venv) have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) have "$1" ;;
  esac
}

install_missing() {
  local missing=() log=target/setup/apt.log
  for package in "${packages[@]}"; do there "$package" || missing+=("$package"); done
  if [ ${#missing[@]} -eq 0 ]; then
    say "packages: all ${#packages[@]} are there"
    return
  fi
  local by_hand="apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  have apt-get || fail "these are missing, and there is no \`apt-get\` to install them: ${missing[*]}" \
    "install what Debian calls by these names, then run this again"
  [ "$(id -u)" -eq 0 ] || fail "these are missing, and only root may install them: ${missing[*]}" "as root: $by_hand"

  # The daemon loads its AppArmor profile with a program that its package only recommends.
  if [[ " ${missing[*]} " == *" docker.io "* ]]; then
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] && ! have apparmor_parser; then
      missing+=(apparmor)
    fi
    mountpoint -q /sys/fs/cgroup || missing+=(cgroupfs-mount)
  fi
  say "packages: installing ${missing[*]} (log: $log)"
  mkdir -p "${log%/*}"
  local registry_there=yes
  have docker-registry || registry_there=no
  {
    apt-get update -q &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
  } >"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    fail "cannot install ${missing[*]}" "the whole log is in $log"
  }
  # The tests start registries of their own; Debian's package would leave one running for good.
  if [ "$registry_there" = no ] && have docker-registry && [ -d /run/systemd/system ]; then
    systemctl disable --now docker-registry >>"$log" 2>&1 || true
  fi
}

# Starts dockerd with the given options and waits until it answers or gives up. In `/`, since it outlives this
# checkout, and one whose folder is gone cannot fetch contexts from git.
start_daemon() {
  local log=$1 process=
  shift
  if [ -d /run/systemd/system ] && [ $# -eq 0 ]; then
    systemctl start docker >"$log" 2>&1 || return 1
  elif ! pgrep -x dockerd >/dev/null; then
    (cd / && exec setsid dockerd "$@") >"$log" 2>&1 </dev/null &
    process=$!
  fi
  for _ in $(seq 120); do
    daemon=$(daemon_version) && return
    [ -z "$process" ] || kill -0 "$process" 2>/dev/null || return 1
    sleep 0.5
  done
  return 1
}

ensure_daemon() {
  daemon=$(daemon_version) || true
  if [ -n "$daemon" ]; then
    say "docker: daemon $daemon answers at ${DOCKER_HOST:-/var/run/docker.sock}"
    return
  fi
  [ -z "${DOCKER_HOST:-}" ] || fail "no Docker daemon answers at \`$DOCKER_HOST\`, which DOCKER_HOST names" \
    "start that one, or unset DOCKER_HOST to have one started on this machine"
  if [ "$(id -u)" -ne 0 ]; then
    [ ! -S /var/run/docker.sock ] || fail "the Docker daemon does not answer to user \`$(id -un)\`" \
      "as root: usermod -aG docker $(id -un), then log in again"
    fail "no Docker daemon answers, and only root may start one" "as root: dockerd"
  fi
  have dockerd || fail "no Docker daemon answers, and \`dockerd\` is not on PATH" "install Debian's docker.io"

  local log=/var/log/longshore-dockerd.log
  say "docker: no daemon answers; starting dockerd (log: $log)"
  # Where the kernel has no packet filter to offer, a daemon without a bridge still builds and pushes.
  start_daemon "$log" || {
    grep -qiE 'iptables|nf_tables|bridge' "$log" &&
      say "docker: no packet filter here; starting dockerd without a bridge" &&
      start_daemon "$log" --iptables=false --ip6tables=false --bridge=none
  } || {
    tail -n 15 "$log" >&2
    fail "dockerd did not start" "the whole log is in $log"
  }
  say "docker: daemon $daemon answers"
}

have cargo || fail "\`cargo\` is not on PATH" "install Rust: https://rustup.rs"
daemon=$(daemon_version) || true
install_missing
ensure_daemon
[ "$purpose" = demo ] || scripts/setup-python.sh
