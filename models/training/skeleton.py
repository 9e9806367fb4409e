"""The COCO-18 skeleton as posecam's decoder reads it (models/core/skeleton.cpp), and what a mirror does to its maps."""

from __future__ import annotations

import numpy as np

PARTS = 18
HEATMAPS = PARTS + 1  # the last is the background
PAFS = 38
CHANNELS = HEATMAPS + PAFS  # heatmaps first in everything that this package stores

# (from, to, x channel, y channel) with channels counted among the PAFs.
LIMBS: tuple[tuple[int, int, int, int], ...] = (
    (1, 2, 12, 13),
    (1, 5, 20, 21),
    (2, 3, 14, 15),
    (3, 4, 16, 17),
    (5, 6, 22, 23),
    (6, 7, 24, 25),
    (1, 8, 0, 1),
    (8, 9, 2, 3),
    (9, 10, 4, 5),
    (1, 11, 6, 7),
    (11, 12, 8, 9),
    (12, 13, 10, 11),
    (1, 0, 28, 29),
    (0, 14, 30, 31),
    (14, 16, 34, 35),
    (0, 15, 32, 33),
    (15, 17, 36, 37),
    (2, 16, 18, 19),
    (5, 17, 26, 27),
)

# Which part a mirror turns each part into.
MIRRORED_PART = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)

# COCO's 17 keypoints out of the 18 parts (there is no neck in COCO).
COCO17_OF_PARTS = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)

# LSP's 14 joints as parts; the top of the head has no part.
LSP_PARTS = (10, 9, 8, 11, 12, 13, 4, 3, 2, 5, 6, 7, 1, -1)

# OKS fall-off of the 17 keypoints: sigmas of pycocotools.
COCO17_SIGMAS = np.array(
    [
        0.026,
        0.025,
        0.025,
        0.035,
        0.035,
        0.079,
        0.079,
        0.072,
        0.072,
        0.062,
        0.062,
        0.107,
        0.107,
        0.087,
        0.087,
        0.089,
        0.089,
    ]
)


def mirror_channels() -> tuple[np.ndarray, np.ndarray]:
    """(source, sign): channel c of a mirrored picture is sign[c] * channel source[c] of the original, flipped."""
    source = np.arange(CHANNELS)
    sign = np.ones(CHANNELS, np.int8)
    source[:PARTS] = MIRRORED_PART
    channels_of = {(a, b): (x, y) for a, b, x, y in LIMBS}
    for a, b, x, y in LIMBS:
        from_x, from_y = channels_of[MIRRORED_PART[a], MIRRORED_PART[b]]
        source[HEATMAPS + x] = HEATMAPS + from_x
        source[HEATMAPS + y] = HEATMAPS + from_y
        sign[HEATMAPS + x] = -1
    return source, sign
