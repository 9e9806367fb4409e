"""How often a model agrees with openpose about the largest person: python -m training.measure.agreement --help"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..skeleton import COCO17_SIGMAS
from .evaluate import SEEN, Posecam, as_truth, document


def write_frames(clip: Path, out: Path, step: int) -> Path:
    """Every step-th frame as a picture; returns annotations without anybody."""
    out.mkdir(parents=True, exist_ok=True)
    capture = cv2.VideoCapture(str(clip))
    images: list[dict[str, Any]] = []
    number = 0
    while True:
        more, frame = capture.read()
        if not more:
            break
        number += 1
        if (number - 1) % step == 0:
            name = f"frame_{number:05d}.png"
            cv2.imwrite(str(out / name), frame)
            images.append({"id": number, "file_name": name, "width": frame.shape[1], "height": frame.shape[0]})
    annotations = out / "nobody.json"
    annotations.write_text(json.dumps(document(images, [])))
    return annotations


def oks(truth: dict[str, Any], person: dict[str, Any]) -> float:
    """Over the keypoints that the truth has; those that the person lacks count as far off."""
    expected, found = (np.array(p["keypoints"], float).reshape(17, 3) for p in (truth, person))
    known = expected[:, 2] > 0
    distance = ((expected[:, :2] - found[:, :2]) ** 2).sum(1)
    likeness = np.exp(-distance / (2 * truth["area"] * (2 * COCO17_SIGMAS) ** 2)) * (found[:, 2] > SEEN)
    return float(likeness[known].mean())


def by_image(people: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for person in people:
        groups[person["image_id"]].append(person)
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posecam", type=Path, required=True, help="the program, of a release build")
    parser.add_argument("--model", required=True, help="descriptor")
    parser.add_argument("--mirror", type=Path, required=True, help="folder that holds the model's folder of weights")
    parser.add_argument("--teacher-mirror", type=Path, required=True, help="folder with human-pose-estimation-0001")
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for what is written on the way")
    parser.add_argument("--step", type=int, default=3, help="one frame in so many")
    options = parser.parse_args()
    posecam = Posecam(options.posecam, options.work / "store")
    posecam.pull("openpose", options.teacher_mirror)
    posecam.pull(options.model, options.mirror)
    frames = options.work / options.clip.stem
    nobody = write_frames(options.clip, frames, options.step)
    found = []
    for model in ("openpose", options.model):
        posecam.evaluate(model, frames, nobody, None, frames / "results.json")
        found.append(by_image(json.loads((frames / "results.json").read_text())))
    scores = []
    for image, people in found[0].items():
        truths = [t for t in (as_truth(p, 0) for p in people) if t]
        if truths:
            main_person = max(truths, key=lambda t: t["area"])
            scores.append(max((oks(main_person, p) for p in found[1][image]), default=0.0))
    agreed = np.mean([s >= 0.5 for s in scores])
    print(f"{options.clip.name}: OKS >= 0.5 on {agreed:.0%} of {len(scores)} frames, median {np.median(scores):.2f}")


if __name__ == "__main__":
    main()
