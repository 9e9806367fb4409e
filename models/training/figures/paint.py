"""Draws a body: shaded limbs in clothes, a head with hair and a face, soft edges. Numpy and OpenCV's drawing only."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .body import COCO17, FACE, HEAD, SHOULDER, Skeleton3D

SMALL = 120  # pixels of height below which edges are drawn three times as fine, not twice
SUBPIXEL = 4  # bits
SHADES = 5

# Half widths at both ends, as shares of the height.
WIDTHS = {
    "thigh": (0.052, 0.036), "shin": (0.035, 0.022), "foot": (0.024, 0.018), "upper_arm": (0.029, 0.023),
    "forearm": (0.022, 0.016), "hand": (0.017, 0.014), "neck": (0.027, 0.025),
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Colours are BGR, 0..255."""

    skin: np.ndarray
    hair: np.ndarray
    shirt: np.ndarray
    trousers: np.ndarray
    shoes: np.ndarray
    long_sleeves: bool
    shorts: bool
    long_hair: bool
    stripes: bool
    bulk: float  # of limbs and torso, 1 for average
    light: np.ndarray  # where it comes from, in the picture
    seed: int  # of the cloth's texture


def look_by_chance(rng: np.random.Generator) -> Look:
    tone = rng.uniform(0.35, 1.0)
    skin = np.array([150, 180, 225]) * tone + rng.normal(0, 6, 3)
    hair = np.array([[25, 30, 35], [40, 60, 90], [90, 140, 180], [120, 120, 125]])[rng.integers(4)] * rng.uniform(
        0.5, 1.2
    )
    angle = rng.uniform(-2.6, -0.5)
    return Look(
        skin, hair, cloth(rng), cloth(rng), cloth(rng) * 0.5, bool(rng.random() < 0.5), bool(rng.random() < 0.25),
        bool(rng.random() < 0.35), bool(rng.random() < 0.25), float(rng.normal(1.0, 0.1)),
        np.array([np.cos(angle), np.sin(angle)]), int(rng.integers(2**31)),
    )  # fmt: skip


def cloth(rng: np.random.Generator) -> np.ndarray:
    """Mostly muted, sometimes bright."""
    hue, saturation = rng.integers(0, 180), rng.integers(10, 130) if rng.random() < 0.7 else rng.integers(130, 240)
    colour = np.array([[[hue, saturation, rng.integers(35, 245)]]], np.uint8)
    return cv2.cvtColor(colour, cv2.COLOR_HSV2BGR)[0, 0].astype(float)


@dataclass
class Drawn:
    colour: np.ndarray  # (h, w, 3) float, premultiplied by alpha
    alpha: np.ndarray  # (h, w, 1) float
    corner: np.ndarray  # where its (0, 0) lies in the picture
    keypoints: np.ndarray  # (17, 3): x, y in the picture, 0 hidden or 2 in view


