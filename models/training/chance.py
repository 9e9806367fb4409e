"""Random numbers that figures and canvases share."""

from __future__ import annotations

import numpy as np


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Between low and high, as likely to fall into one doubling as into another."""
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low)))))
