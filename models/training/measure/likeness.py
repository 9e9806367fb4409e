"""How well a model finds the main person of the photographs held back: python -m training.measure.likeness --help

PCK@0.1: the share of the 17 labelled points for which the person who fits best has a keypoint within a tenth of the
height of the labels' box. Labels come from a strong network, hidden points included, so nobody reaches 1."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..canvases.photographs import Photograph, training_and_held_back
from ..skeleton import COCO17_OF_PARTS
from .agreement import by_image
from .evaluate import SEEN, Posecam, document

SHARE = 0.1


def held_back_actions(folder: Path) -> list[Photograph]:
    photographs = training_and_held_back(folder)[1]
    return [p for p in photographs if p.name.startswith("actions") and p.main[:, 2].any()]


def label(photograph: Photograph) -> np.ndarray:
    """(17, 2)."""
    return photograph.main[list(COCO17_OF_PARTS), :2]


def right_points(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Which of (17, 2) points the (17, 3) keypoints hit."""
    height = np.ptp(truth[:, 1])
    return (np.linalg.norm(truth - found[:, :2], axis=1) <= SHARE * height) & (found[:, 2] > SEEN)


def best_share(truth: np.ndarray, people: list[dict[str, Any]]) -> float:
    keypoints = [np.array(p["keypoints"], float).reshape(17, 3) for p in people]
    return max((float(right_points(truth, k).mean()) for k in keypoints), default=0.0)


def write_pictures(photographs: list[Photograph], out: Path) -> Path:
    """As PNG, and annotations without anybody: what eval wants."""
    out.mkdir(parents=True, exist_ok=True)
    images = []
    for number, photograph in enumerate(photographs, 1):
        picture = photograph.image()
        name = f"{number:04d}.png"
        cv2.imwrite(str(out / name), picture)
        images.append({"id": number, "file_name": name, "width": picture.shape[1], "height": picture.shape[0]})
    annotations = out / "nobody.json"
    annotations.write_text(json.dumps(document(images, [])))
    return annotations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posecam", type=Path, required=True, help="the program, of a release build")
    parser.add_argument("--model", required=True, help="descriptor, or a name of the zoo")
    parser.add_argument("--mirror", type=Path, required=True, help="folder that holds the model's folder of weights")
    parser.add_argument("--photographs", type=Path, required=True, help="folder with actions/ and lspet/")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is written on the way")
    parser.add_argument("--sizes", nargs="*", default=["456x256"], help="network inputs to try")
    options = parser.parse_args()
    posecam = Posecam(options.posecam, options.work / "store")
    posecam.pull(options.model, options.mirror)
    photographs = held_back_actions(options.photographs)
    pictures = options.work / "actions"
    nobody = write_pictures(photographs, pictures)
    for size in options.sizes:
        results = options.work / "results.json"
        posecam.evaluate(options.model, pictures, nobody, size, results)
        people = by_image(json.loads(results.read_text()))
        shares = [best_share(label(p), people[n]) for n, p in enumerate(photographs, 1)]
        found = np.mean([bool(people[n]) for n in range(1, len(photographs) + 1)])
        print(f"{size}: PCK@0.1 {np.mean(shares):.3f} on {len(shares)} photographs, somebody found in {found:.0%}")


if __name__ == "__main__":
    main()
