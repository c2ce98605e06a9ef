#!/usr/bin/env bash
# What the API answers to wrong requests, asked with curl: curl_test.sh BUILDDIR. Status, code and shape of each are
# the contract's, and at the end the daemon's state is what it was.
set -euo pipefail

name=curl
build=${1:?usage: curl_test.sh BUILDDIR}
keep=${CCBT_KEEP:-}
# shellcheck source=tests/e2e/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

checks=0 wrong=0
mkdir "$work/asked"
body=$work/asked/body head=$work/asked/head

ask() { # CURL-ARGUMENT...: sets `status`
    : >"$body" >"$head"
    status=$(curl -sS --max-time 30 -o "$body" -D "$head" -w '%{http_code}' "$@" 2>"$work/asked/curl") || :
}
complain() {
    wrong=$((wrong + 1))
    printf 'WRONG  %s\n       %s\n       %s %s\n' "$1" "$2" "$status" "$(head -c 400 "$body")"
    cat "$work/asked/curl"
}
refused() { # WHAT STATUS CODE CURL-ARGUMENT...: the error is that, in the one shape of errors
    local what=$1 wanted=$2 code=$3
    shift 3
    checks=$((checks + 1))
    ask "$@"
    if [[ $status != "$wanted" || $(field "$body" code) != "$code" ]]; then
        complain "$what" "wanted $wanted $code"
    elif ! python3 - "$body" <<'PYTHON'
import json, sys

said = json.load(open(sys.argv[1]))
assert set(said) == {"error", "code", "details"}, said
assert isinstance(said["error"], str) and said["error"], said
assert said["details"] is None or isinstance(said["details"], dict), said
PYTHON
    then
        complain "$what" "wanted {error, code, details}"
    elif ! grep -qi '^content-type: application/json' "$head"; then
        complain "$what" "wanted application/json"
    else
        printf 'ok     %s: %s %s\n' "$what" "$status" "$code"
    fi
}
answered() { # WHAT STATUS CURL-ARGUMENT...
    local what=$1 wanted=$2
    shift 2
    checks=$((checks + 1))
    ask "$@"
    if [[ $status == "$wanted" ]]; then
        printf 'ok     %s: %s\n' "$what" "$status"
    else
        complain "$what" "wanted $wanted"
    fi
}
has_field() { # WHAT VALUE NAME...: of the last answer
    checks=$((checks + 1))
    local what=$1 wanted=$2
    shift 2
    [[ $(field "$body" "$@") == "$wanted" ]] || complain "$what" "wanted $* to be $wanted"
}
has_header() { # WHAT PATTERN
    checks=$((checks + 1))
    grep -Eqi "$2" "$head" || complain "$1" "wanted a header $2"
}

configure daemon 127.0.0.1
mkfifo "$work/daemon/out"
"$build/ccbtd" --config "$work/daemon/ccbt.toml" >"$work/daemon/out" 2>"$work/daemon/log" &
daemon=$!
children+=("$daemon")
exec 3<"$work/daemon/out"
read -rt 30 -u 3 word url || {
    echo "$name: ccbtd is not ready" >&2
    exit 1
}
[[ $word == ready ]]
api=$url/api/v1
key="X-CCBT-API-Key: $(<"$work/daemon/state/api_key")"
json='Content-Type: application/json'
unknown=0123456789abcdef0123456789abcdef01234567
with=(-H "$key")
post=(-X POST -H "$key" -H "$json")

answered "a right key" 200 "${with[@]}" "$api/status"
has_header "an answer carries its revision" '^x-ccbt-revision: .+'
answered "the torrents before" 200 "${with[@]}" "$api/torrents"
cp "$body" "$work/asked/before"

refused "no key" 401 AUTH_REQUIRED "$api/status"
refused "a wrong key" 401 AUTH_REQUIRED -H 'X-CCBT-API-Key: 0000' "$api/status"
refused "an empty key" 401 AUTH_REQUIRED -H 'X-CCBT-API-Key;' "$api/status"
refused "a key cut by one digit" 401 AUTH_REQUIRED -H "${key%?}" "$api/status"
refused "no key, for a change" 401 AUTH_REQUIRED -X POST -H "$json" -d '{"path_or_magnet":"x"}' "$api/torrents/add"

refused "an unknown path" 404 NOT_FOUND "${with[@]}" "$api/nothing"
refused "an unknown path beside the API" 404 NOT_FOUND "${with[@]}" "$url/nothing"
refused "a wrong method" 405 METHOD_NOT_ALLOWED -X PUT "${with[@]}" "$api/status"
has_header "a wrong method is told the right one" '^allow:.*\bGET\b'
refused "a wrong method of a torrent" 405 METHOD_NOT_ALLOWED -X PATCH "${with[@]}" "$api/torrents/$unknown"
has_header "and both right ones" '^allow:.*\bDELETE\b'

