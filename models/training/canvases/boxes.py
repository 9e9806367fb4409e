"""People as boxes, and what somebody found in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Found:
    boxes: np.ndarray  # (n, 5): x0, y0, x1, y1, score; the main person's label alone has score 0
    keypoints: np.ndarray  # (n, 17, 3): x, y, score


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with many."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:4], others[:, 2:4])
    common = (high - low).clip(0).prod(1)
    areas = [(b[..., 2:4] - b[..., :2]).prod(-1) for b in (box, others)]
    return common / (areas[0] + areas[1] - common + 1e-6)


def box_of(parts: np.ndarray) -> np.ndarray:
    """About the parts of which anything is known."""
    points = parts[parts[:, 2] > 0, :2]
    margin = 0.1 * np.ptp(points, axis=0).max()
    return np.array([*(points.min(0) - margin), *(points.max(0) + margin), 0], np.float32)
