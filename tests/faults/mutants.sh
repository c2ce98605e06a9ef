#!/usr/bin/env bash
# Each safeguard is seen to matter: with one of them switched off, the test that is to notice fails.
#   mutants.sh BUILD MUTANTS    the builds whose faults_tests and whose ccbtd are taken
set -euo pipefail
build=$(cd -- "$1" && pwd)
mutants=$(cd -- "$2" && pwd)

# Safeguard (base/safeguard.hpp), then who is to notice that it is gone.
noticers='
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

output=$(mktemp)
trap 'rm -f "$output"' EXIT
run() { # MUTANT FILTER
    local rc=0
    CCBT_MUTANT=$1 CCBT_TEST_PROGRAMS=$mutants "$build/faults_tests" --gtest_brief=1 --gtest_filter="$2" >"$output" 2>&1 || rc=$?
    return "$rc"
}

listed=$("$mutants/ccbtd" --version | sed -n 's/.*CCBT_MUTANT switches off one of //p' | tr ' ' '\n' | sort)
known=$(awk 'NF { print $1 }' <<<"$noticers" | sort)
if [[ -z $listed || $listed != "$known" ]]; then
    printf 'the safeguards of the build and those of this script differ:\n%s\n' "$(diff <(echo "$listed") <(echo "$known"))"
    exit 1
fi

echo "mutants: none switched off: all of these tests have to pass"
if ! run "" "$(awk 'NF { printf "%s:", $2 }' <<<"$noticers")"; then
    cat "$output"
    exit 1
fi
if grep -q '  SKIPPED ' "$output"; then
    grep '  SKIPPED ' "$output"
    echo "mutants: a test that is skipped notices nothing"
    exit 1
fi

failed=0 table=''
while read -r mutant filter; do
    [[ -n $mutant ]] || continue
    rc=0
    run "$mutant" "$filter" || rc=$?
    noticed=$(sed -n 's/^\[  FAILED  \] \([a-z_]*\.[a-zA-Z0-9_]*\).*/\1/p' "$output" | sort -u | paste -sd' ')
    # 1 is a test that failed; more is a test that fell over and says nothing of the daemon.
    if ((rc != 1)) || [[ -z $noticed ]]; then
        noticed="NOBODY (exit code $rc)"
        failed=1
    fi
    printf 'mutants: %s: %s\n' "$mutant" "$noticed"
    table+=$(printf '  %-24s %s' "$mutant" "$noticed")$'\n'
done <<<"$noticers"

printf '\nmutant                     noticed by\n%s' "$table"
exit "$failed"
