# What the end-to-end scripts share: a temporary folder, daemons in it, and nothing left at the end. Sourced by them,
# after they set `name` (of the script) and `build` (the folder of ccbtd and ccbt).

[[ -x $build/ccbtd && -x $build/ccbt ]] || {
    echo "$name: no ccbtd and ccbt in $build: build them first (./dev build)" >&2
    exit 2
}
build=$(cd -- "$build" && pwd -P)
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/ccbt-$name-XXXXXX")
chmod 755 "$work" # opentracker gives up its rights before it reads
# Nothing of the user's own configuration is to reach the daemons here.
export HOME=$work XDG_CONFIG_HOME=$work/none LC_ALL=C.UTF-8
# What is asked here is on this machine: a proxy that apt needs has no part in it.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
for variable in "${!CCBT_@}"; do unset "$variable"; done
children=()

is_ours() { # PID: is it a ccbtd of this build?
    [[ $(readlink "/proc/$1/exe") == "$build/ccbtd" ]]
} 2>/dev/null

# A child is a program started with & and `children+=($!)`; never a function or a list, whose $! is a shell before it.
stop_children() {
    local pid
    for pid in "${children[@]}"; do kill "$pid"; done
    for pid in "${children[@]}"; do
        # One that does not go when asked is not asked again.
        timeout 5 tail --pid="$pid" -f /dev/null || kill -9 "$pid"
    done
    wait
    children=()
} 2>/dev/null

left_running() { # what still runs and names the temporary folder
    pgrep -af -- "$work" || :
}

clean_up() {
    local rc=$? pid file left
    trap - EXIT INT TERM
    set +e
    stop_children
    for file in "$work"/*/state/daemon.pid; do
        pid=$(cat "$file" 2>/dev/null) && is_ours "$pid" && kill -9 "$pid"
    done
    left=$(left_running)
    if [[ -n $left ]]; then
        printf '%s: this was left running, and is killed:\n%s\n' "$name" "$left" >&2
        pkill -9 -f -- "$work"
        ((rc != 0)) || rc=1
    fi
    if ((rc != 0)); then
        for file in "$work"/*/log "$work"/*/state/*.log; do
            [[ -s $file ]] || continue
            printf '\n--- the end of %s\n' "${file#"$work"/}"
            tail -n 25 "$file"
        done >&2
    fi
    if ((rc != 0)) && [[ -n ${keep:-} ]]; then
        echo "kept: $work" >&2
    else
        rm -rf "$work"
    fi
    exit "$rc"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

configure() { # NAME ADDRESS: a daemon's folder, that finds peers by trackers alone
    mkdir -p "$work/$1/files"
    cat >"$work/$1/ccbt.toml" <<TOML
[network]
listen_interface = "$2"
listen_port_tcp = 0

[discovery]
enable_dht = false
enable_pex = false

[nat]
enable_upnp = false
enable_nat_pmp = false
auto_map_ports = false

[disk]
download_path = "$work/$1/files"

[daemon]
ipc_port = 0
state_dir = "$work/$1/state"
TOML
}

free_port() { # a port of 127.0.0.1 that neither TCP nor UDP uses now
    python3 -c '
import socket
with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
    tcp.bind(("127.0.0.1", 0))
    udp.bind(tcp.getsockname())
    print(tcp.getsockname()[1])'
}

start_tracker() { # PORT INFO-HASH...: Debian's opentracker, which serves those it is told of
    local port=$1
    shift
    mkdir -m 755 "$work/tracker"
    printf '%s\n' "$@" >"$work/tracker/torrents"
    local -a tracker=(opentracker -i 127.0.0.1 -p "$port" -P "$port" -d "$work/tracker" -w torrents)
    ((EUID != 0)) || tracker+=(-u nobody)
    (cd -- "$work/tracker" && exec "${tracker[@]}" >log 2>&1) &
    children+=($!)
}

field() { # FILE NAME...: the member of the JSON in FILE, "" where there is none
    python3 -c '
import json, sys
try:
    found = json.load(open(sys.argv[1]))
    for name in sys.argv[2:]:
        found = found[name]
except (KeyError, TypeError, ValueError):
    found = ""
print(found if isinstance(found, str) else json.dumps(found))' "$@"
}
