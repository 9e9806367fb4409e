#!/usr/bin/env python3
"""Says which deliberate faults no test notices.

    python3 tests/mutation/mutate.py                    # all of mutations.toml: an hour or two on two cores
    python3 tests/mutation/mutate.py --only drain       # those whose name has the word
    python3 tests/mutation/mutate.py --list

Each mutation of the list changes one place in a copy of the tree (the last commit, below build/mutation), builds the test programs
that should notice, and runs their tests. One that no test notices survives. Not part of `make test`: it takes long, and it judges
the tests, not the program.
"""

import argparse
import pathlib
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutation"
TREE = WORK / "tree"
BUILD = WORK / "build"


def run(*command, timeout=None):
    """The exit status (124: out of time) and what was printed."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return 124, (late.stdout or b"").decode(errors="replace")


def must(*command):
    status, text = run(*command)
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{text[-4000:]}")


def prepare():
    """A clean copy of the last commit, configured; what was built in it before is kept."""
    commit = subprocess.check_output(["git", "-C", ROOT, "rev-parse", "HEAD"], text=True).strip()
    if TREE.exists():
        must("git", "-C", TREE, "checkout", "-q", "--force", "--detach", commit)
    else:
        must("git", "-C", ROOT, "worktree", "prune")
        must("git", "-C", ROOT, "worktree", "add", "-q", "--detach", TREE, commit)
    must("cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DPOSECAM_BENCHMARKS=OFF",
         f"-DPOSECAM_OPENVINO_DIR={ROOT}/build/deps/openvino", f"-DPOSECAM_SHARED_DIR={ROOT.parent}/shared")


def build(programs):
    return run("cmake", "--build", BUILD, "--target", *programs)


def test(programs, only="*"):
    """Status and output of the first test program that fails; 0 if none does."""
    for program in programs:
        status, text = run(BUILD / "bin" / program, f"--gtest_filter={only}", "--gtest_fail_fast", "--gtest_brief=1", timeout=300)
        if status != 0:
            return status, text
    return 0, ""


def check(mutation):
    """The text to be replaced is there, once."""
    found = (TREE / mutation["file"]).read_text().count(mutation["old"])
    if found != 1:
        sys.exit(f"mutation '{mutation['name']}': {mutation['file']} has its text {found} times: mend the list")


def first_failure(status, text):
    """The test that noticed."""
    for line in text.splitlines():
        if line.startswith("[  FAILED  ]"):
            return line.removeprefix("[  FAILED  ]").split(" (")[0].strip()
    return "out of time" if status == 124 else f"exit {status}"


def verdict(mutation):
    source = TREE / mutation["file"]
    original = source.read_text()
    source.write_text(original.replace(mutation["old"], mutation["new"]))
    try:
        status, text = build(mutation["programs"])
        if status != 0:
            return "does not compile", text[-2000:]
        status, text = test(mutation["programs"], mutation.get("tests", "*"))
        return ("survives", "") if status == 0 else ("noticed", first_failure(status, text))
    finally:
        source.write_text(original)


def baseline(mutations):
    """Tests that fail without any mutation say nothing."""
    programs = sorted({program for mutation in mutations for program in mutation["programs"]})
    status, text = build(programs)
    if status != 0:
        sys.exit(f"the tree does not build:\n{text[-4000:]}")
    status, text = test(programs)
    if status != 0:
        sys.exit(f"a test fails without any mutation: {first_failure(status, text)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD", help="those whose name or file has the word")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    wish = parser.parse_args()
    with open(ROOT / "tests/mutation/mutations.toml", "rb") as file:
        mutations = [m for m in tomllib.load(file)["mutation"] if wish.only in m["name"] or wish.only in m["file"]]
    if wish.list:
        print("\n".join(m["name"] for m in mutations))
        return
    prepare()
    for mutation in mutations:
        check(mutation)
    baseline(mutations)
    surviving = []
    for number, mutation in enumerate(mutations, 1):
        began = time.monotonic()
        result, detail = verdict(mutation)
        if result == "does not compile":
            sys.exit(f"mutation '{mutation['name']}' does not compile:\n{detail}")
        if result == "survives":
            surviving.append(mutation["name"])
        print(f"{number}/{len(mutations)} {result:9} {mutation['name']}  {detail} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"\n{len(surviving)} of {len(mutations)} survive")
    for name in surviving:
        print(f"  {name}")
    sys.exit(1 if surviving else 0)


if __name__ == "__main__":
    main()
