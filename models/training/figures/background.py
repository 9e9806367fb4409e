"""Places to put figures into: rooms, streets and meadows of noise, gradients, boxes and blobs."""

from __future__ import annotations

import cv2
import numpy as np


def noise(rng: np.random.Generator, height: int, width: int, cells: float) -> np.ndarray:
    """Smooth noise about 0 with features of so many pixels."""
    grid = rng.normal(0, 1, (int(height / cells) + 3, int(width / cells) + 3)).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Octaves of noise, as of plaster, grass or gravel."""
    scale = min(height, width)
    return sum(noise(rng, height, width, scale / 2**k) * rng.uniform(2, 14) * 0.8**k for k in range(1, 7))


def colour(rng: np.random.Generator) -> np.ndarray:
    hsv = np.array([[[rng.integers(180), rng.integers(0, 150), rng.integers(40, 245)]]], np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)


def gradient(height: int, width: int, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return np.broadcast_to(top * (1 - share) + bottom * share, (height, width, 3)).copy()


def boxes(picture: np.ndarray, rng: np.random.Generator, low: float, high: float) -> None:
    """Buildings, doors, furniture, signs: rectangles, some with a grid of windows or shelves."""
    height, width = picture.shape[:2]
    for _ in range(rng.integers(0, 7)):
        w, h = (rng.uniform(0.04, 0.35, 2) * [width, height]).astype(int)
        x, y = int(rng.uniform(-0.1, 1) * width), int(rng.uniform(low, high) * height - h)
        main, other = colour(rng), colour(rng)
        cv2.rectangle(picture, (x, y), (x + w, y + h), main.tolist(), cv2.FILLED)
        if rng.random() < 0.5:
            step = max(6, int(rng.uniform(0.15, 0.4) * min(w, h)))
            for row in range(y + step // 3, y + h - step // 2, step):
                for column in range(x + step // 3, x + w - step // 2, step):
                    cv2.rectangle(
                        picture, (column, row), (column + step // 2, row + step // 2), other.tolist(), cv2.FILLED
                    )


def bushes(picture: np.ndarray, rng: np.random.Generator, horizon: float) -> None:
    """Trees, crowds of leaves, stones: clouds of discs."""
    height, width = picture.shape[:2]
    for _ in range(rng.integers(0, 5)):
        centre = np.array([rng.uniform(0, width), horizon * height + rng.normal(0, 0.12) * height])
        spread, base = rng.uniform(0.03, 0.14) * width, colour(rng)
        for _ in range(60):
            at = (centre + rng.normal(0, spread, 2)).astype(int)
            shade = (base * rng.uniform(0.5, 1.2)).clip(0, 255).tolist()
            radius = int(rng.uniform(0.1, 0.4) * spread) + 1
            cv2.circle(picture, tuple(int(v) for v in at), radius, shade, cv2.FILLED)


def background(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A float BGR picture of a wall or sky over a floor."""
    horizon = rng.uniform(0.35, 0.85)
    line = int(horizon * height)
    picture = gradient(height, width, colour(rng), colour(rng))
    boxes(picture, rng, horizon - 0.1, horizon + 0.05)
    picture[line:] = gradient(height - line, width, colour(rng), colour(rng))
    bushes(picture, rng, horizon)
    if rng.random() < 0.5:
        boxes(picture, rng, horizon, 1.1)
    picture += texture(rng, height, width)[..., None] + texture(rng, height, width)[..., None] * rng.normal(0, 0.2, 3)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 2.5) * width / 256)
    return (picture + rng.normal(0, 1, picture.shape) * rng.uniform(0, 5)).clip(0, 255).astype(np.float32)


def street(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """The clip's place: houses under a sky, a pavement in perspective."""
    line = int(0.58 * height)
    picture = gradient(height, width, np.array([225.0, 190, 150]), np.array([235.0, 225, 215]))
    x = -10
    while x < width:
        w, top = int(rng.uniform(0.10, 0.2) * width), int(line - rng.uniform(0.25, 0.5) * height)
        wall = colour(rng) * 0.4 + 95
        cv2.rectangle(picture, (x, top), (x + w, line), wall.tolist(), cv2.FILLED)
        for row in range(top + 10, line - 22, 26):
            for column in range(x + 9, x + w - 14, 24):
                cv2.rectangle(picture, (column, row), (column + 11, row + 15), (wall * 0.55).tolist(), cv2.FILLED)
        x += w + int(rng.uniform(0, 0.02) * width)
    picture[line:] = gradient(height - line, width, np.array([120.0, 130, 135]), np.array([165.0, 172, 178]))
    for offset in range(-12, 13):
        far, near = (width // 2 + offset * 45, line), (width // 2 + offset * 170, height)
        cv2.line(picture, far, near, (112, 120, 126), 1, cv2.LINE_AA)
    for depth in (0.06, 0.16, 0.31, 0.53, 0.82):
        y = int(line + depth * (height - line))
        cv2.line(picture, (0, y), (width, y), (112, 120, 126), 1, cv2.LINE_AA)
    picture += 0.6 * texture(rng, height, width)[..., None]
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0)
    return (picture + rng.normal(0, 2, picture.shape)).clip(0, 255).astype(np.float32)
