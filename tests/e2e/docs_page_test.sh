#!/usr/bin/env bash
# The page at /docs in a real browser: docs_page_test.sh BUILDDIR [SCREENSHOT-FOLDER]. Exits with 77 (ctest: skipped)
# where there is no chromium, which no package list asks for: it is large.
set -euo pipefail

name=docs_page
build=${1:?usage: docs_page_test.sh BUILDDIR [SCREENSHOT-FOLDER]}
keep=${CCBT_KEEP:-}
command -v chromium >/dev/null || {
    echo "$name: SKIPPED, there is no chromium (apt-get install chromium)"
    exit 77
}
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

configure daemon 127.0.0.1
"$build/ccbt" --config "$work/daemon/ccbt.toml" daemon start >/dev/null
mkdir "$work/browser"
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$here/docs_page_test.py" \
    "$(field "$work/daemon/state/daemon.json" url)" "$work/browser" ${2:+"$2"}
"$build/ccbt" --config "$work/daemon/ccbt.toml" daemon stop >/dev/null