refused "a malformed hash" 400 INVALID_INFO_HASH "${with[@]}" "$api/torrents/nonsense"
refused "a hash of 39 digits" 400 INVALID_INFO_HASH "${with[@]}" "$api/torrents/${unknown%?}"
refused "a hash of 41 digits" 400 INVALID_INFO_HASH "${with[@]}" "$api/torrents/${unknown}0"
refused "a hash with a letter too many" 400 INVALID_INFO_HASH "${with[@]}" "$api/torrents/${unknown%?}g"
refused "a malformed hash to remove" 400 INVALID_INFO_HASH -X DELETE "${with[@]}" "$api/torrents/nonsense"
refused "a malformed hash to pause" 400 INVALID_INFO_HASH "${post[@]}" "$api/torrents/nonsense/pause"
refused "an unknown hash" 404 TORRENT_NOT_FOUND "${with[@]}" "$api/torrents/$unknown"
refused "an unknown hash in capitals" 404 TORRENT_NOT_FOUND "${with[@]}" "$api/torrents/${unknown^^}"
refused "an unknown hash of 64 digits" 404 TORRENT_NOT_FOUND "${with[@]}" "$api/torrents/$unknown${unknown:0:24}"
refused "an unknown hash to remove" 404 TORRENT_NOT_FOUND -X DELETE "${with[@]}" "$api/torrents/$unknown"
refused "an unknown hash to resume" 404 TORRENT_NOT_FOUND "${post[@]}" "$api/torrents/$unknown/resume"
refused "the peers of an unknown hash" 404 TORRENT_NOT_FOUND "${with[@]}" "$api/torrents/$unknown/peers"

add=$api/torrents/add
refused "JSON that ends too early" 400 INVALID_JSON "${post[@]}" -d '{"path_or_magnet":' "$add"
refused "JSON with something behind it" 400 INVALID_JSON "${post[@]}" -d '{} {}' "$add"
refused "no JSON at all" 400 INVALID_JSON "${post[@]}" -d 'path_or_magnet=x' "$add"
refused "the same member twice" 400 INVALID_JSON "${post[@]}" -d '{"paused":true,"paused":false}' "$add"
refused "no JSON where none is read" 400 INVALID_JSON "${post[@]}" -d '{bad' "$api/torrents/$unknown/pause"
has_header "and a refusal too carries its revision" '^x-ccbt-revision: .+'
refused "a malformed hash before all else" 400 INVALID_INFO_HASH "${post[@]}" -d '{bad' "$api/torrents/nonsense/pause"
head -c 23000000 /dev/zero | tr '\0' 'A' | { printf '{"torrent_data":"'; cat; printf '"}'; } >"$work/asked/long"
refused "a value longer than its field takes" 400 VALIDATION_ERROR "${post[@]}" --data-binary "@$work/asked/long" "$add"
has_field "by its name" torrent_data details field
refused "JSON too deep" 400 INVALID_JSON "${post[@]}" -d "$(printf '[%.0s' {1..40})$(printf ']%.0s' {1..40})" "$add"
refused "a missing field" 400 VALIDATION_ERROR "${post[@]}" -d '{}' "$add"
has_field "it is named" path_or_magnet details field
refused "a field of a wrong type" 400 VALIDATION_ERROR "${post[@]}" -d '{"path_or_magnet":5}' "$add"
has_field "it is named" path_or_magnet details field
refused "a flag that is a text" 400 VALIDATION_ERROR "${post[@]}" -d '{"path_or_magnet":"x","paused":"yes"}' "$add"
has_field "it is named" paused details field
refused "a list of wrong things" 400 VALIDATION_ERROR "${post[@]}" -d '{"path_or_magnet":"x","labels":[1]}' "$add"
refused "an array for an object" 400 VALIDATION_ERROR "${post[@]}" -d '[]' "$add"
refused "a file that is not there" 400 ADD_TORRENT_ERROR "${post[@]}" -d '{"path_or_magnet":"/no/such.torrent"}' "$add"
refused "a file that is no torrent" 400 ADD_TORRENT_ERROR "${post[@]}" \
    -d "{\"path_or_magnet\":\"$work/daemon/ccbt.toml\"}" "$add"
refused "a bad magnet" 400 ADD_TORRENT_ERROR "${post[@]}" -d '{"path_or_magnet":"magnet:?xt=urn:btih:12"}' "$add"
refused "bytes that are no torrent" 400 ADD_TORRENT_ERROR "${post[@]}" -d '{"torrent_data":"bm8="}' "$add"
refused "a folder that is not allowed" 403 ADD_TORRENT_ERROR "${post[@]}" \
    -d "{\"path_or_magnet\":\"magnet:?xt=urn:btih:$unknown\",\"output_dir\":\"/etc\"}" "$add"
