#!/usr/bin/env python3
"""A table of line coverage by folder of src/, from the counters of a coverage build (gcovr reads them).

    tools/coverage.py [--files] [build/coverage]
"""

import collections
import json
import os
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


def main(arguments):
    by_file = "--files" in arguments
    rest = [one for one in arguments if one != "--files"]
    if len(rest) > 1 or rest and rest[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    build = os.path.abspath(rest[0] if rest else os.path.join(ROOT, "build", "coverage"))
    command = ["gcovr", "--root", ROOT, "--object-directory", build, "--filter", os.path.join(ROOT, "src") + "/",
               "--exclude", r".*_test\.cpp", "--gcov-ignore-parse-errors", "--exclude-directories", r".*CMakeFiles/\d[\d.]*",
               "-j", "2", "--json-summary", "-", build]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"coverage: gcovr failed ({done.returncode})", file=sys.stderr)
        return 1
    rows = collections.defaultdict(lambda: [0, 0])
    for file in json.loads(done.stdout)["files"]:
        name = file["filename"] if by_file else os.path.dirname(file["filename"])
        for row in (rows[name], rows["all"]):
            row[0] += file["line_covered"]
            row[1] += file["line_total"]
    if not rows:
        print("coverage: no counters there; run the tests of the coverage build first", file=sys.stderr)
        return 1
    total = rows.pop("all")
    width = max(map(len, rows))
    print(f"{'folder' if not by_file else 'file':<{width}}   lines  reached       %")
    for name, (reached, lines) in [*sorted(rows.items()), ("all", total)]:
        print(f"{name:<{width}}  {lines:>6}  {reached:>7}  {100 * reached / max(1, lines):>6.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
