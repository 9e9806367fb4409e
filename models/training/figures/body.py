"""A jointed human body in three dimensions: angles in, joints out. Lengths are shares of the standing height.

Axes: x to the right of the picture, y down, z towards the viewer. A body with yaw 0 faces the viewer, so its left is at
positive x. Angles are radians; a limb hangs straight down at (0, 0), swings forward and opens outward."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

SHOULDER, HIP = 0.104, 0.055  # half widths
TORSO, NECK, HEAD_UP = 0.285, 0.035, 0.105  # hips to shoulders, shoulders to neck's top and to the head's middle
UPPER_ARM, FOREARM, HAND = 0.170, 0.145, 0.05
THIGH, SHIN, FOOT = 0.240, 0.245, 0.095
HEAD = np.array([0.047, 0.064, 0.056])  # half axes

COCO17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
FACE = {
    "nose": np.array([0, 0.010, 0.062]),
    "left_eye": np.array([0.020, -0.010, 0.050]),
    "right_eye": np.array([-0.020, -0.010, 0.050]),
    "left_ear": np.array([0.046, 0.002, -0.004]),
    "right_ear": np.array([-0.046, 0.002, -0.004]),
}


@dataclass
class Limb:
    """Directions of its upper and lower half: (swing forward, open outward)."""

    upper: tuple[float, float]
    lower: tuple[float, float]


@dataclass
class Pose:
    arms: dict[str, Limb]
    legs: dict[str, Limb]
    yaw: float = 0.0  # of the whole body, to its left
    lean: float = 0.0  # of the torso, forward
    tilt: float = 0.0  # of the torso, to the right of the picture
    head_yaw: float = 0.0  # against the body
    nod: float = 0.0


@dataclass
class Skeleton3D:
    points: dict[str, np.ndarray] = field(default_factory=dict)
    head: np.ndarray = field(default_factory=lambda: np.eye(3))  # its orientation

    def faces_viewer(self, feature: str) -> bool:
        """Whether the head itself does not hide a point of the face: eyes need the front, ears only their side."""
        normal = self.head @ (FACE[feature] / HEAD**2)
        return bool(normal[2] > (-6.0 if "ear" in feature else 0.0))


def about_x(angle: float) -> np.ndarray:
    """Turns 'down' towards the viewer."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_y(angle: float) -> np.ndarray:
    """Turns a body that faces the viewer towards the right of the picture, which is its left."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def about_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def hanging(angles: tuple[float, float], side: float) -> np.ndarray:
    swing, outward = angles
    return np.array([side * np.sin(outward), np.cos(swing) * np.cos(outward), np.sin(swing) * np.cos(outward)])


def skeleton(pose: Pose, pitch: float = 0.0) -> Skeleton3D:
    """The joints about the middle of the hips. Pitch: how far the camera looks down."""
    world = about_x(-pitch) @ about_y(pose.yaw)
    torso = world @ about_z(pose.tilt) @ about_x(-pose.lean)
    body = Skeleton3D(head=torso @ about_y(pose.head_yaw) @ about_x(pose.nod))
    points = body.points
    points["neck"] = torso @ np.array([0, -TORSO, 0])
    points["head"] = (
        points["neck"] + torso @ np.array([0, -NECK, 0.01]) + body.head @ np.array([0, NECK - HEAD_UP, 0.008])
    )
    for name, place in FACE.items():
        points[name] = points["head"] + body.head @ place
    for name, side in (("left", 1.0), ("right", -1.0)):
        points[f"{name}_shoulder"] = points["neck"] + torso @ np.array([side * SHOULDER, 0, 0])
        points[f"{name}_hip"] = world @ np.array([side * HIP, 0, 0])
        arm, leg = pose.arms[name], pose.legs[name]
        points[f"{name}_elbow"] = points[f"{name}_shoulder"] + UPPER_ARM * torso @ hanging(arm.upper, side)
        points[f"{name}_wrist"] = points[f"{name}_elbow"] + FOREARM * torso @ hanging(arm.lower, side)
        points[f"{name}_hand"] = points[f"{name}_wrist"] + HAND * torso @ hanging(arm.lower, side)
        points[f"{name}_knee"] = points[f"{name}_hip"] + THIGH * world @ hanging(leg.upper, side)
        points[f"{name}_ankle"] = points[f"{name}_knee"] + SHIN * world @ hanging(leg.lower, side)
        ahead = hanging((leg.lower[0] + 1.25, 0.12), side)
        points[f"{name}_toe"] = points[f"{name}_ankle"] + FOOT * world @ ahead
    return body
