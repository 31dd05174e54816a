#!/usr/bin/env bash
# Gets a checkout ready: Debian packages, Python environment, web bundle. Says each step and why; does only what is missing.
#
#   deploy/setup.sh demo    what `make demo` needs
#   deploy/setup.sh test    the same, with what the tests need
#   deploy/setup.sh check   as for the tests, for what starts no desktop: needs root for missing packages only
#   deploy/setup.sh web     the Python environment and the web bundle only
#
# demo and test start desktops and so stop unless they are root; with DESKTOPS=no in the environment the demo goes on without.
# Everything it creates lies inside the checkout (.venv, .cache, web_client/node_modules, web_client/dist); only Debian packages go elsewhere.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=deploy/common.sh
. deploy/common.sh

usage() {
  sed -n '4,7s/^# *//p' "$root/deploy/setup.sh"
}

# --- Root --------------------------------------------------------------------------------------------------------------

# Asked first: after minutes of downloads nobody wants to hear that the half of it cannot run.
need_root() { # mode
  if [ "$(id -u)" = 0 ]; then return 0; fi
  local without
  case "$1" in
  demo)
    if [ "${DESKTOPS:-}" = no ]; then
      warn "not root, and DESKTOPS=no: pages can be looked at, no desktop can be started"
      return 0
    fi
    without="  make demo DESKTOPS=no"
    ;;
  test) without="  deploy/setup.sh check && .venv/bin/pytest tests/unit tests/property" ;;
  esac
  die "make $1 starts real desktops, each under a user number of its own, and only root may give those. Run it as root:
  sudo make $1
or what needs no desktop:
$without"
}

# --- Debian packages ---------------------------------------------------------------------------------------------------

wanted_packages() { # mode
  cat deploy/packages-demo.txt
  if [ "$1" != demo ]; then cat deploy/packages-test.txt; fi
}

missing_packages() { # names on stdin
  local name installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | sed -n 's/^ii  *//p')
  while read -r name; do
    case "$name" in '' | '#'*) continue ;; esac
    grep -qxF -- "$name" <<<"$installed" || printf '%s\n' "$name"
  done
}

as_root() { # how commands are run as root: "" when we are, "sudo" when it is there, else nothing can be installed
  if [ "$(id -u)" = 0 ]; then return 0; fi
  if command -v sudo >/dev/null 2>&1; then printf 'sudo'; return 0; fi
  return 1
}

policy_rc=/usr/sbin/policy-rc.d
policy_rc_is_ours=no

hold_services() { # a fresh slapd, postgresql or nginx must not start by itself: the demo and the tests start their own
  if [ -e "$policy_rc" ]; then return 0; fi
  printf '#!/bin/sh\n# written by the set-up of Kakehashi while it installs packages, removed right after\nexit 101\n' |
    $1 tee "$policy_rc" >/dev/null
  $1 chmod 755 "$policy_rc"
  policy_rc_is_ours=yes
}

release_services() {
  if [ "$policy_rc_is_ours" = yes ]; then
    $sudo rm -f "$policy_rc"
    policy_rc_is_ours=no
  fi
}

keep_off_at_boot() { # packages that were just installed: none may start at the next boot
  local service
  for service in slapd postgresql nginx; do
    case " $* " in
    *" $service"*)
      if [ -e "/etc/init.d/$service" ] && command -v update-rc.d >/dev/null 2>&1; then
        $sudo update-rc.d "$service" disable >/dev/null 2>&1 || warn "could not keep the system's own $service from starting at boot; the demo does not need it"
      fi
      ;;
    esac
  done
}

install_packages() { # mode
  local -a missing
  mapfile -t missing < <(wanted_packages "$1" | missing_packages)
  if [ "${#missing[@]}" = 0 ]; then
    say "Debian packages: all there"
    return 0
  fi
  if ! sudo=$(as_root); then
    die "these Debian packages are missing, and neither root nor sudo is at hand to install them. As root, run:
  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "Debian packages: installing ${#missing[@]} that are missing (desktop, LDAP directory, fonts): ${missing[*]}"
  mkdir -p .cache
  hold_services "$sudo"
  apt "refreshing the package lists" update
  apt "installing" install --yes --no-install-recommends "${missing[@]}"
  release_services
  keep_off_at_boot "${missing[@]}"
}

