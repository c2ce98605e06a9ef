#!/usr/bin/env bash
# Follows "Add an endpoint" of CONTRIBUTING.md in a copy of the tree, as it stands there, and uses what comes of it:
# recipe_test.sh SOURCEDIR. It builds the daemon and ccbt anew, so it takes minutes.
set -euo pipefail

source_dir=$(realpath -- "${1:?usage: recipe_test.sh SOURCEDIR}")
tree=$(mktemp -d "${TMPDIR:-/tmp}/ccbt-recipe-XXXXXX")
trap 'rm -rf "$tree"' EXIT
(cd -- "$source_dir" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -pt "$tree")
cd -- "$tree"
git init -q && git add -A && git -c user.name=x -c user.email=x@localhost commit -qm before

python3 - <<'PYTHON'
import re
text = open("CONTRIBUTING.md").read()
promise, listed, deed = re.findall(r"```cpp\n(.*?)```", text.split("## Add an endpoint")[1], re.S)[:3]

path = "src/contract/session.hpp"
before = open(path).read()
old = re.search(r"using session_endpoints = .*?;\n", before, re.S).group()
open(path, "w").write(before.replace(old, promise + "\n" + listed))

path = "src/executor/session.hpp"
before = open(path).read()
open(path, "w").write(before.replace("private:", deed + "\nprivate:", 1))
PYTHON
[[ $(git diff --name-only | wc -l) == 2 ]] || { echo "recipe: it took other than two files" >&2; exit 1; }
git diff --stat

./dev build release ccbt ccbtd wire_test

name=recipe build=$tree/build/release
# shellcheck source=tests/e2e/common.sh
source "$tree/tests/e2e/common.sh"
trap 'rm -rf "$tree"; clean_up' EXIT
configure daemon 127.0.0.1
ours=("$build/ccbt" --config "$work/daemon/ccbt.toml")
says() { # WANTED COMMAND...: its output matches the pattern
    local wanted=$1 got
    shift
    got=$("$@") || got="(exit code $?) $got"
    # shellcheck disable=SC2053 # a pattern
    [[ $got == $wanted ]] || {
        echo "recipe: $* said: ${got:0:500}" >&2
        exit 1
    }
}
"${ours[@]}" daemon start
url=$(field "$work/daemon/state/daemon.json" url)
with=(-H "X-CCBT-API-Key: $(<"$work/daemon/state/api_key")")
says '{"text":"hello"}' "${ours[@]}" --json echo hello
says '*Say it again*' "${ours[@]}" echo --help
says '* echo *' "${ours[@]}" completion bash
says 401 curl -s -o /dev/null -w '%{http_code}' "$url/api/v1/echo?text=hello"
says '{"text":"hello"}' curl -s "${with[@]}" "$url/api/v1/echo?text=hello"
says '*"VALIDATION_ERROR"*"text"*' curl -s "${with[@]}" "$url/api/v1/echo"
says '*session_echo*' curl -s "$url/openapi.json"
CCBT_UPDATE=1 "$build/wire_test" --gtest_filter='openapi.*' --gtest_brief=1
says '*session.echo*' cat docs/api/ccbt.d.ts
"${ours[@]}" daemon stop
echo "the recipe holds: two files, and echo is in the API, its documents, the client and ccbt"
