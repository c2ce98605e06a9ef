#!/usr/bin/env bash
# Every operation of the OpenAPI document, and 10,000 requests made up from it, against a daemon: openapi_test.sh
# BUILDDIR. CCBT_SEED=N makes up the same ones again, CCBT_REQUESTS=N another number.
set -euo pipefail

name=openapi
build=${1:?usage: openapi_test.sh BUILDDIR}
keep=${CCBT_KEEP:-}
seed=${CCBT_SEED:-} requests=${CCBT_REQUESTS:-10000}
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

configure daemon 127.0.0.2
seq 50000 >"$work/daemon/files/here.bin" # the same hash each time, and so the same requests
hash=$("$here/make_torrent" "$work/daemon/files/here.bin" -o "$work/here.torrent" -p 16)
ours=("$build/ccbt" --config "$work/daemon/ccbt.toml")
"${ours[@]}" daemon start >/dev/null
"${ours[@]}" add "$work/here.torrent" --wait >/dev/null
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$here/openapi_test.py" \
    "$work/daemon/state" "$hash" "$requests" ${seed:+"$seed"}