apt() { # what, arguments…
  local what=$1 log=.cache/apt.log
  shift
  say "  apt-get: $what"
  if ! $sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -o DPkg::Lock::Timeout=120 -q "$@" >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    die "apt-get failed ($what); its whole output is in $log"
  fi
}

# --- Python ------------------------------------------------------------------------------------------------------------

# The system's own comes first: its headers are among the packages, and every account of the machine can run it (the demo's gateway
# gives up root, which a Python inside root's home would not let it do).
find_python() {
  local candidate
  for candidate in ${PYTHON:-} /usr/bin/python3 python3 python3.11 python3.12 python3.13 python3.14; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
      "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

make_venv() {
  local python
  if [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    return 0
  fi
  python=$(find_python) || die "no Python 3.11 or newer with its venv module was found (Debian: apt-get install python3 python3-venv)"
  say "Python: creating .venv with $python ($("$python" -c 'import platform; print(platform.python_version())'))"
  rm -rf .venv
  "$python" -m venv .venv
}

pip() { # quiet, hashes required, caches inside the checkout
  .venv/bin/python -m pip --disable-pip-version-check --no-input --cache-dir "$root/.cache/pip" "$@" >>.cache/pip.log 2>&1 || {
    tail -n 15 .cache/pip.log >&2
    die "pip failed; its whole output is in .cache/pip.log"
  }
}

# Every package is a wheel whose hash is in the lock, but for two that PyPI has as source only: python-ldap and (tests)
# forbiddenfruit. They are compiled with build tools pinned by hash as well (--no-build-isolation: pip would otherwise fetch those
# unpinned).
install_lock() { # lock file
  pip install --require-hashes --no-deps --no-build-isolation --only-binary :all: --no-binary python-ldap,forbiddenfruit -r "$1"
}

install_python() { # mode
  local lock stamp want
  case "$1" in test | check) lock=requirements-dev.lock ;; *) lock=requirements.lock ;; esac
  stamp=.venv/.kakehashi-$lock
  want=$(hash_of requirements-build.lock "$lock" pyproject.toml deploy/hatch_build.py)
  if [ -x .venv/bin/kakehashi ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    say "Python: .venv is up to date"
    return 0
  fi
  mkdir -p .cache
  : >.cache/pip.log
  make_venv
  rm -f .venv/.kakehashi-*
  say "Python: installing the pinned packages of $lock (every download is checked against its hash)"
  install_lock requirements-build.lock
  install_lock "$lock"
  pip install --no-deps --no-build-isolation --editable .
  # Now, so that a demo run by root later finds these folders there, and theirs who own the checkout.
  .venv/bin/python -m compileall -q agents auth bench broker common gateway policy || warn "some modules do not compile"
  if [ "$lock" = requirements-dev.lock ]; then # the tests' environment holds all that the demo needs
    hash_of requirements-build.lock requirements.lock pyproject.toml deploy/hatch_build.py >.venv/.kakehashi-requirements.lock
  fi
  printf '%s\n' "$want" >"$stamp"
}

# --- The end ----------------------------------------------------------------------------------------------------------

leave() { # however it comes
  release_services
  hand_back
}
trap leave EXIT

# --- all ---------------------------------------------------------------------------------------------------------------

main() {
  local mode=${1:-}
  case "$mode" in
  demo | test) need_root "$mode" ;;
  check | web) ;;
  *)
    usage >&2
    exit 2
    ;;
  esac
  if [ "$mode" != web ]; then
    if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
      install_packages "$mode"
    else
      warn "this is not a Debian system: install by hand what the packages in deploy/packages-demo.txt hold (slapd, Xvnc, openbox, fcitx5-mozc, …)"
    fi
  fi
  install_python "$mode"
  deploy/web.sh build
  say "ready"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main "$@"; fi
