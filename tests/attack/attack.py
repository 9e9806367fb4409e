#!/usr/bin/env python3
"""attack.py [--tries N | --minutes N] [--seed N] [--keep FOLDER] POSECAM [KIND...]: what people do who mean harm.

Each kind of attack is tried N times, or all in turn for that many minutes, with random numbers from the seed (a fresh
one if none is given). A finding is printed with its seed, which makes it again, and its files are kept. At the end
stands a table. Exit code: 1 with a finding, 77 if nothing could be tried here.
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

import clips
import harness
import networks
import surroundings
import texts

KINDS = {name.removeprefix("attack_"): function
         for module in (clips, networks, surroundings, texts)
         for name, function in vars(module).items() if name.startswith("attack_")}


class Campaign:
    def __init__(self, posecam, keep):
        self.posecam, self.keep = posecam, keep
        self.tries, self.findings, self.skipped, self.seconds = {}, {}, {}, {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="posecam-attack-"))
        (self.folder / "home").mkdir()

    def attempt(self, kind, seed):
        attack = harness.Attack(self.posecam, self.folder / "try", seed)
        began = time.monotonic()
        try:
            KINDS[kind](attack)
        except harness.Skip as why:
            self.skipped[kind] = str(why)
            return
        except harness.Finding as what:
            self.findings[kind] = self.findings.get(kind, 0) + 1
            kept = self.keep / f"{kind}-{seed}"
            shutil.copytree(attack.folder, kept, dirs_exist_ok=True, symlinks=True,
                            ignore=lambda folder, names: [n for n in names if pathlib.Path(folder, n).is_fifo()])
            harness.say(f"attack: {kind} (--tries 1 --seed {seed}; files in {kept}): {what}")
        finally:
            shutil.rmtree(attack.folder, ignore_errors=True)
            self.seconds[kind] = self.seconds.get(kind, 0) + time.monotonic() - began
        self.tries[kind] = self.tries.get(kind, 0) + 1

    def table(self):
        print(f"{'attack':<12}{'tries':>7}{'findings':>10}{'seconds':>9}")
        for kind in KINDS:
            if kind in self.tries:
                print(f"{kind:<12}{self.tries[kind]:>7}{self.findings.get(kind, 0):>10}{self.seconds[kind]:>9.1f}")
            elif kind in self.skipped:
                print(f"{kind:<12} skipped: {self.skipped[kind]}")

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "posecam-attacks")
    parser.add_argument("posecam", type=pathlib.Path)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    options = parser.parse_args()
    if unknown := [kind for kind in options.kinds if kind not in KINDS]:
        parser.error(f"{unknown[0]}: no such attack; there are {', '.join(KINDS)}")
    kinds = options.kinds or list(KINDS)
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    campaign = Campaign(options.posecam.resolve(), options.keep)
    until = time.monotonic() + 60 * options.minutes
    try:
        rounds = 0
        while time.monotonic() < until if options.minutes else rounds < options.tries:
            for kind in kinds:
                if kind not in campaign.skipped:
                    campaign.attempt(kind, seed + rounds)
                if options.minutes and time.monotonic() >= until:
                    break
            rounds += 1
            if not set(kinds) - set(campaign.skipped):
                break
    finally:
        campaign.close()
    campaign.table()
    if campaign.findings:
        return 1
    return 0 if campaign.tries else 77


if __name__ == "__main__":
    sys.exit(main())
