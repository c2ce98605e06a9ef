#!/bin/sh
# The public client as a stranger uses it: installed into an empty folder, found by find_package, built, run. Without a
# daemon the example must say so, and leave with 1.
#     tests/client_example.sh BUILD_DIR SOURCE_DIR
set -eu
build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --build "$build" --target libccbt
cmake --install "$build" --prefix "$work/tree" --component libccbt >"$work/install.log"
cmake -G Ninja -S "$source/examples/client" -B "$work/example" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH="$work/tree" \
    >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/example"

if grep -rl "boost/" "$work/tree/include"; then
    echo "client_example: an installed header includes Boost"
    exit 1
fi

set +e
said=$("$work/example/list_torrents" http://127.0.0.1:1 key 2>&1)
code=$?
set -e
if [ "$code" != 1 ] || [ "$said" != "no daemon answers at http://127.0.0.1:1" ]; then
    echo "client_example: wanted 1 and the clear message, got $code and: $said"
    exit 1
fi
if [ -n "${CCBT_EXAMPLE_URL:-}" ]; then
    "$work/example/list_torrents" "$CCBT_EXAMPLE_URL" "${CCBT_EXAMPLE_KEY:-}"
fi
echo "client_example: installed, found, built and run"
