"""The photographs: Leeds Sports Pose Extended, reduced, with 14 noisy joints of one person each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

NECK, HEAD_TOP, RIGHT_HIP, LEFT_HIP = 12, 13, 2, 3


@dataclass(frozen=True)
class Person:
    image: np.ndarray  # BGR
    joints: np.ndarray  # (14, 3): x, y, visible

    def torso(self) -> np.ndarray:
        """From the middle of the hips to the neck, in pixels."""
        return self.joints[NECK, :2] - self.joints[[RIGHT_HIP, LEFT_HIP], :2].mean(0)

    def lean(self) -> float:
        """Degrees by which the torso leans clockwise from upright; 180: upside down."""
        x, y = self.torso()
        return float(np.degrees(np.arctan2(x, -y)))

    def size(self) -> float:
        """About the height that the person would have standing: labels are noisy, so two estimates vote."""
        extent = np.ptp(self.joints[:, :2], axis=0).max()
        return float(max(extent, 2.5 * np.linalg.norm(self.torso()), 20.0))

    def middle(self) -> np.ndarray:
        return (self.joints[:, :2].min(0) + self.joints[:, :2].max(0)) / 2


class Lspet:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._joints = np.load(folder / "joints.npy")

    def __len__(self) -> int:
        return len(self._joints)

    def person(self, index: int) -> Person:
        image = cv2.imread(str(self._folder / "images" / f"im{index + 1:05d}.jpg"))
        if image is None:
            raise FileNotFoundError(f"picture {index + 1} of {self._folder}")
        return Person(image, self._joints[index])
