#!/usr/bin/env bash
# Every operation of a client in the manner of the Python project's, against daemons, a tracker and a gateway that are
# real: ipc_client_test.sh BUILDDIR. As root it runs in a network namespace of its own, beside one with the gateway;
# without root the answers of a gateway are left out, and that is said.
set -euo pipefail

if ((EUID == 0)) && [[ ${1:-} != --inside ]] && unshare --net true; then
    exec unshare --net -- "$0" --inside "$@"
fi
inside=no
if [[ ${1:-} == --inside ]]; then
    inside=yes
    shift
fi
name=ipc_client
build=${1:?usage: ipc_client_test.sh BUILDDIR}
keep=${CCBT_KEEP:-}
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../e2e/common.sh"
clients=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
export PYTHONDONTWRITEBYTECODE=1

ready() { # NAME: the daemon's API answers
    for _ in $(seq 300); do
        [[ ! -s $work/$1/state/daemon.json ]] || return 0
        sleep 0.1
    done
    echo "$name: $1 is not ready" >&2
    exit 1
}
start() { # NAME
    "$build/ccbtd" --config "$work/$1/ccbt.toml" >"$work/$1/out" 2>"$work/$1/log" &
    children+=($!)
}

gateway=''
if [[ $inside == yes ]]; then
    ip link set lo up
    mkfifo "$work/gateway"
    unshare --net -- /usr/bin/python3 "$clients/nat_pmp_gateway.py" >"$work/gateway" &
    gateway=$!
    children+=("$gateway")
    read -rt 20 _ <"$work/gateway"
    ip link add lan type veth peer name gw netns "$gateway"
    nsenter --net --target "$gateway" sh -c 'ip addr add 192.168.77.1/24 dev gw && ip link set gw up'
    ip addr add 192.168.77.2/24 dev lan
    ip link set lan up
    ip route add default via 192.168.77.1
else
    echo "$name: not root, so there is no gateway: what it would answer is not looked at"
fi

configure seeder 127.0.0.2
configure downloader 127.0.0.3
printf '\n[security.ip_filter]\nenable_ip_filter = true\nfilter_files = ["%s"]\n' "$work/filter.p2p" \
    >>"$work/downloader/ccbt.toml"
printf 'somebody:25.9.0.0-25.9.0.255\nanother:25.9.1.7-25.9.1.7\n' >"$work/filter.p2p"

data=$work/seeder/files/payload
mkdir "$data"
head -c 3000000 /dev/urandom >"$data/a.bin"
head -c 70001 /dev/urandom >"$data/b.bin"
head -c 400000 /dev/urandom >"$data/c.bin"
head -c 100000 /dev/urandom >"$work/other.bin"
port=$(free_port)
announce=http://127.0.0.1:$port/announce
hash=$("$here/make_torrent" "$data" -o "$work/payload.torrent" -p 64 -t "$announce")
hash2=$("$here/make_torrent" "$work/other.bin" -o "$work/other.torrent" -t "http://127.0.0.1:1/announce")
start_tracker "$port" "$hash"
start seeder
start downloader
if [[ -n $gateway ]]; then
    configure natted 192.168.77.2
    sed -i 's/^enable_nat_pmp = false/enable_nat_pmp = true/' "$work/natted/ccbt.toml"
    start natted
    ready natted
fi
ready seeder
ready downloader

/usr/bin/python3 "$clients/ipc_client_test.py" "$work" "$hash" "$hash2"
