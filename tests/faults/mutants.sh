#!/usr/bin/env bash
# Each safeguard is seen to matter: with one of them switched off, the test that is to notice fails.
#   mutants.sh BUILD MUTANTS [durability | door | NAME...]
#     BUILD, MUTANTS   the builds whose tests and whose ccbtd are taken
#     NAME             only these; without any, all
set -euo pipefail
build=$(cd -- "$1" && pwd)
mutants=$(cd -- "$2" && pwd)
shift 2

# Safeguard (base/safeguard.hpp), then who is to notice that it is gone: of faults_tests, and of integration_tests.
durability='
answer_after_commit      power_cut.at_any_moment*
synchronous_full         power_cut.at_any_moment*
directory_fsync          power_cut.at_any_moment*
payload_fsync            power_cut.of_a_download*
recorded_removal         killing.at_each_step_of_a_removal*
read_only_after_failure  failing_disk.an_fsync*
newer_refused            state_dir.a_store_of_a_newer_version*
backup_before_migration  killing.at_each_step_of_a_migration*
lock_by_flock            state_dir.of_twenty*:state_dir.a_pid_file*
root_marker              state_dir.a_folder_without_its_marker*
'
door='
host_check                 daemon_guards.a_name_that_was_rebound*
origin_check               daemon_guards.a_page_of_another_origin*
content_type_check         daemon_guards.what_a_form_sends*
target_host_counts         daemon_guards.the_host_in_the_target*
random_first_key           daemon_process.makes_a_key_at_its_first_start*
key_compared_whole         daemon_guards.the_beginning_of_a_key*
pinned_signatures_only     daemon_signatures.of_strangers_other_times*
signature_covers_body      daemon_signatures.by_openssl_cover_the_body*
signature_once             daemon_signatures.by_openssl_cover_the_body*
signature_no_fall_through  daemon_signatures.of_strangers_other_times*
scopes_by_route            daemon_guards.a_key_of_fewer_scopes*
revoked_key_refused        daemon_named_keys.are_revoked_at_once
masked_secrets             daemon_config.shows_no_secret*
masked_log                 torrent_extended_announce.a_passkey*
failed_key_slowdown        daemon_limits.of_failed_keys*
valid_key_passes_slowdown  daemon_limits.of_failed_keys*
unix_peer_uid              daemon_unix_socket.another_user*
forwarded_is_not_own_user  daemon_unix_socket.who_comes_through_a_proxy*
trusted_proxy_only         daemon_proxies.one_that_is_not_listed*
tls_fail_closed            daemon_tls.fails_closed*
tls_min_version            daemon_guards.tls_of_before_2008*
certificate_pinned         daemon_tls.the_command_line_trusts*
inherited_bind_check       daemon_service_manager.a_socket_beyond_loopback*
insecure_bind_refused      daemon_process.an_unsafe_bind*
header_deadline_absolute   daemon_guards.of_time_a_head_that_trickles*
handshake_deadline         daemon_tls.a_handshake_that_does_not_come*
body_deadline              daemon_guards.of_time_a_body*
body_limit_before_read     daemon_guards.a_body_that_is_too_large*
framed_two_ways            daemon_guards.a_body_that_two_readers*
header_limits              daemon_limits.of_a_head*
per_source_limit           daemon_sources.one_connection_too_many*
total_connection_limit     daemon_limits.of_connections_in_all*
ws_queue_bound             daemon_guards.a_websocket_that_never_reads*
ws_message_limit           daemon_limits.of_websockets*
ws_client_limit            daemon_limits.of_websockets*
json_depth_limit           daemon_limits.of_json*
json_element_limit         daemon_limits.of_json*
confined_output_dir        daemon_guards.an_output_dir_beyond*
confined_export            daemon_guards.exports_and_imports*
confined_import            daemon_guards.exports_and_imports*
delete_only_own_files      daemon_guards.what_is_deleted*
stale_socket_only          daemon_unix_socket.what_a_killed_daemon_left*
limits_for_admins          daemon_limits.can_be_changed_by_an_administrator*
added_limits               daemon_limits.of_what_is_added*
state_file_pace            daemon_torrent_extended_backup.*a_minute*
filter_ratio_cap           daemon_guards.a_filter_that_unpacks*
state_modes                daemon_process.keeps_its_state_from_other_users
resume_hash_checked        daemon_torrent_extended_backup.what_a_file_claims_wrongly*
'

listed=$("$mutants/ccbtd" --version | sed -n 's/.*CCBT_MUTANT switches off one of //p' | tr ' ' '\n' | sort)
known=$(awk 'NF { print $1 }' <<<"$durability$door" | sort)
if [[ -z $listed || $listed != "$known" ]]; then
    printf 'the safeguards of the build and those of this script differ:\n%s\n' "$(diff <(echo "$listed") <(echo "$known"))"
    exit 1
fi

output=$(mktemp)
trap 'rm -f "$output"' EXIT
run() { # TESTS MUTANT FILTER
    local rc=0
    CCBT_MUTANT=$2 CCBT_TEST_PROGRAMS=$mutants "$build/$1_tests" --gtest_brief=1 --gtest_filter="$3" \
        >"$output" 2>&1 </dev/null || rc=$?
    return "$rc"
}

failed=0 table=''
of() { # TESTS, lines on the standard input
    local tests=$1 lines mutant filter rc noticed
    lines=$(awk 'NF')
    [[ -n $lines ]] || return 0
    echo "mutants: none switched off: all of these tests of $tests have to pass"
    if ! run "$tests" "" "$(awk '{ printf "%s:", $2 }' <<<"$lines")"; then
        cat "$output"
        exit 1
    fi
    if grep -q '  SKIPPED ' "$output"; then
        grep '  SKIPPED ' "$output"
        echo "mutants: a test that is skipped notices nothing"
        exit 1
    fi
    while read -r mutant filter; do
        rc=0
        run "$tests" "$mutant" "$filter" || rc=$?
        noticed=$(sed -n 's/^\[  FAILED  \] \([a-z_]*\.[a-zA-Z0-9_]*\).*/\1/p' "$output" | sort -u | paste -sd' ')
        # 1 is a test that failed; more is a test that fell over and says nothing of the daemon.
        if ((rc != 1)) || [[ -z $noticed ]]; then
            noticed="NOBODY (exit code $rc)"
            failed=1
        fi
        printf 'mutants: %s: %s\n' "$mutant" "$noticed"
        table+=$(printf '  %-26s %s' "$mutant" "$noticed")$'\n'
    done <<<"$lines"
}
chosen() { # LINES GROUP NAME...: those of a group, or of these names
    local lines=$1 group=$2
    shift 2
    if (($# == 0)) || [[ " $* " == *" $group "* ]]; then
        echo "$lines"
    else
        awk -v wanted=" $* " 'index(wanted, " " $1 " ")' <<<"$lines"
    fi
}
for name in "$@"; do
    [[ $name == durability || $name == door ]] || grep -qxF -- "$name" <<<"$known" || {
        echo "mutants: no safeguard \"$name\"; there are durability, door, or of them: $(xargs <<<"$known")"
        exit 2
    }
done
of faults <<<"$(chosen "$durability" durability "$@")"
of integration <<<"$(chosen "$door" door "$@")"

printf '\nmutant                       noticed by\n%s' "$table"
exit "$failed"
