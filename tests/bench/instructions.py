#!/usr/bin/env python3
"""How many instructions the hot paths of the daemon take, held against bench/instructions.json.

    instructions.py BUILD_FOLDER                  compares; leaves with 1 where one takes over 5 % more
    instructions.py BUILD_FOLDER --write REASON   writes what was counted; the reason stays beside each that changed

Counts are of callgrind, of user code, all threads of the daemon's rooms together (the store is in memory, the engine a
fake); they are the same on each run to some tenths of a percent, whatever else the machine does. Processor features that
the library code would choose by are switched off, so that machines agree.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

allowed = 1.05
kept = pathlib.Path(__file__).resolve().parents[2] / "bench" / "instructions.json"


def counted(build):
    with tempfile.TemporaryDirectory(prefix="ccbt-instructions-") as folder:
        out = pathlib.Path(folder) / "out"
        env = dict(os.environ, GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX,-AVX_Fast_Unaligned_Load,-AVX2,-SSSE3,-SSE4_2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM",
                   OPENSSL_ia32cap="0:0")
        ran = subprocess.run(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet", f"--callgrind-out-file={out}",
             str(build / "instructions")],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=280)
        if ran.returncode != 0:
            sys.exit(f"instructions: the program ended with {ran.returncode}\n{ran.stderr}")
        found = {}
        for file in pathlib.Path(folder).iterdir():
            text = file.read_text(errors="replace")
            named = re.search(r"^desc: Trigger: Client Request: (.*)/(\d+)$", text, re.M)
            total = re.search(r"^totals: (\d+)", text, re.M)
            if named and total:
                found[named[1]] = round(int(total[1]) / int(named[2]))
        return found


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("build", type=pathlib.Path)
    words.add_argument("--write", metavar="REASON")
    given = words.parse_args()
    if shutil.which("valgrind") is None:
        print("instructions: valgrind is not here")
        return 77
    now = counted(given.build)
    before = json.loads(kept.read_text()) if kept.exists() else {}
    if not now or (given.write is None and set(now) != set(before)):
        sys.exit(f"instructions: counted were {sorted(now)}, {kept.name} has {sorted(before)}")
    too_many = []
    for what, count in now.items():
        was = before.get(what, {}).get("instructions", 0)
        change = f"{100 * (count / was - 1):+.1f} %" if was else "new"
        print(f"{what:32} {count:>12,} {change:>9}")
        if given.write is not None and (not was or abs(count / was - 1) > 0.005):
            before[what] = {"instructions": count, "reason": given.write}
        elif was and count > was * allowed:
            too_many.append(what)
    if given.write is not None:
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps({what: before[what] for what in now}, indent=2) + "\n")
        return 0
    if too_many:
        print(f"over {allowed - 1:.0%} more than {kept.name} has: {', '.join(too_many)}. Where that is meant:\n"
              f"  tests/bench/instructions.py {given.build} --write 'why it takes more'   in the same commit")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
