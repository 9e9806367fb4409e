"""Pictures of rendered figures whose keypoints are known: canvases for training."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..chance import log_uniform
from .background import background
from .body import skeleton
from .paint import Drawn, Painter, look_by_chance, over
from .poses import by_chance

SEEN = 2  # the third column of a person's keypoint that is in view; 1 covered, 0 hidden by the head or out of view
HIDDEN_BELOW = 0.5  # cover of a later figure from which a joint counts as hidden


@dataclass
class Scene:
    image: np.ndarray  # (h, w, 3) uint8 BGR
    people: list[np.ndarray]  # (17, 3) each: x, y, and whether it is in view (SEEN)


def shadow(picture: np.ndarray, feet: np.ndarray, height: float) -> None:
    ground = np.zeros(picture.shape[:2], np.float32)
    centre = tuple(int(v) for v in feet - [0, 0.01 * height])
    cv2.ellipse(ground, centre, (int(0.16 * height) + 1, int(0.03 * height) + 1), 0, 0, 360, 0.45, cv2.FILLED)
    picture *= 1 - cv2.GaussianBlur(ground, (0, 0), 0.012 * height + 0.5)[..., None]


def lay_over(picture: np.ndarray, people: list[np.ndarray], drawn: Drawn) -> None:
    """Puts a figure into the picture, and marks what it hides of those who were there."""
    cover = over(picture, drawn)
    h, w = cover.shape
    for person in people:
        x, y = (person[:, i].astype(int).clip(0, limit - 1) for i, limit in ((0, w), (1, h)))
        person[(cover[y, x] > HIDDEN_BELOW) & (person[:, 2] > 0), 2] = 1
    inside = (drawn.keypoints[:, :2] >= 0).all(1) & (drawn.keypoints[:, :2] < [w, h]).all(1)
    drawn.keypoints[~inside, 2] = 0
    people.append(drawn.keypoints)


def scene(rng: np.random.Generator, side: int, behind: np.ndarray | None = None) -> Scene:
    """One to four figures of very different sizes, the larger ones in front."""
    picture = background(rng, side, side) if behind is None else behind.astype(np.float32)
    people: list[np.ndarray] = []
    sizes = sorted(log_uniform(rng, 50, 1.5 * side) for _ in range(rng.integers(1, 5)))
    for height in sizes:
        feet = np.array([rng.uniform(0.05, 0.95) * side, min(rng.uniform(0.45, 1.1), 0.98) * side])
        if height > 0.9 * side:  # large ones are cut at the legs rather than at the head
            feet[1] = side + rng.uniform(-0.1, 0.9) * (height - 0.5 * side)
        if rng.random() < 0.5 and feet[1] < side:
            shadow(picture, feet, height)
        body = skeleton(by_chance(rng), rng.normal(0.05, 0.1))
        lay_over(picture, people, Painter(body, look_by_chance(rng), height, feet).draw())
    return Scene(picture.clip(0, 255).astype(np.uint8), people)
