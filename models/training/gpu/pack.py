"""Puts all that a training on a GPU needs into one small folder: python -m training.gpu.pack --help"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import torch

from ..canvases import second
from ..canvases.boxes import Found
from ..canvases.people import everybody
from ..canvases.photographs import Photograph, training_and_held_back
from ..canvases.teacher import HEATMAP_OUTPUT, PAF_OUTPUT
from .scene import PEOPLE
from .teacher import TeacherNet, teacher_of

LIMIT = 55 * 2**20  # of all files together
SIDE = 288  # the longer side of a picture at most
QUALITY = {"actions": 55, "lspet": 50}
TOLERANCE = 1e-3  # between the teacher's answers here and there
CODE = Path(__file__).parent.parent


def encoded(photograph: Photograph, image: np.ndarray, scale: float) -> bytes:
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    quality = QUALITY[photograph.name.split("/")[0]]
    return cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def rows(photograph: Photograph, found: Found, image: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """(PEOPLE, 18, 3) parts and (PEOPLE, 4) boxes in the smaller picture, the main person first."""
    parts, boxes = np.zeros((PEOPLE, 18, 3), np.float16), np.zeros((PEOPLE, 4), np.float16)
    for number, somebody in enumerate(everybody(photograph, found, *image.shape[:2])[:PEOPLE]):
        parts[number] = somebody.parts * [scale, scale, 1]
        boxes[number] = somebody.box * scale
    return parts, boxes


def write_album(photographs: list[Photograph], found: dict[str, Found], room: int, out: Path) -> int:
    """As many photographs as there is room for, those of everyday life first; returns how many."""
    ordered = sorted((p for p in photographs if p.name in found), key=lambda p: p.name.startswith("lspet"))
    pictures, parts, boxes = [], [], []
    used = 0
    for photograph in ordered:
        image = photograph.image()
        scale = min(1.0, SIDE / max(image.shape[:2]))
        picture = encoded(photograph, image, scale)
        used += len(picture) + PEOPLE * (18 * 3 + 4) // 2  # labels are mostly zeros, and compressed
        if used > room:
            break
        pictures.append(picture)
        for rows_of, row in zip((parts, boxes), rows(photograph, found[photograph.name], image, scale), strict=True):
            rows_of.append(row)
    (out / "pictures.bin").write_bytes(b"".join(pictures))
    lengths = np.array([len(p) for p in pictures])
    np.savez_compressed(out / "album.npz", lengths=lengths, parts=np.stack(parts), boxes=np.stack(boxes))
    return len(pictures)


def half(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Filters alone: statistics of norms need their digits."""
    return {name: value.half() if value.ndim == 4 else value for name, value in weights.items()}


def largest_difference(teacher: TeacherNet, file: Path, image: np.ndarray) -> float:
    """Between the answers of PyTorch and of OpenVINO."""
    pixels = torch.from_numpy(cv2.resize(image, (256, 256))).permute(2, 0, 1)[None].float()
    model = ov.Core().read_model(file)
    model.reshape([1, 3, 256, 256])
    results = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(pixels.numpy())
    expected = np.concatenate([results[HEATMAP_OUTPUT], results[PAF_OUTPUT]], 1)
    return float(np.abs(teacher(pixels).numpy() - expected).max())


def write_teacher(file: Path, image: np.ndarray, out: Path) -> None:
    teacher = teacher_of(file)
    difference = largest_difference(teacher, file, image)
    if difference > TOLERANCE:
        raise SystemExit(f"differs from {file} by {difference:.2g}")
    torch.save(half(teacher.state_dict()), out)


def size_of(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="folder with actions/ and lspet/")
    parser.add_argument("--second", type=Path, required=True, help="folder of training.canvases.second")
    parser.add_argument("--teacher", type=Path, required=True, help="human-pose-estimation-0001, f32 .onnx")
    parser.add_argument("--start", type=Path, required=True, help="checkpoint to begin with")
    parser.add_argument("--out", type=Path, required=True, help="folder of the package")
    parser.add_argument("--most", type=int, default=10**9, help="photographs at most, for a test")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "run", "*.md")
    shutil.copytree(CODE, options.out / "training", ignore=ignored)
    start = torch.load(options.start, map_location="cpu", weights_only=True)["average"]
    torch.save(half(start), options.out / "start.pt")
    training, _ = training_and_held_back(options.photographs)
    write_teacher(options.teacher, training[0].image(), options.out / "teacher.pt")
    room = LIMIT - size_of(options.out) - 2**20
    count = write_album(training[: options.most], second.read(options.second), room, options.out)
    size = size_of(options.out)
    if size > LIMIT:
        raise SystemExit(f"{options.out}: {size / 2**20:.1f} MiB are too many")
    print(f"{options.out}: {count} photographs, {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
