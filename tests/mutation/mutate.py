#!/usr/bin/env python3
"""Says which deliberate faults no test notices.

    python3 tests/mutation/mutate.py                    # all of mutations.toml: an hour on two cores
    python3 tests/mutation/mutate.py --only drain       # those whose name or file has the word
    python3 tests/mutation/mutate.py --resume           # all but those that were noticed before
    python3 tests/mutation/mutate.py --list

Each mutation of the list changes one place in a copy of the tree (the last commit, below build/mutation), builds the test programs
that should notice, and runs their tests. One that no test notices survives; a test that hangs or crashes has noticed. Several
copies work at once (--jobs). Not part of `make test`: it takes long, and it judges the tests, not the program.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "tests" / "mutation" / "mutations.toml"
WORK = ROOT / "build" / "mutation"
RESULTS = WORK / "results.json"
SECONDS = WORK / "seconds.json"  # of each test program without any mutation
LEAST_LIMIT = 60  # s: a test that a fault has hung


def run(*command, timeout=None):
    """The exit status (124: out of time, and whatever it started has ended) and what was printed."""
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0)
    try:
        text, _ = child.communicate(timeout=timeout)
        return child.returncode, text
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        text, _ = child.communicate()
        return 124, text


def must(*command):
    status, text = run(*command)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{text[-4000:]}")


class Copy:
    """A tree that is mutated, and its build: where it lies in every checkout, so that ccache knows most of it."""

    def __init__(self, tree, build_jobs):
        self.tree = tree
        self.build_folder = tree / "build" / "release"
        self.build_jobs = build_jobs

    def prepare(self, commit):
        """A clean copy of the commit, configured; what was built in it before is kept."""
        if self.tree == ROOT:
            return
        if (self.tree / ".git").exists():
            must("git", "-C", self.tree, "checkout", "-q", "--force", "--detach", commit)
        else:
            must("git", "-C", ROOT, "worktree", "add", "-q", "--detach", self.tree, commit)
        must("cmake", "-S", self.tree, "-B", self.build_folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
             "-DPOSECAM_BENCHMARKS=OFF", f"-DPOSECAM_OPENVINO_DIR={ROOT}/build/deps/openvino",
             f"-DPOSECAM_SHARED_DIR={ROOT.parent}/shared")

    def build(self, programs):
        return run("cmake", "--build", self.build_folder, "-j", self.build_jobs, "--target", *programs)

    def test(self, program, only, limit=None):
        return run(self.build_folder / "bin" / program, f"--gtest_filter={only}", "--gtest_fail_fast", timeout=limit)

    def judge(self, mutation, limits):
        """"noticed", "survives" or "does not compile", and by which test or why."""
        source = self.tree / mutation["file"]
        original = source.read_text()
        source.write_text(original.replace(mutation["old"], mutation["new"]))
        try:
            status, text = self.build(mutation["programs"])
            if status != 0:
                return "does not compile", text[-3000:]
            for program in mutation["programs"]:
                status, text = self.test(program, filter_of(mutation), limits[program])
                if status != 0:
                    return "noticed", who_failed(status, text)
            return "survives", ""
        finally:
            source.write_text(original)


def filter_of(mutation):
    return mutation.get("tests", "*")


def who_failed(status, text):
    """The test that noticed: it failed, or was running when its program ended or had to be ended."""
    running = ""
    for line in text.splitlines():
        if line.startswith("[ RUN      ]"):
            running = line.removeprefix("[ RUN      ]").strip()
        if line.startswith("[  FAILED  ]"):
            return line.removeprefix("[  FAILED  ]").split(" (")[0].split(",")[0].strip()
    return f"{running} ({'out of time' if status == 124 else f'exit {status}'})"


def key_of(mutation):
    return hashlib.sha256(json.dumps(mutation, sort_keys=True).encode()).hexdigest()


def check(mutation, tree):
    """The text to be replaced is there, once."""
    found = (tree / mutation["file"]).read_text().count(mutation["old"])
    if found != 1:
        raise SystemExit(f"mutation '{mutation['name']}': {mutation['file']} has its text {found} times: mend the list")


def baseline(copies, mutations, resume):
    """Builds every copy. Tests that fail without any mutation say nothing; how long they take is the measure for hangs."""
    known = json.loads(SECONDS.read_text()) if resume and SECONDS.exists() else {}
    programs = {}
    for mutation in mutations:
        for program in mutation["programs"]:
            programs.setdefault(program, set()).add(filter_of(mutation))
    with concurrent.futures.ThreadPoolExecutor(len(copies)) as pool:
        for status, text in pool.map(lambda copy: copy.build(sorted(programs)), copies):
            if status != 0:
                raise SystemExit(f"the tree does not build:\n{text[-4000:]}")
    for program, filters in sorted(programs.items()):
        if program in known:
            continue
        began = time.monotonic()
        status, text = copies[0].test(program, "*" if "*" in filters else ":".join(sorted(filters)))
        if status != 0:
            raise SystemExit(f"{program} fails without any mutation: {who_failed(status, text)}\n{text[-2000:]}")
        known[program] = round(time.monotonic() - began, 1)
        SECONDS.write_text(json.dumps(known, indent=1))
        print(f"{program}: {known[program]:.0f} s without any mutation", flush=True)
    return {program: LEAST_LIMIT + 4 * known[program] for program in programs}


class Book:
    """What came of each mutation, kept from run to run."""

    def __init__(self):
        self.lock = threading.Lock()
        self.known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}

    def was_noticed(self, mutation):
        return self.known.get(key_of(mutation), {}).get("result") == "noticed"

    def note(self, mutation, result, detail):
        with self.lock:
            self.known[key_of(mutation)] = {"name": mutation["name"], "result": result, "detail": detail}
            RESULTS.write_text(json.dumps(self.known, indent=1))


def judge_all(copies, mutations, limits, book):
    waiting = queue.SimpleQueue()
    for numbered in enumerate(mutations, 1):
        waiting.put(numbered)
    verdicts = {}

    def work(copy):
        while True:
            try:
                number, mutation = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            result, detail = copy.judge(mutation, limits)
            verdicts[number] = result
            book.note(mutation, result, detail)
            print(f"{number}/{len(mutations)} {result:9} {mutation['name']}: {detail} ({time.monotonic() - began:.0f} s)", flush=True)

    with concurrent.futures.ThreadPoolExecutor(len(copies)) as pool:
        for done in [pool.submit(work, copy) for copy in copies]:
            done.result()
    return [verdicts[number] for number in range(1, len(mutations) + 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD", help="those whose name or file has the word")
    parser.add_argument("--resume", action="store_true", help="leave out what was noticed, and what passed without any mutation, before")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="copies that work at once (a core each)")
    parser.add_argument("--here", action="store_true", help="in this tree and build/release, which nobody may touch meanwhile")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="every Nth, from the Kth on")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    wish = parser.parse_args()
    with open(LIST, "rb") as file:
        mutations = [m for m in tomllib.load(file)["mutation"] if wish.only in m["name"] or wish.only in m["file"]]
    part, parts = map(int, wish.part.split("/"))
    mutations = mutations[part - 1::parts]
    if wish.list:
        print("\n".join(m["name"] for m in mutations))
        return 0
    WORK.mkdir(parents=True, exist_ok=True)
    book = Book()
    known = [m for m in mutations if wish.resume and book.was_noticed(m)]
    mutations = [m for m in mutations if m not in known]
    if not wish.here:
        must("git", "-C", ROOT, "worktree", "prune")
    commit = subprocess.check_output(["git", "-C", ROOT, "rev-parse", "HEAD"], text=True).strip()
    trees = [ROOT] if wish.here else [WORK / str(number) for number in range(1, wish.jobs + 1)]
    copies = [Copy(tree, max(1, os.cpu_count() // len(trees))) for tree in trees]
    for copy in copies:
        copy.prepare(commit)
    for mutation in mutations:
        check(mutation, copies[0].tree)
    verdicts = judge_all(copies, mutations, baseline(copies, mutations, wish.resume), book) if mutations else []
    for verdict in ("survives", "does not compile"):
        names = [m["name"] for m, v in zip(mutations, verdicts) if v == verdict]
        print(f"\n{verdict}: {len(names)} of {len(mutations) + len(known)}")
        for name in names:
            print(f"  {name}")
    return 1 if verdicts.count("noticed") < len(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
