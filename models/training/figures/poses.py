"""What figures do: poses for training by chance, and movements in time for the clip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .body import Limb, Pose

SIDES = ("left", "right")
Range = tuple[float, float]


def limbs(rng: np.random.Generator, upper: tuple[Range, Range], lower: tuple[Range, Range]) -> dict[str, Limb]:
    """Two limbs with swing and opening of both halves drawn from ranges."""

    def drawn(ranges: tuple[Range, Range]) -> tuple[float, float]:
        return rng.uniform(*ranges[0]), rng.uniform(*ranges[1])

    return {s: Limb(drawn(upper), drawn(lower)) for s in SIDES}


def legs_standing(rng: np.random.Generator | None = None) -> dict[str, Limb]:
    apart = 0.06 if rng is None else rng.uniform(0, 0.3)
    return {s: Limb((0.0, apart), (-0.04, apart * 0.8)) for s in SIDES}


def arms_hanging(outward: float = 0.15, bend: float = 0.2) -> dict[str, Limb]:
    return {s: Limb((0.0, outward), (bend, outward * 0.3)) for s in SIDES}


def walking(phase: float, stride: float = 0.45, arm: float = 0.5) -> Pose:
    """One step pair per 2 pi. Stride and arm are amplitudes; above 0.7 it is running."""
    legs, arms = {}, {}
    for side, offset in (("left", 0.0), ("right", np.pi)):
        swing = stride * np.sin(phase + offset)
        lifted = max(0.0, np.cos(phase + offset))  # the leg that comes forward bends its knee
        legs[side] = Limb((swing + 0.25 * stride * lifted, 0.03), (swing - 1.5 * stride * lifted - 0.05, 0.02))
        back = -arm * np.sin(phase + offset)
        arms[side] = Limb((back, 0.10), (back + 0.25 + 0.9 * max(0.0, stride - 0.4), 0.04))
    return Pose(arms, legs, lean=0.04 + 0.15 * max(0.0, stride - 0.5))


def waving(phase: float, side: str = "right") -> Pose:
    arms = arms_hanging()
    arms[side] = Limb((0.1, 1.75), (0.15, 2.75 + 0.35 * np.sin(phase)))
    return Pose(arms, legs_standing(), tilt=0.02 * np.sin(phase / 2))


def arms_up(rng: np.random.Generator) -> Pose:
    return Pose(limbs(rng, ((-0.2, 0.5), (1.3, 3.0)), ((-0.2, 0.6), (2.0, 3.3))), legs_standing(rng))


def hands_on_hips(rng: np.random.Generator) -> Pose:
    return Pose(limbs(rng, ((-0.4, 0.0), (0.6, 0.9)), ((0.2, 0.6), (-0.8, -0.4))), legs_standing(rng))


def reaching(rng: np.random.Generator) -> Pose:
    arms = limbs(rng, ((0, 1.8), (0, 0.6)), ((0.8, 2.4), (-0.4, 0.4)))
    return Pose(arms, legs_standing(rng), lean=rng.uniform(0, 0.4))


def crouching(rng: np.random.Generator) -> Pose:
    depth = rng.uniform(0.4, 1.4)
    legs = {
        s: Limb((depth + rng.normal(0, 0.1), rng.uniform(0, 0.4)), (-0.6 * depth, rng.uniform(0, 0.2))) for s in SIDES
    }
    return Pose(reaching(rng).arms, legs, lean=rng.uniform(0.1, 0.7))


def sitting(rng: np.random.Generator) -> Pose:
    legs = limbs(rng, ((1.2, 1.6), (0, 0.3)), ((-0.3, 0.4), (0, 0.1)))
    arms = limbs(rng, ((0, 0.6), (0.1, 0.2)), ((0.8, 1.6), (-0.4, 0.1)))
    return Pose(arms, legs, lean=rng.uniform(-0.1, 0.2))


def lunging(rng: np.random.Generator) -> Pose:
    legs = limbs(rng, ((-0.5, 1.2), (0, 0.8)), ((-0.9, 0.1), (0, 0.5)))
    return Pose(arms_up(rng).arms if rng.random() < 0.5 else reaching(rng).arms, legs, lean=rng.uniform(-0.1, 0.4))


def by_chance(rng: np.random.Generator) -> Pose:
    phase = rng.uniform(0, 2 * np.pi)
    kinds: list[Callable[[], Pose]] = [
        lambda: walking(phase, rng.uniform(0.2, 0.6), rng.uniform(0.1, 0.7)),
        lambda: walking(phase, rng.uniform(0.6, 1.0), rng.uniform(0.5, 1.0)),
        lambda: Pose(arms_hanging(rng.uniform(0.05, 0.3), rng.uniform(0, 0.5)), legs_standing(rng)),
        lambda: waving(phase, SIDES[rng.integers(2)]),
        lambda: arms_up(rng),
        lambda: hands_on_hips(rng),
        lambda: reaching(rng),
        lambda: crouching(rng),
        lambda: sitting(rng),
        lambda: lunging(rng),
    ]
    pose = kinds[rng.integers(len(kinds))]()
    for limb in (*pose.arms.values(), *pose.legs.values()):
        limb.upper = (limb.upper[0] + rng.normal(0, 0.08), limb.upper[1] + rng.normal(0, 0.05))
        limb.lower = (limb.lower[0] + rng.normal(0, 0.08), limb.lower[1] + rng.normal(0, 0.05))
    pose.yaw = rng.uniform(-np.pi, np.pi) if rng.random() < 0.6 else rng.normal(0, 0.5)
    pose.tilt += rng.normal(0, 0.06)
    pose.head_yaw = rng.normal(0, 0.35)
    pose.nod = rng.normal(0, 0.12)
    return pose
