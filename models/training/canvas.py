"""Composes a square training picture from photographs: tiles that each hold a person, and people pasted over them.

Photographs are small and so are most people in them; tiles give several people of all sizes without the kaleidoscope
that mirrored borders would make of one shrunken photograph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .lspet import Person

MAX_PEOPLE = 8
DrawPerson = Callable[[np.random.Generator], Person]


@dataclass
class Canvas:
    image: np.ndarray  # (side, side, 3) BGR
    joints: np.ndarray  # (MAX_PEOPLE, 14, 3): x, y, visible; rows of zeros where nobody was put


def placement(person: Person, scale: float, angle: float, at: np.ndarray) -> np.ndarray:
    """The affine map that turns a person clockwise by angle degrees, scales it and puts its middle at a point."""
    matrix = cv2.getRotationMatrix2D((0, 0), -angle, scale)
    matrix[:, 2] = at - matrix[:, :2] @ person.middle()
    return matrix


def moved(joints: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.column_stack([joints[:, :2] @ matrix[:, :2].T + matrix[:, 2], joints[:, 2]]).astype(np.float32)


def warped(image: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.7:  # shrink with an area filter first: warping alone would alias
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        ratio = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
        matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, 2]])
        image = small
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def feathered_mask(person: Person, matrix: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """1 about the person, falling to 0: an ellipse or a rectangle around the joints, never beyond the photograph."""
    joints = moved(person.joints, matrix)
    low, high = joints[:, :2].min(0), joints[:, :2].max(0)
    margin = 0.15 * (high - low).max() + 3
    centre, half = (low + high) / 2, (high - low) / 2 + margin
    mask = np.zeros((side, side), np.float32)
    if rng.random() < 0.5:
        axes = tuple(int(v) for v in half * 1.2)
        cv2.ellipse(mask, tuple(int(v) for v in centre), axes, 0, 0, 360, 1.0, cv2.FILLED)
    else:
        corners = [tuple(int(v) for v in p) for p in (centre - half, centre + half)]
        cv2.rectangle(mask, corners[0], corners[1], 1.0, cv2.FILLED)
    inside = cv2.warpAffine(np.ones(person.image.shape[:2], np.float32), matrix, (side, side))
    return cv2.blur(mask * inside, (5, 5)) * inside


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class Composer:
    def __init__(self, settings: dict[str, Any], draw_person: DrawPerson) -> None:
        self._settings = settings
        self._side: int = settings["side"]
        self._draw_person = draw_person

    def compose(self, first: Person, rng: np.random.Generator) -> Canvas:
        canvas = Canvas(np.zeros((self._side, self._side, 3), np.uint8), np.zeros((MAX_PEOPLE, 14, 3), np.float32))
        people = 0
        for x0, y0, x1, y1 in self._tiles(rng):
            person = first if people == 0 else self._draw_person(rng)
            matrix = self._fill(person, x1 - x0, y1 - y0, rng)
            canvas.image[y0:y1, x0:x1] = warped(person.image, matrix, x1 - x0, y1 - y0)
            matrix[:, 2] += x0, y0
            canvas.joints[people] = moved(person.joints, matrix)
            self._clip(canvas.joints[people], (x0, y0), (x1, y1))
            people += 1
        for _ in range(rng.choice(len(self._settings["pasted"]), p=self._settings["pasted"])):
            self._paste(canvas, people, rng)
            people += 1
        return canvas

    def _tiles(self, rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
        """One, two or four rectangles that cover the canvas."""
        side = self._side
        across, down = (int(v) for v in rng.uniform(0.35, 0.65, 2) * side)
        kind = rng.choice(4, p=self._settings["tilings"])
        columns = [(0, side)] if kind in (0, 2) else [(0, across), (across, side)]
        rows = [(0, side)] if kind in (0, 1) else [(0, down), (down, side)]
        tiles = [(x0, y0, x1, y1) for x0, x1 in columns for y0, y1 in rows]
        return [tiles[i] for i in rng.permutation(len(tiles))]

    def _turn(self, person: Person, rng: np.random.Generator) -> float:
        upright = rng.random() < self._settings["upright"]
        return float(rng.normal(0, 12)) - (person.lean() if upright else 0)

    def _fill(self, person: Person, width: int, height: int, rng: np.random.Generator) -> np.ndarray:
        """A person in a rectangle that its photograph must (nearly) cover; tall ones show heads rather than legs."""
        cover = 0.9 * max(width / person.image.shape[1], height / person.image.shape[0])
        low = max(self._settings["person_px"][0] / person.size(), cover)
        scale = log_uniform(rng, low, max(low * 1.1, self._settings["person_px"][1] / person.size()))
        size = np.array([width, height])
        at = size * rng.uniform(0.35, 0.65, 2)
        tall = person.size() * scale
        if tall > height:
            at[1] += rng.uniform(-0.1, 0.45) * (tall - height)
        return placement(person, scale, self._turn(person, rng), at)

    def _paste(self, canvas: Canvas, index: int, rng: np.random.Generator) -> None:
        person = self._draw_person(rng)
        size = log_uniform(rng, self._settings["person_px"][0], 0.7 * self._side)
        at = rng.uniform(0.1, 0.9, 2) * self._side
        matrix = placement(person, size / person.size(), self._turn(person, rng), at)
        mask = feathered_mask(person, matrix, self._side, rng)
        layer = warped(person.image, matrix, self._side, self._side)
        image = canvas.image.astype(np.float32)
        canvas.image[:] = image + mask[..., None] * (layer - image)
        self._hide(canvas.joints[:index], mask)
        canvas.joints[index] = moved(person.joints, matrix)
        self._clip(canvas.joints[index], (0, 0), (self._side, self._side))

    @staticmethod
    def _clip(joints: np.ndarray, low: tuple[int, int], high: tuple[int, int]) -> None:
        joints[:, 2] *= ((joints[:, :2] >= low) & (joints[:, :2] < high)).all(1)

    @staticmethod
    def _hide(joints: np.ndarray, mask: np.ndarray) -> None:
        """Joints below a newly pasted person are no longer seen."""
        x, y = (joints[..., i].astype(int).clip(0, len(mask) - 1) for i in (0, 1))
        joints[..., 2] *= mask[y, x] < 0.5
