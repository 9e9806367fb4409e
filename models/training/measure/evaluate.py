"""Keypoint AP by the product itself, `posecam eval`: python -m training.measure.evaluate --help

Against annotations, or against what another model finds on the validation canvases (agreement with the teacher): the
canvases are what may be used for choosing, annotated pictures are only for reporting."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import cv2

from ..canvases import shards

CERTAIN = 0.3  # score from which the teacher's people count as truth
SEEN = 0.1  # score from which a keypoint of theirs does


class Posecam:
    def __init__(self, program: Path, store: Path) -> None:
        self._program = str(program)
        self._environment = os.environ | {"XDG_DATA_HOME": str(store)}

    def pull(self, model: str, mirror: Path) -> None:
        self._run("models", "pull", model, "--mirror", str(mirror))

    def evaluate(self, model: str, images: Path, annotations: Path, size: str | None, results: Path) -> dict[str, Any]:
        arguments = [
            "--model",
            model,
            "--images",
            str(images),
            "--annotations",
            str(annotations),
            "--results",
            str(results),
        ]
        return json.loads(self._run("eval", *arguments, *(["--net-resolution", size] if size else []), "--json"))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([self._program, *arguments], env=self._environment, text=True, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr.strip())
        return done.stdout


def write_pictures(data: Path, out: Path, count: int) -> Path:
    """Validation canvases as files, and annotations without anybody: the folder and annotations that eval wants."""
    out.mkdir(parents=True, exist_ok=True)
    shard = shards.read(shards.complete(data, "validation")[0])
    images = []
    for index in range(count):
        name = f"canvas_{index:04d}.png"
        cv2.imwrite(str(out / name), shard.images[index])
        height, width = shard.images[index].shape[:2]
        images.append({"id": index + 1, "file_name": name, "width": width, "height": height})
    annotations = out / "nobody.json"
    annotations.write_text(json.dumps(document(images, [])))
    return annotations


def document(images: list[dict], annotations: list[dict]) -> dict[str, Any]:
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}


def as_truth(person: dict[str, Any], number: int) -> dict[str, Any] | None:
    """A COCO result as an annotation; None where too little of it is certain."""
    triples = [person["keypoints"][i : i + 3] for i in range(0, 51, 3)]
    seen = [(x, y) for x, y, score in triples if score > SEEN]
    if len(seen) < 5 or person["score"] < CERTAIN:
        return None
    low, high = (tuple(f(p[axis] for p in seen) for axis in (0, 1)) for f in (min, max))
    width, height = high[0] - low[0], high[1] - low[1]
    return {
        "id": number, "image_id": person["image_id"], "category_id": 1, "iscrowd": 0, "num_keypoints": len(seen),
        "keypoints": [v for x, y, s in triples for v in ((x, y, 2) if s > SEEN else (0, 0, 0))],
        "bbox": [*low, width, height], "area": max(1.0, 0.55 * width * height),
    }  # fmt: skip


def teacher_truth(posecam: Posecam, teacher: str, pictures: Path, nobody: Path) -> Path:
    results = pictures / "teacher.json"
    truth = pictures / "teacher_truth.json"
    if not truth.exists():
        posecam.evaluate(teacher, pictures, nobody, None, results)
        people = [as_truth(p, n) for n, p in enumerate(json.loads(results.read_text()), 1)]
        images = json.loads(nobody.read_text())["images"]
        truth.write_text(json.dumps(document(images, [p for p in people if p])))
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posecam", type=Path, required=True, help="the program, of a release build")
    parser.add_argument("--model", default="export/openpose-lite.json", help="descriptor, or a name of the zoo")
    parser.add_argument("--mirror", type=Path, required=True, help="folder that holds the model's folder of weights")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is written on the way")
    parser.add_argument("--images", type=Path, help="annotated pictures ...")
    parser.add_argument("--annotations", type=Path, help="... and their COCO keypoints")
    parser.add_argument("--sizes", nargs="*", default=["456x256"], help="network inputs to try")
    parser.add_argument("--data", type=Path, help="folder of shards: measures agreement with the teacher on validation")
    parser.add_argument("--teacher-mirror", type=Path, help="folder with human-pose-estimation-0001, for --data")
    parser.add_argument("--canvases", type=int, default=300)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    posecam = Posecam(options.posecam, options.work / "store")
    posecam.pull(options.model, options.mirror)
    images, annotations = options.images, options.annotations
    if options.data:
        posecam.pull("openpose", options.teacher_mirror)
        images = options.work / "validation"
        annotations = teacher_truth(posecam, "openpose", images, write_pictures(options.data, images, options.canvases))
    for size in options.sizes:
        report = posecam.evaluate(options.model, images, annotations, size, options.work / "results.json")
        print(size, json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
