#!/usr/bin/env bash
# A real torrent between two daemons on this machine: demo.sh BUILDDIR. Needs Debian's opentracker and python3.
# What it shows is what anybody would type; all of it goes through the API.
set -euo pipefail

name=demo
build=${1:?usage: demo.sh BUILDDIR}
keep=${CCBT_KEEP:-}
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi
steps=0
step() {
    steps=$((steps + 1))
    printf '\n%s%2d. %s%s\n' "$bold" "$steps" "$*" "$plain"
}
seeder() { "$build/ccbt" --config "$work/seeder/ccbt.toml" "$@"; }
leecher() { "$build/ccbt" --config "$work/leecher/ccbt.toml" "$@"; }
prompt() { printf '    %s%s $ ccbt %s%s\n' "$dim" "$1" "${*:2}" "$plain"; }
indented() { sed -u 's/^/    /'; }
shown() { # WHO COMMAND...: a command as the reader would type it, and then its doing
    prompt "$@"
    "$@" | indented
}
die() {
    printf '\n%s: %s\n' "$name" "$*" >&2
    exit 1
}
sums() { (cd -- "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }
started=$SECONDS

step "Making about 300 MB of mixed files"
configure seeder 127.0.0.2
configure leecher 127.0.0.3
data="$work/seeder/files/Mixed files"
mkdir -p "$data/photos" "$data/notes/2024/a folder in a folder" "$data/Grüße"
make_file() { head -c "$2" /dev/urandom >"$data/$1"; }
make_file film.bin 180000000
make_file archive.bin 75000001
for i in $(seq 40); do make_file "photos/picture $i.jpg" $((700000 + i * 20011)); done
for i in $(seq 200); do make_file "notes/2024/note $i.txt" $((i * 37)); done
make_file "notes/2024/a folder in a folder/readme" 4097
make_file "Grüße/文件.dat" 262144
: >"$data/empty"
sums "$data" >"$work/sums"
echo "    $(wc -l <"$work/sums") files, $(du -sh --apparent-size "$data" | cut -f1)"

step "Making a torrent of them"
port=$(free_port)
hash=$("$here/make_torrent" "$data" -o "$work/mixed.torrent" -p 512 -t "http://127.0.0.1:$port/announce")
echo "    info-hash $hash"

step "Starting a tracker and two daemons"
start_tracker "$port" "$hash"
shown seeder daemon start
shown leecher daemon start
[[ $(<"$work/seeder/state/daemon.pid") != $(<"$work/leecher/state/daemon.pid") ]] || die "the two daemons are one"

step "Seeding: the first daemon has the files, and checks them"
prompt seeder add mixed.torrent --output files --wait
seeder add "$work/mixed.torrent" --output "$work/seeder/files" --wait | indented

step "Downloading: the second daemon has nothing yet"
"$build/ccbt" --config "$work/leecher/ccbt.toml" watch --json >"$work/events" 2>"$work/leecher/log" &
children+=($!)
watching() { leecher metrics | grep -q '^ccbt_event_watchers [1-9]'; }
for ((i = 0; ; i++)); do
    if watching; then break; fi
    ((i < 100)) || die "ccbt watch does not connect"
    sleep 0.05
done
prompt leecher add mixed.torrent --wait
if [[ -t 1 ]]; then
    leecher add "$work/mixed.torrent" --wait # a bar that lives needs the terminal itself
else
    leecher add "$work/mixed.torrent" --wait | indented
fi

step "What the second daemon told its watchers meanwhile"
python3 - "$work/events" "$hash" <<'PYTHON'
import collections, json, sys

seen = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
kinds = collections.Counter()
for event in seen:
    kind = event.get("type", "")
    kinds[kind] += 1
    if kind not in ("", "torrents_changed"):
        data = event.get("data") or {}
        print("   ", kind.ljust(24), data.get("status", "").ljust(12), data.get("name", ""))
for kind in ("torrent_added", "torrent_completed"):
    if not kinds[kind]:
        sys.exit(f"demo: the event {kind} did not come")
PYTHON

step "Comparing the SHA-256 of every file"
sums "$work/leecher/files/Mixed files" >"$work/sums.got"
diff "$work/sums" "$work/sums.got" >&2 || die "the files differ"
echo "    all $(wc -l <"$work/sums") files are equal"

step "What it has, and what it did"
shown leecher ls
shown leecher stats

step "Stopping the second daemon and starting it again: nothing is lost"
leecher --json show "$hash" >"$work/before"
shown leecher daemon stop
shown leecher daemon start
leecher --json show "$hash" >"$work/after"
for member in info_hash name progress total_size downloaded output_dir; do
    [[ $(field "$work/before" "$member") == $(field "$work/after" "$member") ]] ||
        die "$member was $(field "$work/before" "$member") and is $(field "$work/after" "$member")"
done
[[ $(field "$work/after" progress) == 1* ]] || die "its progress is $(field "$work/after" progress)"
shown leecher ls

step "Stopping everything"
shown leecher daemon stop
shown seeder daemon stop
for one in seeder leecher; do
    [[ ! -e $work/$one/state/daemon.pid ]] || die "the $one still says that it runs"
done
stop_children
[[ -z $(left_running) ]] || die "this still runs: $(left_running)"
echo "    nothing is left running"
printf '\n%sDone in %d s.%s What was downloaded was whole, and stayed.\n' "$bold" $((SECONDS - started)) "$plain"
