"""Draws a run's log: python -m training.plot LOG.jsonl CURVE.png"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # after the choice of a backend that needs no display


def main() -> None:
    log, picture = (Path(argument) for argument in sys.argv[1:3])
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    losses = [(e["images"] / 1000, e["loss"]) for e in entries if "loss" in e]
    left.plot(*zip(*losses, strict=True), linewidth=1)
    left.set(xlabel="thousand crops seen", ylabel="training loss", ylim=(0, 1))
    for key, label in (("heatmap_error", "heatmaps"), ("paf_error", "PAFs")):
        points = [(e["images"] / 1000, e[key]) for e in entries if key in e]
        if points:
            right.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
    right.set(xlabel="thousand crops seen", ylabel="error on validation (1: predicting nothing)", ylim=(0, 1))
    right.legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=90)


if __name__ == "__main__":
    main()
