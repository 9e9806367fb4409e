"""Draws the logs of a run and its cool-down: python -m training.measure.plot CURVE.png LOG.jsonl [COOLED.jsonl ...]"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # after the choice of a backend that needs no display


def series(entries: list[dict[str, Any]], key: str) -> tuple[list[float], list[float]]:
    """Thousands of crops seen, and the value."""
    known = [e for e in entries if key in e]
    return [e["images"] / 1000 for e in known], [e[key] for e in known]


def main() -> None:
    picture, *logs = (Path(argument) for argument in sys.argv[1:])
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for log in logs:
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        left.plot(*series(entries, "loss"), linewidth=1, label=log.stem)
        right.plot(*series(entries, "heatmap_error"), marker="o", markersize=4, label=f"heatmaps, {log.stem}")
        right.plot(*series(entries, "paf_error"), marker="s", markersize=4, label=f"PAFs, {log.stem}")
    left.set(xlabel="thousand crops seen", ylabel="training loss", ylim=(0.3, 0.8))
    right.set(xlabel="thousand crops seen", ylabel="error on validation (1: predicting nothing)", ylim=(0.4, 1))
    for axes in (left, right):
        axes.legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=90)


if __name__ == "__main__":
    main()
