"""Renders the project's clip and the true keypoints of everybody in it: python -m training.clip --help"""

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

from .background import background
from .body import COCO17, Limb, Pose, skeleton
from .figures import lay_over, shadow
from .paint import Painter, look_by_chance
from .poses import arms_hanging, legs_standing, walking, waving

WIDTH, HEIGHT, FPS, FRAMES = 640, 360, 25, 250
PLACE_SEED, CAST_SEED = 77, 4100  # far from what training draws
CYCLE = 0.79  # heights that two steps of walking() cover: 4 x leg x sin(stride)
CRUISE = 0.022  # heights a frame at which a walker has turned to the side completely

Act = Callable[[int], tuple[float, Pose]]  # frame -> x of the feet, pose


@dataclass(frozen=True)
class Actor:
    height: float  # pixels
    ground: float  # y of the feet
    act: Act
    seed: int


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
        return x, Pose(arms_hanging(0.15 + 0.03 * sway, 0.25), legs_standing(), yaw=-0.5, tilt=0.02 * sway, head_yaw=0.4 * sway)

    return act


def cast() -> list[Actor]:
    """From the back of the place to its front."""
    return [
        Actor(86, 232, pacing(86, 250, 120, 230, 0.1), 1),
        Actor(96, 240, greeting(585, "left"), 2),
        Actor(104, 246, watching(62), 3),
        Actor(150, 285, jumping_jack(150), 4),
        Actor(172, 305, pacing(172, 330, 190, 210, 0.75), 5),
        Actor(188, 318, pacing(188, 330, 230, 240, 0.25), 6),
        Actor(232, 346, greeting(478, "right"), 7),
    ]


def annotation(person: np.ndarray, area: float, image_id: int, number: int) -> dict[str, Any]:
    seen = person[person[:, 2] > 0]
    flat = [[round(float(x), 1), round(float(y), 1), int(v)] if v else [0, 0, 0] for x, y, v in person]
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
    place = background(np.random.default_rng(PLACE_SEED), HEIGHT, WIDTH)
    actors = cast()
    looks = [look_by_chance(np.random.default_rng([CAST_SEED, actor.seed])) for actor in actors]
    for frame in range(FRAMES):
        picture = place.copy()
        people: list[np.ndarray] = []
        areas = []
        for actor, look in zip(actors, looks, strict=True):
            x, pose = actor.act(frame)
            feet = np.array([x, actor.ground])
            shadow(picture, feet, actor.height)
            drawn = Painter(skeleton(pose, 0.06), look, actor.height, feet).draw()
            lay_over(picture, people, drawn)
            areas.append(float(drawn.alpha.sum()))
        yield cv2.GaussianBlur(picture, (0, 0), 0.5).clip(0, 255).astype(np.uint8), list(zip(people, areas, strict=True))


def encoder(file: Path) -> subprocess.Popen[bytes]:
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    source = ["-f", "rawvideo", "-pixel_format", "bgr24", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", str(FPS), "-i", "-"]
    coding = ["-c:v", "libx264", "-preset", "slow", "-crf", "23", "-bf", "0", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    return subprocess.Popen(["ffmpeg", "-v", "error", "-y", *source, *coding, *exact, str(file)], stdin=subprocess.PIPE)


def render(folder: Path) -> None:
    images, annotations = [], []
    process = encoder(folder / "figures.mp4")
    assert process.stdin is not None
    for number, (picture, people) in enumerate(frames(), 1):
        process.stdin.write(picture.tobytes())
        images.append({"id": number, "file_name": f"frame_{number:04d}.png", "width": WIDTH, "height": HEIGHT})
        for person, area in people:
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
