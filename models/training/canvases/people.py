"""What is known of everybody in a photograph: the main person's label and the second teacher's word, weighed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .boxes import Found, box_of, overlap
from .photographs import GUESS, KNOWN, NOTHING, Photograph, parts_of_coco

SURE, MAYBE = 0.3, 0.12  # scores of the second teacher
NEAR, FAR = 0.1, 0.25  # distances between two opinions, over the person's size
FACE = (0, 14, 15, 16, 17)
VAGUE_BELOW = 4  # known parts


@dataclass
class Somebody:
    parts: np.ndarray  # (18, 3): x, y, state
    box: np.ndarray  # (4,)

    @property
    def vague(self) -> bool:
        """Somebody is there, but next to nothing is known."""
        return int((self.parts[:, 2] == KNOWN).sum()) < VAGUE_BELOW

    def size(self) -> float:
        """About the height of the person standing, whatever part of him is in view."""
        torso = np.linalg.norm(self.parts[1, :2] - self.parts[[8, 11], :2].mean(0)) if self._has(1, 8, 11) else 0
        shoulders = np.linalg.norm(self.parts[2, :2] - self.parts[5, :2]) if self._has(2, 5) else 0
        extent = (self.box[2:] - self.box[:2]).max()
        return float(max(extent, 2.8 * torso, 3.5 * shoulders, 8.0))

    def lean(self) -> float:
        """Degrees by which the torso leans clockwise from upright; 180: upside down."""
        if not self._has(1, 8, 11):
            return 0.0
        x, y = self.parts[1, :2] - self.parts[[8, 11], :2].mean(0)
        return float(np.degrees(np.arctan2(x, -y)))

    def middle(self) -> np.ndarray:
        return (self.box[:2] + self.box[2:]) / 2

    def _has(self, *parts: int) -> bool:
        return bool((self.parts[list(parts), 2] > NOTHING).all())


def second_opinion(keypoints: np.ndarray) -> np.ndarray:
    """(18, 3) with states, of (17, 3) with scores."""
    score = keypoints[:, 2]
    state = np.where(score >= SURE, KNOWN, np.where(score >= MAYBE, GUESS, NOTHING))
    return parts_of_coco(np.column_stack([keypoints[:, :2], state]))


def weighed(label: np.ndarray, other: np.ndarray, size: float) -> np.ndarray:
    """The label, made certain where the other one agrees and uncertain where that one is sure of another place; what
    the label lacks comes from the other one if the two agree about the body."""
    distance = np.linalg.norm(label[:, :2] - other[:, :2], axis=1) / size
    both = (label[:, 2] > NOTHING) & (other[:, 2] > NOTHING)
    parts = label.copy()
    parts[both & (distance < NEAR), 2] = KNOWN
    parts[both & (distance > FAR) & (other[:, 2] == KNOWN), 2] = GUESS
    if both.sum() >= 4 and np.median(distance[both]) < NEAR:
        lacking = label[:, 2] == NOTHING
        parts[lacking] = other[lacking]
    return parts


def within(parts: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The same, nothing known outside of a rectangle."""
    inside = ((parts[:, :2] >= low) & (parts[:, :2] < high)).all(1)
    return np.where(inside[:, None], parts, np.array([1, 1, NOTHING]) * parts)


def everybody(photograph: Photograph, found: Found, height: int, width: int) -> list[Somebody]:
    """The main person first, if there is one."""
    size = np.array([width, height])
    people = [
        Somebody(within(second_opinion(k), np.zeros(2), size), b[:4])
        for k, b in zip(found.keypoints, found.boxes, strict=True)
    ]
    if (photograph.main[:, 2] > NOTHING).sum() < 3:
        return people
    box = box_of(photograph.main)
    shared = overlap(box, found.boxes)
    main = people.pop(int(shared.argmax()))
    union = np.concatenate([np.minimum(box[:2], main.box[:2]), np.maximum(box[2:4], main.box[2:4])])
    extent = float((box[2:4] - box[:2]).max())
    parts = weighed(within(photograph.main, np.zeros(2), size), main.parts, extent)
    return [Somebody(parts, union), *people]