has_field "the reason is told" path_not_allowed details reason
refused "a number out of range" 400 VALIDATION_ERROR "${with[@]}" "$api/torrents?offset=-1"
has_field "it is named" offset details field

refused "a wrong content type" 415 UNSUPPORTED_MEDIA_TYPE -X POST "${with[@]}" -H 'Content-Type: text/plain' -d '{}' "$add"
refused "a form" 415 UNSUPPORTED_MEDIA_TYPE -X POST "${with[@]}" -d 'a=b' "$add"
refused "an empty body of another type is taken" 404 TORRENT_NOT_FOUND -X POST "${with[@]}" \
    -H 'Content-Type: application/octet-stream' -H 'Content-Length: 0' "$api/torrents/$unknown/pause"
truncate -s $((24 * 1024 * 1024 + 1)) "$work/asked/large"
refused "a body over 24 MiB" 413 BODY_TOO_LARGE "${post[@]}" -H 'Expect: 100-continue' \
    --data-binary "@$work/asked/large" "$add"
truncate -s $((1024 * 1024 + 1)) "$work/asked/large"
refused "a body over 1 MiB elsewhere" 413 BODY_TOO_LARGE "${post[@]}" -H 'Expect: 100-continue' \
    --data-binary "@$work/asked/large" "$api/torrents/$unknown/pause"
refused "a request line over 8 KiB" 414 URI_TOO_LONG "${with[@]}" "$api/torrents?label=$(printf 'a%.0s' {1..9000})"
refused "headers over 16 KiB" 431 HEADERS_TOO_LARGE "${with[@]}" -H "X-More: $(printf 'a%.0s' {1..17000})" "$api/status"

refused "a foreign Origin" 403 ORIGIN_NOT_ALLOWED "${with[@]}" -H 'Origin: http://evil.example' "$api/status"
refused "the Origin null" 403 ORIGIN_NOT_ALLOWED "${with[@]}" -H 'Origin: null' "$api/status"
answered "its own Origin" 200 "${with[@]}" -H "Origin: $url" "$api/status"
refused "a foreign Host" 421 HOST_NOT_ALLOWED "${with[@]}" -H 'Host: evil.example' "$api/status"
refused "a Host without the port" 421 HOST_NOT_ALLOWED "${with[@]}" -H 'Host: 127.0.0.1' "$api/status"
refused "a foreign Host, without a key" 421 HOST_NOT_ALLOWED -H "Host: evil.example:${url##*:}" "$api/status"
answered "the Host localhost" 200 "${with[@]}" -H "Host: localhost:${url##*:}" "$api/status"

answered "health is open" 200 "$url/health"
has_field "and says ok" ok status
answered "the OpenAPI document is open" 200 "$url/openapi.json"
answered "the reference is open" 200 "$url/docs"
has_header "it is a page" '^content-type: text/html; charset=utf-8'
has_header "that asks this daemon alone" \
    "^content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
checks=$((checks + 1))
! grep -Eq '(src|href)="(https?:)?//|<style|<script>|style=' "$body" || complain "it names no other host" "wanted none"
answered "its script is open" 200 "$api/docs/docs.js"
has_header "and is one" '^content-type: text/javascript'
answered "its style is open" 200 "$url/docs/docs.css"
has_header "and is one" '^content-type: text/css'
refused "there are no other files" 404 NOT_FOUND "$url/docs/docs.html"
refused "nor any above" 404 NOT_FOUND --path-as-is "$url/docs/..%2Fdocs%2Fdocs.js"
refused "the reference is only read" 405 METHOD_NOT_ALLOWED "${post[@]}" "$url/docs"
answered "metrics are open on loopback" 200 "$api/metrics"
has_header "in the format of Prometheus" '^content-type: text/plain; version=0\.0\.4'
answered "nothing lets pages of others in" 200 "${with[@]}" -H "Origin: $url" "$api/status"
checks=$((checks + 1))
! grep -qi '^access-control-' "$head" || complain "no CORS headers" "wanted none"

checks=$((checks + 1))
rc=0
"$build/ccbt" --url "$url" --api-key "${key#*: }" ls >/dev/full 2>/dev/null || rc=$?
((rc == 1)) || complain "ccbt whose output cannot be written" "wanted exit code 1, not $rc"

answered "the torrents afterwards" 200 "${with[@]}" "$api/torrents"
cmp -s "$body" "$work/asked/before" || complain "the state is what it was" "wanted $(<"$work/asked/before")"
kill "$daemon"
rc=0
wait "$daemon" || rc=$?
((rc == 0)) || complain "it stops cleanly" "wanted exit code 0, not $rc"

echo "$((checks - wrong)) of $checks checks hold"
((wrong == 0))
