"""Targets from all who know something: the first teacher's maps of the enlarged picture, the known parts of people
where it is silent or elsewhere, and no word at all where nobody knows."""

from __future__ import annotations

import cv2
import numpy as np

from ..skeleton import HEATMAPS, LIMBS, PARTS
from .people import Somebody
from .photographs import KNOWN
from .truth import band, cells_of, draw_limb, draw_part, patch

UNKNOWN = -128  # in int8 maps: no loss there
SMOOTHING = 0.45  # cells; averaging alone leaves peaks narrower than a cell
HEAT_GAIN, FIELD_GAIN = 2.0, 1.4  # what averaging and smoothing take from peaks and bands
AGREES = 0.3  # answer of the first teacher from which it confirms a part
SILENT = 0.15  # answer up to which it says nothing
NEAR = 1.25  # cells
ALONG = np.linspace(0.1, 0.9, 7)[:, None]  # where a limb's field is looked at


def averaged_down(maps: np.ndarray) -> np.ndarray:
    """(57, h, w) of int8 at twice the size to (57, h/2, w/2) of floats, peaks and bands as high as they were."""
    channels, height, width = maps.shape
    mean = maps.astype(np.float32).reshape(channels, height // 2, 2, width // 2, 2).mean((2, 4)) / 127
    smooth = cv2.GaussianBlur(mean.transpose(1, 2, 0), (3, 3), SMOOTHING).transpose(2, 0, 1)
    smooth[:PARTS] *= HEAT_GAIN
    smooth[HEATMAPS:] *= FIELD_GAIN
    return smooth.clip(-1, 1)


def quantised(maps: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    values = np.clip(np.rint(maps * 127), -127, 127).astype(np.int8)
    values[unknown] = UNKNOWN
    return values


def near(points: np.ndarray, reach: float, height: int, width: int) -> tuple[tuple[slice, slice], np.ndarray]:
    """A patch, and which of its cells lie within reach of a segment between two points, or of one point twice."""
    where, cells = patch(points, reach, height, width)
    a, b = points[0], points[-1]
    along = b - a
    share = ((cells - a) @ along / (along @ along + 1e-6)).clip(0, 1)
    return where, np.linalg.norm(cells - a - share[..., None] * along, axis=-1) <= reach


class Fusion:
    """The target for one picture."""

    def __init__(self, teacher: np.ndarray, people: list[Somebody]) -> None:
        self._maps = teacher.copy()
        self._unknown = np.zeros(teacher.shape, bool)
        self._size = teacher.shape[1:]
        for somebody in people:
            if somebody.vague:
                self._ignore_silence(somebody)
        told = [(s, cells_of(s.parts[:, :2])) for s in people]
        for somebody, places in told:
            self._mistrust_other_peaks(somebody, places, people)
        for somebody, places in told:
            self._parts(somebody.parts[:, 2], places, teacher)
        for somebody, places in told:
            self._limbs(somebody.parts[:, 2], places, teacher)

    def target(self) -> np.ndarray:
        parts = np.where(self._unknown[:PARTS], 0, self._maps[:PARTS])
        self._maps[PARTS] = 1 - parts.max(0).clip(0, 1)
        self._unknown[PARTS] = self._unknown[:PARTS].any(0)
        return quantised(self._maps, self._unknown)

    def _ignore_silence(self, somebody: Somebody) -> None:
        where, _ = patch(cells_of(somebody.box.reshape(2, 2)), 0, *self._size)
        self._unknown[:, where[0], where[1]] |= np.abs(self._maps[:, where[0], where[1]]) < SILENT

    def _mistrust_other_peaks(self, somebody: Somebody, places: np.ndarray, people: list[Somebody]) -> None:
        """The teacher's answers inside of a person for a part that is known to be elsewhere."""
        where, cells = patch(cells_of(somebody.box.reshape(2, 2)), 0, *self._size)
        for part in np.flatnonzero(somebody.parts[:, 2] == KNOWN):
            doubtful = self._maps[part][where] > SILENT
            for other in people:
                if other.parts[part, 2]:
                    at = cells_of(other.parts[part, :2])
                    doubtful &= np.linalg.norm(cells - at, axis=-1) > 2 * NEAR
            self._unknown[part][where] |= doubtful

    def _parts(self, state: np.ndarray, places: np.ndarray, teacher: np.ndarray) -> None:
        for part in np.flatnonzero(state):
            where, close = near(places[[part]], NEAR, *self._size)
            if not close.any() or teacher[part][where][close].max() >= AGREES:
                continue
            if state[part] == KNOWN:
                draw_part(self._maps, part, places[part])
                self._unknown[part][where] = False
            else:
                where, close = near(places[[part]], 2 * NEAR, *self._size)
                self._unknown[part][where] |= close & (teacher[part][where] < SILENT)

    def _limbs(self, state: np.ndarray, places: np.ndarray, teacher: np.ndarray) -> None:
        for a, b, x, y in LIMBS:
            if not (state[a] and state[b]) or self._confirmed(teacher, x, y, places[a], places[b]):
                continue
            where, close = near(places[[a, b]], NEAR, *self._size)
            for channel in (HEATMAPS + x, HEATMAPS + y):
                self._unknown[channel][where] |= close
            if state[a] == state[b] == KNOWN:
                self._draw_limb(x, y, places[a], places[b])

    def _draw_limb(self, x: int, y: int, a: np.ndarray, b: np.ndarray) -> None:
        """Instead of what is there: two fields in the same place do not mix."""
        where, cells = patch(np.stack([a, b]), NEAR, *self._size)
        belongs = band(cells, a, b) > SILENT
        for channel in (HEATMAPS + x, HEATMAPS + y):
            self._maps[channel][where][belongs] = 0
            self._unknown[channel][where][belongs] = False
        draw_limb(self._maps, x, y, a, b)

    def _confirmed(self, teacher: np.ndarray, x: int, y: int, a: np.ndarray, b: np.ndarray) -> bool:
        along = b - a
        unit = along / (np.linalg.norm(along) + 1e-6)
        columns, rows = np.rint(a + ALONG * along).astype(int).clip(0, [self._size[1] - 1, self._size[0] - 1]).T
        fields = teacher[HEATMAPS + x, rows, columns], teacher[HEATMAPS + y, rows, columns]
        return float(np.mean(fields[0] * unit[0] + fields[1] * unit[1])) >= AGREES
