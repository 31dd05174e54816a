# Sourced by the scripts beside it: how they speak, stop and fingerprint files.
# shellcheck shell=bash

say() { printf '[kakehashi] %s\n' "$*"; }
warn() { printf '[kakehashi] note: %s\n' "$*" >&2; }
die() {
  printf '[kakehashi] stopped: %s\n' "$*" >&2
  exit 1
}

hash_of() { # files…: one hash over names and contents
  sha256sum -- "$@" | sha256sum | cut -c1-64
}