class Painter:
    """One figure on a transparent patch."""

    def __init__(self, body: Skeleton3D, look: Look, height: float, feet: np.ndarray) -> None:
        self._body, self._look, self._height = body, look, height
        self._finer = 3 if height < SMALL else 2
        flat = {name: p[:2] * height for name, p in body.points.items()}
        lowest = max(flat[f"{s}_{j}"][1] for s in ("left", "right") for j in ("ankle", "toe", "knee")) + 0.025 * height
        shift = np.asarray(feet) - np.array([0, lowest])
        self._at = {name: p + shift for name, p in flat.items()}
        points = np.array(list(self._at.values()))
        margin = 0.14 * height + 2
        self._corner = np.floor(points.min(0) - margin)
        size = np.ceil(points.max(0) + margin - self._corner).astype(int)
        self._patch = np.zeros((size[1] * self._finer, size[0] * self._finer, 4), np.uint8)

    def draw(self) -> Drawn:
        points = self._body.points
        parts = [(0.0, self._torso), (points["head"][2] + 0.01, self._head)]
        if self._look.long_hair:
            parts.append((-0.01 if self._body.head[2, 2] > 0 else points["head"][2] + 0.02, self._long_hair))
        for side in ("left", "right"):
            # Arms hang outside the torso's surface: what is level with it is drawn over it.
            parts.append((points[f"{side}_elbow"][2] + points[f"{side}_wrist"][2] + 0.02, lambda s=side: self._arm(s)))
            parts.append((points[f"{side}_knee"][2] - 0.10, lambda s=side: self._leg(s)))
        for _, paint in sorted(parts, key=lambda part: part[0]):
            paint()
        size = (self._patch.shape[1] // self._finer, self._patch.shape[0] // self._finer)
        patch = cv2.resize(self._patch, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        patch[..., :3] *= self._texture(size[1], size[0])
        return Drawn(patch[..., :3], patch[..., 3:] / 255, self._corner.astype(int), self._keypoints())

    def _keypoints(self) -> np.ndarray:
        def seen(name: str) -> int:
            return 2 if name not in FACE or self._body.faces_viewer(name) else 0

        return np.array([[*self._at[name], seen(name)] for name in COCO17], float)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the picture to the patch's fixed-point ones."""
        return np.rint((points - self._corner) * self._finer * 2**SUBPIXEL).astype(np.int32)

    def _fill(self, outline: np.ndarray, colour: np.ndarray) -> None:
        value = (*colour.clip(0, 255).tolist(), 255)
        cv2.fillPoly(self._patch, [self._fixed(outline)], value, cv2.LINE_8, SUBPIXEL)

    def _capsule(self, a: np.ndarray, b: np.ndarray, widths: tuple[float, float], colour: np.ndarray) -> None:
        """A rounded limb: nested outlines, brighter and closer to the light towards the inside."""
        for shade in range(SHADES):
            inside = shade / SHADES
            radii = [w * self._height * self._look.bulk * (1 - 0.85 * inside) for w in widths]
            lift = [self._look.light * w * self._height * 0.45 * inside for w in widths]
            outline = np.vstack([ellipse(p + d, r) for p, d, r in zip((a, b), lift, radii, strict=True)])
            self._fill(cv2.convexHull(outline.astype(np.float32))[:, 0], colour * (0.62 + 0.5 * inside))

    def _arm(self, side: str) -> None:
        look, at = self._look, self._at
        fore = look.shirt if look.long_sleeves else look.skin
        self._capsule(at[f"{side}_wrist"], at[f"{side}_hand"], WIDTHS["hand"], look.skin)
        self._capsule(at[f"{side}_elbow"], at[f"{side}_wrist"], WIDTHS["forearm"], fore)
        self._capsule(at[f"{side}_shoulder"], at[f"{side}_elbow"], WIDTHS["upper_arm"], look.shirt)

    def _leg(self, side: str) -> None:
        look, at = self._look, self._at
        ankle = at[f"{side}_ankle"]
        self._capsule(ankle + np.array([0, 0.012 * self._height]), at[f"{side}_toe"], WIDTHS["foot"], look.shoes)
        self._capsule(at[f"{side}_knee"], ankle, WIDTHS["shin"], look.skin if look.shorts else look.trousers)
        self._capsule(at[f"{side}_hip"], at[f"{side}_knee"], WIDTHS["thigh"], look.trousers)

    def _torso(self) -> None:
        """Chest, waist and hips as hulls between shoulders and hips, at least as deep as a body is from the side."""
        look, at, h = self._look, self._at, self._height
        self._capsule(at["neck"] + np.array([0, 0.01 * h]), at["head"], WIDTHS["neck"], look.skin * 0.85)
        middle = (at["left_hip"] + at["right_hip"]) / 2
        chest, waist = (middle - at["neck"]) * 0.06, (at["neck"] - middle) * 0.25
        shoulders, hips = ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")
        self._trunk((hips, 0.042, waist * 0), (hips, 0.044, waist), look.trousers)
        self._trunk((hips, 0.047, waist * 0.7), (shoulders, 0.034, chest), look.shirt)
        facing = (at["left_shoulder"] - at["right_shoulder"])[0] / (2 * SHOULDER * h)
        if facing > 0.15:  # the collar, open in front
            opening = np.array([0.030 * facing, 0.034]) * h
            self._fill(ellipse(at["neck"] + np.array([0, 0.004 * h]), opening), look.skin * 0.95)
        if look.stripes:
            for share in (0.25, 0.45, 0.65):
                ends = [at[f"{s}_shoulder"] * (1 - share) + at[f"{s}_hip"] * share for s in ("left", "right")]
                self._capsule(ends[0], ends[1], (0.006, 0.006), 255 - look.shirt)

    def _trunk(self, low: tuple, high: tuple, colour: np.ndarray) -> None:
        """A shaded hull between two bands, each given by its joints, half width and offset."""
        for shade in range(SHADES):
            inside = shade / SHADES
            lift = self._look.light * self._height * 0.035 * inside
            bands = [self._band(joints, half, inside) + offset + lift for joints, half, offset in (low, high)]
            outline = cv2.convexHull(np.vstack(bands).astype(np.float32))[:, 0]
            self._fill(outline, colour * (0.66 + 0.42 * inside))

    def _band(self, joints: tuple[str, str], half: float, inside: float) -> np.ndarray:
        radius = half * self._height * self._look.bulk
        centre = (self._at[joints[0]] + self._at[joints[1]]) / 2
        ends = [centre + (self._at[j] - centre) * (1 - 0.6 * inside) for j in joints]
        return np.vstack([ellipse(p, radius * (1 - 0.75 * inside)) for p in ends])

    def _head(self) -> None:
        look, h = self._look, self._height
        turn = self._body.head
        centre = self._at["head"]
        hair_back = centre - turn[:2, 2] * 0.02 * h
        front = turn[2, 2] > 0
        if front:
            self._hair(hair_back)
        for shade in range(SHADES):
            inside = shade / SHADES
            lift = look.light * h * 0.02 * inside
            self._fill(self._ball(centre + lift, HEAD * (1 - 0.8 * inside)), look.skin * (0.75 + 0.35 * inside))
        self._face(centre)
        if not front:
            self._hair(hair_back)
        else:  # a fringe
            top = centre + (turn @ np.array([0, -0.045, 0.0]))[:2] * h
            self._fill(self._ball(top, HEAD * np.array([0.92, 0.38, 0.85])), look.hair)

    def _hair(self, centre: np.ndarray) -> None:
        h, turn = self._height, self._body.head
        size = HEAD * np.array([1.12, 1.08, 1.05])
        crown = centre - turn[:2, 1] * 0.008 * h
        for inside in (0.0, 0.3, 0.6):
            self._fill(self._ball(crown, size * (1 - inside)), self._look.hair * (0.7 + 0.6 * inside))

    def _long_hair(self) -> None:
        turn = self._body.head
        nape = self._at["head"] - turn[:2, 2] * 0.03 * self._height
        self._capsule(nape, nape + turn[:2, 1] * 0.085 * self._height, (0.045, 0.035), self._look.hair)

    def _ball(self, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """The outline of an ellipsoid with the head's orientation: the shadow of a stretched sphere is an ellipse."""
        shadow = (self._body.head * axes)[:2]
        values, vectors = np.linalg.eigh(shadow @ shadow.T)
        return centre + ellipse(np.zeros(2), 1.0) * np.sqrt(values) @ vectors.T * self._height

    def _face(self, centre: np.ndarray) -> None:
        h, turn, skin = self._height, self._body.head, self._look.skin
        for name in ("left_ear", "right_ear"):
            if self._body.faces_viewer(name):
                self._fill(ellipse(self._at[name], 0.014 * h * np.array([0.7, 1.1])), skin * 0.8)
        for name in ("left_eye", "right_eye"):
            if self._body.faces_viewer(name):
                squeeze = np.array([max(0.35, turn[2, 2]), 0.5])
                brow = self._at[name] - turn[:2, 1] * 0.012 * h
                self._fill(ellipse(brow, 0.012 * h * np.array([squeeze[0], 0.25])), self._look.hair)
                self._fill(ellipse(self._at[name], 0.009 * h * squeeze), np.full(3, 215.0))
                self._fill(ellipse(self._at[name], 0.005 * h), np.full(3, 30.0))
        if self._body.faces_viewer("nose"):
            bridge = centre + (turn @ np.array([0, -0.008, 0.054]))[:2] * h
            self._capsule(bridge, self._at["nose"], (0.004, 0.009), skin * 0.95)
            mouth = centre + (turn @ np.array([0, 0.034, 0.046]))[:2] * h
            self._fill(
                ellipse(mouth, 0.015 * h * np.array([max(0.3, turn[2, 2]), 0.25])), skin * np.array([0.55, 0.5, 0.75])
            )

    def _texture(self, height: int, width: int) -> np.ndarray:
        """Folds and grain, as a factor."""
        rng = np.random.default_rng(self._look.seed)
        fold, grain = max(4, int(0.07 * self._height)), max(1, int(0.005 * self._height))
        coarse = rng.normal(0, 0.16, (height // fold + 2, width // fold + 2)).astype(np.float32)
        fine = rng.normal(0, 0.05, (height // grain + 1, width // grain + 1)).astype(np.float32)
        folds = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        return (1 + folds + cv2.resize(fine, (width, height)))[..., None].clip(0.4, 1.5)


def ellipse(centre: np.ndarray, half: float | np.ndarray) -> np.ndarray:
    """Its outline; half: radius, or half axes across and down."""
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return centre + half * np.column_stack([np.cos(angles), np.sin(angles)])


def over(picture: np.ndarray, drawn: Drawn) -> np.ndarray:
    """Lays a figure over a float picture in place; returns its alpha on the whole picture."""
    height, width = picture.shape[:2]
    cover = np.zeros((height, width), np.float32)
    x, y = drawn.corner
    h, w = drawn.alpha.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    if x0 >= x1 or y0 >= y1:
        return cover
    part = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    place = np.s_[y0:y1, x0:x1]
    picture[place] = picture[place] * (1 - drawn.alpha[part]) + drawn.colour[part]
    cover[place] = drawn.alpha[part][..., 0]
    return cover
