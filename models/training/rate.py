"""How well the teacher sees each photographed person, turned upright: canvases prefer people who teach something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from .canvas import moved, placement, warped
from .lspet import Lspet, Person
from .skeleton import LSP_PARTS
from .teacher import STRIDE, Teacher

BODY_PX = 0.7  # height of the person, as a share of the canvas


def upright(person: Person, side: int) -> tuple[np.ndarray, np.ndarray]:
    at = np.array([side / 2, side / 2])
    matrix = placement(person, BODY_PX * side / person.size(), -person.lean(), at)
    return warped(person.image, matrix, side, side), moved(person.joints, matrix)


def answer_at_labels(maps: np.ndarray, joints: np.ndarray) -> float:
    """Mean over the joints of the strongest answer within two cells of each label, 0 to 1."""
    answers = []
    for part, (x, y, _) in zip(LSP_PARTS, joints, strict=True):
        if part < 0:
            continue
        widened = cv2.dilate(maps[part], np.ones((5, 5), np.uint8))
        column, row = (int(np.clip(v / STRIDE, 0, maps.shape[-1] - 1)) for v in (x, y))
        answers.append(max(0.0, float(widened[row, column])) / 127)
    return float(np.mean(answers))


def rate(photographs: Lspet, teacher: Teacher, side: int) -> np.ndarray:
    joints: list[np.ndarray] = []

    def images() -> Iterator[np.ndarray]:
        for index in range(len(photographs)):
            image, moved_joints = upright(photographs.person(index), side)
            joints.append(moved_joints)
            yield image

    maps = teacher.maps(images(), len(photographs)).astype(np.int16)
    return np.array([answer_at_labels(m, j) for m, j in zip(maps, joints, strict=True)], np.float32)


def load_or_rate(file: Path, photographs: Lspet, teacher: Teacher, side: int) -> np.ndarray:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, rate(photographs, teacher, side))
    return np.load(file)
