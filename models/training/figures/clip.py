"""Renders the project's clip and the true keypoints of everybody in it: python -m training.figures.clip --help"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .background import street
from .body import COCO17, Limb, Pose, skeleton
from .paint import Look, Painter
from .poses import arms_hanging, legs_standing, walking, waving
from .scene import SEEN, lay_over, shadow

WIDTH, HEIGHT, FPS, FRAMES = 640, 360, 25, 250
PLACE_SEED = 77
LEAST_SEEN = 3  # joints in view that make somebody worth an annotation
CYCLE = 0.79  # heights that two steps of walking() cover: 4 x leg x sin(stride)
CRUISE = 0.022  # heights a frame at which a walker has turned to the side completely

Colour = tuple[float, float, float]
Act = Callable[[int], tuple[float, Pose]]  # frame -> x of the feet, pose


@dataclass(frozen=True)
class Actor:
    height: float  # pixels
    ground: float  # y of the feet
    act: Act
    look: Look


def pacing(height: float, middle: float, reach: float, frames_a_lap: float, start: float) -> Act:
    """To and fro; the steps follow from the way, so that feet do not slide, and turns are made facing the viewer."""
    times = np.arange(FRAMES + 1)
    way = middle + reach * np.arcsin(0.97 * np.sin(2 * np.pi * (times / frames_a_lap + start))) / np.arcsin(0.97)
    speed = np.diff(way)
    walked = np.concatenate([[0], np.cumsum(np.abs(speed))])

    def act(frame: int) -> tuple[float, Pose]:
        turned = float(np.clip(speed[frame] / (CRUISE * height), -1, 1))
        pose = walking(2 * np.pi * walked[frame] / (CYCLE * height), 0.12 + 0.3 * abs(turned), 0.15 + 0.3 * abs(turned))
        pose.yaw = 1.35 * turned
        return float(way[frame]), pose

    return act


def greeting(x: float, side: str) -> Act:
    def act(frame: int) -> tuple[float, Pose]:
        pose = waving(2 * np.pi * frame / 18, side)
        pose.yaw = 0.25 * np.sin(2 * np.pi * frame / 120)
        return x, pose

    return act


def jumping_jack(x: float) -> Act:
    def act(frame: int) -> tuple[float, Pose]:
        up = 0.5 - 0.5 * np.cos(2 * np.pi * frame / 36)
        arms = {s: Limb((0.05, 0.15 + 2.5 * up), (0.15, 0.1 + 2.8 * up)) for s in ("left", "right")}
        legs = {s: Limb((0.0, 0.05 + 0.3 * up), (-0.02, 0.05 + 0.25 * up)) for s in ("left", "right")}
        return x, Pose(arms, legs, yaw=0.3)

    return act


def watching(x: float) -> Act:
    def act(frame: int) -> tuple[float, Pose]:
        sway = np.sin(2 * np.pi * frame / 90)
        arms = arms_hanging(0.15 + 0.03 * sway, 0.25)
        return x, Pose(arms, legs_standing(), yaw=-0.5, tilt=0.02 * sway, head_yaw=0.4 * sway)

    return act


def dressed(skin: Colour, hair: Colour, shirt: Colour, trousers: Colour, seed: int, **details: bool) -> Look:
    """Colours as BGR."""
    more = {"long_sleeves": False, "shorts": False, "long_hair": False, "stripes": False} | details
    colours = [np.array(c, float) for c in (skin, hair, shirt, trousers, (45, 45, 55))]
    return Look(*colours, **more, bulk=1.0, light=np.array([-0.5, -0.85]), seed=seed)


def cast() -> list[Actor]:
    """From the back of the place to its front."""
    light, tan, brown = (165, 190, 230), (130, 165, 210), (80, 105, 150)
    black, chestnut, blond = (25, 28, 32), (35, 55, 85), (95, 150, 190)
    looks = [
        dressed(light, black, (60, 60, 190), (70, 50, 40), 1),
        dressed(tan, black, (190, 140, 60), (60, 60, 60), 2, long_sleeves=True),
        dressed(brown, black, (210, 215, 220), (120, 80, 50), 3),
        dressed(light, chestnut, (80, 160, 60), (50, 45, 45), 4, shorts=True),
        dressed(tan, chestnut, (50, 130, 220), (130, 90, 50), 5, long_hair=True),
        dressed(light, blond, (150, 60, 60), (60, 55, 50), 6, long_sleeves=True),
        dressed(light, chestnut, (70, 70, 200), (95, 70, 45), 7),
    ]
    acts = [
        (110, 246, pacing(110, 262, 80, 230, 0.1)),
        (120, 252, greeting(592, "left")),
        (126, 258, watching(46)),
        (158, 292, jumping_jack(135)),
        (178, 312, pacing(178, 330, 95, 210, 0.75)),
        (194, 326, pacing(194, 335, 215, 250, 0.25)),
        (236, 350, greeting(508, "right")),
    ]
    return [Actor(*act, look) for act, look in zip(acts, looks, strict=True)]


def annotation(person: np.ndarray, area: float, image_id: int, number: int) -> dict[str, Any]:
    """Joints that another figure covers are left unlabelled: nobody could say where they are."""
    seen = person[person[:, 2] == SEEN]
    flat = [[round(float(x), 1), round(float(y), 1), SEEN] if v == SEEN else [0, 0, 0] for x, y, v in person]
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "num_keypoints": len(seen),
        "keypoints": [v for triple in flat for v in triple],
        "bbox": [round(float(v), 1) for v in (*low, *(high - low))],
        "area": round(area, 1),
    }


def frames() -> Iterator[tuple[np.ndarray, list[tuple[np.ndarray, float]]]]:
    """Pictures, and of each person the keypoints and the area in pixels."""
    place = street(np.random.default_rng(PLACE_SEED), HEIGHT, WIDTH)
    actors = cast()
    for frame in range(FRAMES):
        picture = place.copy()
        people: list[np.ndarray] = []
        areas = []
        for actor in actors:
            x, pose = actor.act(frame)
            feet = np.array([x, actor.ground])
            shadow(picture, feet, actor.height)
            drawn = Painter(skeleton(pose, 0.06), actor.look, actor.height, feet).draw()
            lay_over(picture, people, drawn)
            areas.append(float(drawn.alpha.sum()))
        yield (
            cv2.GaussianBlur(picture, (0, 0), 0.5).clip(0, 255).astype(np.uint8),
            list(zip(people, areas, strict=True)),
        )


def encoder(file: Path) -> subprocess.Popen[bytes]:
    source = f"-f rawvideo -pixel_format bgr24 -video_size {WIDTH}x{HEIGHT} -framerate {FPS} -i -"
    coding = "-c:v libx264 -preset slow -crf 23 -bf 0 -pix_fmt yuv420p -movflags +faststart"
    exact = "-fflags +bitexact -flags:v +bitexact -map_metadata -1"  # the same bytes every time
    command = ["ffmpeg", "-v", "error", "-y", *f"{source} {coding} {exact}".split(), str(file)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def render(folder: Path) -> None:
    images, annotations = [], []
    process = encoder(folder / "figures.mp4")
    assert process.stdin is not None
    for number, (picture, people) in enumerate(frames()):
        process.stdin.write(picture.tobytes())
        images.append({"id": number, "file_name": f"frame_{number:04d}.png", "width": WIDTH, "height": HEIGHT})
        for person, area in people:
            if (person[:, 2] == SEEN).sum() < LEAST_SEEN:
                continue
            annotations.append(annotation(person, area, number, len(annotations) + 1))
    process.stdin.close()
    if process.wait() != 0:
        raise SystemExit("ffmpeg could not encode the clip")
    category = {"id": 1, "name": "person", "keypoints": list(COCO17), "skeleton": []}
    document = {"images": images, "annotations": annotations, "categories": [category]}
    (folder / "figures.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for figures.mp4 and figures.json")
    render(parser.parse_args().out)


if __name__ == "__main__":
    main()
