"""Composes a square training picture from photographs: whole ones, mosaics, people cut out and put in front of others.

Everybody who is known in a photograph moves along with it. Canvases are twice as large as the student will see them:
the first teacher sees this size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from ..chance import log_uniform
from ..figures.background import background
from ..skeleton import LIMBS
from .people import Somebody, within
from .photographs import GUESS, NOTHING

PADDING = 128  # the decoder's

Rectangle = tuple[int, int, int, int]  # x0, y0, x1, y1


@dataclass
class Shot:
    """A photograph with everybody in it, the main person first."""

    image: np.ndarray
    people: list[Somebody]


@dataclass
class Canvas:
    image: np.ndarray  # (side, side, 3) BGR
    people: list[Somebody] = field(default_factory=list)
    empty: bool = False  # nobody is there, whatever the teacher says


DrawShot = Callable[[np.random.Generator], Shot]


def placement(middle: np.ndarray, scale: float, angle: float, at: np.ndarray) -> np.ndarray:
    """The affine map that turns clockwise by angle degrees, scales, and puts a point at another."""
    matrix = cv2.getRotationMatrix2D((0, 0), -angle, scale)
    matrix[:, 2] = at - matrix[:, :2] @ middle
    return matrix


def moved(somebody: Somebody, matrix: np.ndarray) -> Somebody:
    x0, y0, x1, y1 = somebody.box
    corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]]) @ matrix[:, :2].T + matrix[:, 2]
    parts = np.column_stack([somebody.parts[:, :2] @ matrix[:, :2].T + matrix[:, 2], somebody.parts[:, 2]])
    return Somebody(parts, np.concatenate([corners.min(0), corners.max(0)]))


def cut(somebody: Somebody, rectangle: Rectangle) -> Somebody | None:
    """What is left of a person inside of a rectangle, if anything is."""
    low, high = np.array(rectangle[:2]), np.array(rectangle[2:])
    box = np.concatenate([np.maximum(somebody.box[:2], low), np.minimum(somebody.box[2:], high)])
    if (box[2:] - box[:2] < 4).any():
        return None
    return Somebody(within(somebody.parts, low, high), box)


def warped(image: np.ndarray, matrix: np.ndarray, width: int, height: int, border: int) -> np.ndarray:
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.7:  # shrink with an area filter first: warping alone would alias
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        ratio = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
        matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, 2]])
        image = small
    grey = (PADDING,) * 3
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=grey)


def silhouette(somebody: Somebody, side: int, rng: np.random.Generator) -> np.ndarray:
    """1 about a person, falling to 0: limbs as thick lines, or an ellipse about all of him."""
    mask = np.zeros((side, side), np.float32)
    size = somebody.size()
    if rng.random() < 0.6 and not somebody.vague:
        known = somebody.parts[:, 2] > NOTHING
        points = somebody.parts[:, :2].astype(int)
        for a, b, *_ in LIMBS:
            if known[a] and known[b]:
                thick = 0.22 if {a, b} <= {1, 2, 5, 8, 11} else 0.13
                cv2.line(mask, points[a].tolist(), points[b].tolist(), 1.0, max(2, int(thick * size)))
        for part in np.flatnonzero(known[[0, 1]]):
            cv2.circle(mask, points[part].tolist(), max(2, int(0.12 * size)), 1.0, cv2.FILLED)
    else:
        axes = (somebody.box[2:] - somebody.box[:2]) * 0.58
        cv2.ellipse(mask, somebody.middle().astype(int).tolist(), axes.astype(int).tolist(), 0, 0, 360, 1.0, cv2.FILLED)
    return cv2.blur(mask, (7, 7))


def hide(people: list[Somebody], mask: np.ndarray) -> None:
    """Parts below something that was put over them may be guessed, but need not."""
    for somebody in people:
        x, y = (somebody.parts[:, i].astype(int).clip(0, len(mask) - 1) for i in (0, 1))
        covered = (mask[y, x] > 0.5) & (somebody.parts[:, 2] > NOTHING)
        somebody.parts[covered, 2] = GUESS


class Composer:
    def __init__(self, settings: dict[str, Any], draw_shot: DrawShot) -> None:
        self._settings = settings
        self._side: int = 2 * settings["side"]
        self._sizes = [2 * s for s in settings["person_px"]]
        self._draw_shot = draw_shot

    def compose(self, rng: np.random.Generator) -> Canvas:
        if rng.random() < self._settings["empty"]:
            return self._empty(rng)
        canvas = Canvas(np.full((self._side, self._side, 3), PADDING, np.uint8))
        for tile in self._tiles(rng):
            self._fill(canvas, self._draw_shot(rng), tile, rng)
        pasted = rng.choice(len(self._settings["pasted"]), p=self._settings["pasted"])
        crowd = rng.random() < self._settings["crowd"]
        size = log_uniform(rng, self._sizes[0], 0.5 * self._side)
        for _ in range(pasted + 4 * crowd):
            if not crowd:
                size = log_uniform(rng, self._sizes[0], 0.7 * self._side)
            self._paste(canvas, size * np.exp(rng.normal(0, 0.1)), rng)
        return canvas

    def _tiles(self, rng: np.random.Generator) -> list[Rectangle]:
        """Rectangles that cover the canvas: one, two, four or nine."""
        columns, rows = rng.choice(self._settings["layouts"], p=self._settings["chances"])
        edges = []
        for count in (columns, rows):
            inner = (np.arange(1, count) + rng.uniform(-0.25, 0.25, count - 1)) / count
            edges.append([0, *(int(v) for v in inner * self._side), self._side])
        tiles = [(x0, y0, x1, y1) for y0, y1 in pairwise(edges[1]) for x0, x1 in pairwise(edges[0])]
        return [tiles[i] for i in rng.permutation(len(tiles))]

    def _angle(self, somebody: Somebody | None, rng: np.random.Generator) -> float:
        kind = rng.random()
        if kind < self._settings["upside_down"]:
            return float(rng.normal(180, 15))
        turn = rng.uniform(-40, 40) if kind < 0.2 else rng.normal(0, 6)
        lean = somebody.lean() if somebody else 0
        upright = abs(lean) > 50 and rng.random() < self._settings["upright"]
        return float(turn - (lean if upright else 0))

    def _fill(self, canvas: Canvas, shot: Shot, tile: Rectangle, rng: np.random.Generator) -> None:
        x0, y0, x1, y1 = tile
        room = np.array([x1 - x0, y1 - y0])
        if rng.random() < self._settings["letterboxed"]:
            matrix, border = self._letterboxed(shot, room, rng), cv2.BORDER_CONSTANT
        else:
            matrix = self._covering(shot, room, rng)
            border = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
        canvas.image[y0:y1, x0:x1] = warped(shot.image, matrix, *room, border)
        matrix[:, 2] += x0, y0
        left = [cut(moved(s, matrix), tile) for s in shot.people]
        canvas.people += [s for s in left if s]

    def _letterboxed(self, shot: Shot, room: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The whole photograph, upright, in a corner or anywhere in the room."""
        size = np.array(shot.image.shape[1::-1])
        scale = (room / size).min() * rng.uniform(0.5, 1)
        corner = np.zeros(2) if rng.random() < 0.5 else rng.uniform(0, 1, 2) * (room - size * scale)
        return np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])

    def _covering(self, shot: Shot, room: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A part of the photograph that fills the room, with the main person or somebody else in it."""
        size = np.array(shot.image.shape[1::-1])
        somebody = shot.people[0 if rng.random() < 0.7 else rng.integers(len(shot.people))] if shot.people else None
        angle = self._angle(somebody, rng)
        tall, middle = (somebody.size(), somebody.middle()) if somebody else (0.5 * size.min(), size / 2)
        cover = (room / size).max() * (1.15 if abs(angle) > 12 else 1)
        low = max(self._sizes[0] / tall, cover)
        scale = log_uniform(rng, low, min(self._sizes[1] / tall, 2.5 * low))
        at = room * rng.uniform(0.3, 0.7, 2)
        if tall * scale > room[1]:  # large people are cut at the legs rather than at the head
            at[1] += rng.uniform(-0.15, 0.35) * (tall * scale - room[1])
        if abs(angle) <= 12:  # no border in view if it can be avoided
            at = np.clip(at, room - (size - middle) * scale, middle * scale)
        return placement(middle, scale, angle, at)

    def _paste(self, canvas: Canvas, tall: float, rng: np.random.Generator) -> None:
        shot = self._draw_shot(rng)
        if not shot.people or shot.people[0].vague:
            return
        somebody = shot.people[0]
        at = rng.uniform(0, 1, 2) * self._side
        matrix = placement(somebody.middle(), tall / somebody.size(), self._angle(somebody, rng), at)
        whole = (0, 0, self._side, self._side)
        there = cut(moved(somebody, matrix), whole)
        if there is None:
            return
        inside = cv2.warpAffine(np.ones(shot.image.shape[:2], np.float32), matrix, (self._side, self._side))
        mask = silhouette(moved(somebody, matrix), self._side, rng) * inside
        layer = warped(shot.image, matrix, self._side, self._side, cv2.BORDER_REPLICATE)
        image = canvas.image.astype(np.float32)
        canvas.image[:] = image + mask[..., None] * (layer - image)
        hide(canvas.people, mask)
        canvas.people.append(there)

    def _empty(self, rng: np.random.Generator) -> Canvas:
        """A piece of a photograph beside all people, or a drawn place."""
        for _ in range(4):
            shot = self._draw_shot(rng)
            window = self._window(shot, rng)
            if window is not None:
                x0, y0, x1, y1 = window
                piece = cv2.resize(shot.image[y0:y1, x0:x1], (self._side, self._side), interpolation=cv2.INTER_CUBIC)
                return Canvas(piece, empty=True)
        return Canvas(background(rng, self._side, self._side).astype(np.uint8), empty=True)

    @staticmethod
    def _window(shot: Shot, rng: np.random.Generator) -> Rectangle | None:
        height, width = shot.image.shape[:2]
        side = int(rng.uniform(0.4, 0.7) * min(height, width))
        for _ in range(10):
            x, y = int(rng.integers(width - side)), int(rng.integers(height - side))
            margin = 0.1 * side
            apart = [s.box[0] > x + side + margin or s.box[2] < x - margin or s.box[1] > y + side + margin
                     or s.box[3] < y - margin for s in shot.people]  # fmt: skip
            if all(apart):
                return x, y, x + side, y + side
        return None
