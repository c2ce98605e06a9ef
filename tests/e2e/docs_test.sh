#!/usr/bin/env bash
# Runs what a page of docs/api shows: docs_test.sh BUILDDIR PAGE. The page's ```sh blocks, in their order, are one bash
# script (set -euo pipefail) in an empty folder, against a fresh daemon; each command has to exit with 0. It finds
#   $url $key       the daemon and its key; ccbt finds both by itself
#   $hash           a torrent that is whole and seeds, with an HTTP tracker
#   $torrent $hash2 a .torrent file that is not added, and its info-hash
#   $downloads      the daemon's download folder
set -euo pipefail

name=docs
build=${1:?usage: docs_test.sh BUILDDIR PAGE}
page=$(realpath -- "${2:?usage: docs_test.sh BUILDDIR PAGE}")
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$page" >"$work/commands"
[[ -s $work/commands ]] || {
    echo "$name: $page shows no command in a sh block" >&2
    exit 1
}

configure daemon 127.0.0.1
downloads=$work/daemon/files
head -c 3000000 /dev/urandom >"$downloads/here.bin"
head -c 100000 /dev/urandom >"$work/there.bin"
port=$(free_port)
announce=http://127.0.0.1:$port/announce
hash=$("$here/make_torrent" "$downloads/here.bin" -o "$work/here.torrent" -t "$announce")
hash2=$("$here/make_torrent" "$work/there.bin" -o "$work/there.torrent" -t "$announce")
torrent=$work/there.torrent
start_tracker "$port" "$hash" "$hash2"

ours=("$build/ccbt" --config "$work/daemon/ccbt.toml")
"${ours[@]}" daemon start >/dev/null
"${ours[@]}" add "$work/here.torrent" --wait >/dev/null
key=$(<"$work/daemon/state/api_key")
url=$(field "$work/daemon/state/daemon.json" url)

mkdir "$work/empty" "$work/bin"
ln -s "$build/ccbt" "$work/bin/ccbt"
export url key hash hash2 torrent downloads CCBT_URL=$url CCBT_API_KEY=$key PATH=$work/bin:$PATH
rc=0
(cd -- "$work/empty" && exec bash -euo pipefail -x "$work/commands") >"$work/said" 2>&1 </dev/null || rc=$?
if ((rc != 0)); then
    tail -n 20 "$work/said" >&2
    echo "$name: ${page##*/}: the last command above ended with $rc" >&2
    exit 1
fi
echo "${page##*/}: each command did what it says"
"${ours[@]}" daemon stop >/dev/null
