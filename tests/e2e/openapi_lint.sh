#!/usr/bin/env bash
# The OpenAPI document as a daemon serves it, read by a public linter: openapi_lint.sh BUILDDIR. ./dev setup test brings
# the linter (tests/tools) to build/tools.
set -euo pipefail

name=openapi_lint
build=${1:?usage: openapi_lint.sh BUILDDIR}
keep=${CCBT_KEEP:-}
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

sources=$(cd -- "$here/../.." && pwd -P)
redocly=$sources/build/tools/node_modules/.bin/redocly
[[ -x $redocly ]] || {
    echo "$name: skipped: there is no $redocly, which ./dev setup test installs" >&2
    exit 77
}
configure daemon 127.0.0.1
"$build/ccbt" --config "$work/daemon/ccbt.toml" daemon start >/dev/null
curl -fsS "$(field "$work/daemon/state/daemon.json" url)/openapi.json" >"$work/openapi.json"
"$build/ccbt" --config "$work/daemon/ccbt.toml" daemon stop >/dev/null

export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
cd -- "$work"
"$redocly" lint --config "$sources/tests/tools/redocly.yaml" openapi.json
