# Sourced by the scripts beside it and the Makefile: how they speak, stop, fingerprint files and leave them behind.
# shellcheck shell=bash

say() { printf '[kakehashi] %s\n' "$*"; }
warn() { printf '[kakehashi] note: %s\n' "$*" >&2; }
die() {
  printf '[kakehashi] stopped: %s\n' "$*" >&2
  exit 1
}

# What root made in somebody's checkout (sudo make …) becomes theirs: else they could neither build nor clean without root. Whose it is
# says the checkout itself: root's own is given to nobody. The demo's folder stays as it is, it belongs to several accounts.
# From inside each folder and without second links, so that no name that changes meanwhile leads to a file elsewhere.
hand_back() { # in the checkout
  local owner
  owner=$(stat -c %u:%g .)
  if [ "$(id -u)" != 0 ] || [ "${owner%%:*}" = 0 ]; then return 0; fi
  find . -xdev -path ./.demo -prune -o -uid 0 \( -type d -o -links 1 \) -execdir chown -h "$owner" {} + ||
    warn "some files of this checkout stay root's"
}

hash_of() { # files…: one hash over names and contents
  sha256sum -- "$@" | sha256sum | cut -c1-64
}
