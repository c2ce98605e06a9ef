#!/usr/bin/env bash
# Two daemons and a tracker under a mixed load, and nothing left at the end: soak.sh BUILDDIR [--minutes N] [--seed N].
# ./dev help soak says what is done and what is judged.
set -euo pipefail

name=soak
build=${1:?usage: soak.sh BUILDDIR [--minutes N] [--seed N]}
shift
keep=${CCBT_KEEP:-}
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../e2e/common.sh"

export PYTHONDONTWRITEBYTECODE=1
port=$(free_port)
mkdir -p "$work/pool" "$work/one/files"
hashes=()
for i in $(seq 1 24); do
    file=payload-$i.bin
    head -c $((1 << 20 | RANDOM << (i % 9))) /dev/urandom >"$work/one/files/$file"
    hash=$("$here/make_torrent" "$work/one/files/$file" -o "$work/pool/new" -p 64 -t "http://127.0.0.1:$port/announce")
    mv "$work/pool/new" "$work/pool/$hash.torrent"
    echo "$file" >"$work/pool/$hash.name"
    hashes+=("$hash")
done
start_tracker "$port" "${hashes[@]}"
# In the background, so that a signal is heard at once.
/usr/bin/python3 "$(dirname -- "${BASH_SOURCE[0]}")/soak.py" "$build" "$work" "$port" "$@" &
soak=$!
children+=("$soak")
wait "$soak"
