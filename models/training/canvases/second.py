"""The second teacher: keypoints of everybody in a photograph by yolox-nano and MoveNet Thunder, stored in files of a
few hundred photographs each: python -m training.canvases.second --help"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import openvino as ov

from .boxes import Found, box_of, overlap
from .photographs import Photograph, training_and_held_back

PER_FILE = 200
FIRST = 3200  # training photographs that come before the held-back ones: enough to begin with
DETECTOR_SIDE, POSER_SIDE = 416, 256
DETECTED = 0.3  # score from which a box is somebody
SAME_BOX = 0.5  # overlap from which two boxes are the same person
CROP = 1.1  # side of the square that the pose network sees, over the longer side of the box


def best_boxes(boxes: np.ndarray) -> np.ndarray:
    """The strongest of those that overlap."""
    left = boxes[np.argsort(-boxes[:, 4])]
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[1:][overlap(left[0], left[1:]) < SAME_BOX]
    return np.array(kept, np.float32).reshape(-1, 5)


class SecondTeacher:
    def __init__(self, detector: Path, poser: Path, threads: int) -> None:
        core = ov.Core()
        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        self._detector = core.compile_model(detector, "CPU", settings)
        self._poser = core.compile_model(poser, "CPU", settings)

    def find(self, photograph: Photograph) -> Found:
        image = photograph.image()
        boxes = self._people(image)
        if (photograph.main[:, 2] > 0).sum() >= 3:
            main = box_of(photograph.main)
            if not len(boxes) or overlap(main, boxes).max() < 0.3:
                boxes = np.vstack([boxes, main])
        poses = [self._pose(image, box) for box in boxes]
        return Found(boxes, np.array(poses, np.float32).reshape(-1, 17, 3))

    def _people(self, image: np.ndarray) -> np.ndarray:
        scale = DETECTOR_SIDE / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale)
        pixels = np.full((1, 3, DETECTOR_SIDE, DETECTOR_SIDE), 114, np.float32)
        pixels[0, :, : small.shape[0], : small.shape[1]] = small.transpose(2, 0, 1)
        rows = self._detector(pixels)[0][0]
        score = rows[:, 4] * rows[:, 5]  # of "somebody there" and of the class person
        chosen = rows[score > DETECTED]
        corners = [chosen[:, :2] - chosen[:, 2:4] / 2, chosen[:, :2] + chosen[:, 2:4] / 2]
        return best_boxes(np.column_stack([np.concatenate(corners, 1) / scale, score[score > DETECTED]]))

    def _pose(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        side = CROP * max(box[2] - box[0], box[3] - box[1], 8)
        corner = (box[:2] + box[2:4]) / 2 - side / 2
        scale = POSER_SIDE / side
        place = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
        crop = cv2.warpAffine(image, place, (POSER_SIDE, POSER_SIDE), flags=cv2.INTER_LINEAR)
        rows = self._poser(np.ascontiguousarray(crop[None, ..., ::-1]).astype(np.int32))[0].reshape(17, 3)
        return np.column_stack([rows[:, 1] * side + corner[0], rows[:, 0] * side + corner[1], rows[:, 2]])


def write(file: Path, names: list[str], found: list[Found]) -> None:
    part = file.with_suffix(".part")
    with part.open("wb") as stream:
        np.savez(
            stream,
            names=np.array(names),
            counts=np.array([len(f.boxes) for f in found]),
            boxes=np.concatenate([f.boxes for f in found]),
            keypoints=np.concatenate([f.keypoints for f in found]),
        )
    part.rename(file)


def read(folder: Path) -> dict[str, Found]:
    """By the names of the photographs, of all files that are there."""
    found = {}
    for file in sorted(folder.glob("found-*.npz")):
        with np.load(file) as stored:
            ends = np.cumsum(stored["counts"])
            boxes, keypoints = stored["boxes"], stored["keypoints"]
            for name, end, count in zip(stored["names"], ends, stored["counts"], strict=True):
                found[str(name)] = Found(boxes[end - count : end], keypoints[end - count : end])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="folder with actions/ and lspet/")
    parser.add_argument("--detector", type=Path, required=True, help="yolox-nano, .onnx")
    parser.add_argument("--poser", type=Path, required=True, help="MoveNet Thunder, .xml")
    parser.add_argument("--out", type=Path, required=True, help="folder of found-*.npz; those that exist are kept")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    training, held_back = training_and_held_back(options.photographs)
    teacher = SecondTeacher(options.detector, options.poser, options.threads)
    everything = training[:FIRST] + held_back + training[FIRST:]
    for number, at in enumerate(range(0, len(everything), PER_FILE)):
        file = options.out / f"found-{number:03d}.npz"
        if file.exists():
            continue
        started = time.monotonic()
        chosen = everything[at : at + PER_FILE]
        found = [teacher.find(p) for p in chosen]
        write(file, [p.name for p in chosen], found)
        seconds = time.monotonic() - started
        print(f"{file.name}: {sum(len(f.boxes) for f in found)} people, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
