"""Trains for so many seconds, the rate falling to nothing at their end: python -m training.gpu.train --help

Every canvas is new: composed, answered by the teacher and seen by the student on the device."""

from __future__ import annotations

import argparse
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from .. import config
from ..skeleton import mirror_channels
from ..student import state
from ..student.losses import map_loss
from ..student.state import Run
from .scene import Album, Composer, mirrored, spoilt
from .targets import Fusion, People, averaged_down
from .teacher import TeacherNet

WARM_UP = 0.04  # of the time
REPORT_SECONDS = 10
CHECKPOINT_SECONDS = 60
AVERAGE = 0.995  # memory of the averaged weights: fewer steps than on a CPU, with larger batches
CHUNK = 128  # canvases that are made at a time


def decoded(content: bytes, side: int) -> tuple[np.ndarray, tuple[int, int]]:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    whole = np.zeros((side, side, 3), np.uint8)
    whole[: image.shape[0], : image.shape[1]] = image
    return whole.transpose(2, 0, 1), (image.shape[1], image.shape[0])


def read_album(package: Path, device: torch.device, side: int = 288) -> Album:
    """Everything decoded by all cores, once."""
    content = (package / "pictures.bin").read_bytes()
    with np.load(package / "album.npz") as stored:
        lengths, parts, boxes = stored["lengths"], stored["parts"], stored["boxes"]
    ends = np.cumsum(lengths)
    with ThreadPoolExecutor() as pool:
        pieces = [content[end - length : end] for end, length in zip(ends, lengths, strict=True)]
        pictures, sizes = zip(*pool.map(lambda p: decoded(p, side), pieces), strict=True)
    people = People(*(torch.from_numpy(v.astype(np.float32)).to(device) for v in (parts, boxes)))
    chances = torch.ones(len(lengths), device=device)
    return Album(
        torch.from_numpy(np.stack(pictures)).to(device), torch.tensor(sizes, device=device).float(), people, chances
    )


def read_teacher(package: Path, device: torch.device) -> TeacherNet:
    teacher = TeacherNet()
    teacher.load_state_dict(torch.load(package / "teacher.pt", map_location="cpu", weights_only=True))
    return teacher.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)


def begin(package: Path, settings: dict[str, Any], device: torch.device) -> Run:
    run = state.fresh(settings, device)
    weights = torch.load(package / "start.pt", map_location="cpu", weights_only=True)
    for network in (run.network, run.average):
        network.load_state_dict(weights)
    return run


def half_precision(device: torch.device) -> torch.autocast:
    """For networks alone: places of pixels and people need all their digits."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


class Maker:
    """Batches of pixels and targets."""

    def __init__(self, album: Album, teacher: TeacherNet, settings: dict[str, Any], flip: bool) -> None:
        self._composer = Composer(album, settings["canvas"])
        self._teacher = teacher
        self._flip = flip
        self._device = album.pictures.device
        source, sign = mirror_channels()
        self._source = torch.from_numpy(source).to(self._device)
        self._sign = torch.from_numpy(sign).float().to(self._device)

    @torch.no_grad()
    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        parts = [self._some(min(CHUNK, count - at)) for at in range(0, count, CHUNK)]
        pixels, target = (torch.cat(p) for p in zip(*parts, strict=True))
        return pixels.contiguous(memory_format=torch.channels_last), target

    def _some(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        canvas, people = self._composer.compose(count)
        target = Fusion(averaged_down(self._answer(canvas)), people).target()
        return mirrored(spoilt(functional.avg_pool2d(canvas, 2)), target, self._source, self._sign)

    def _answer(self, canvas: torch.Tensor) -> torch.Tensor:
        answer = self._asked(canvas)
        if self._flip:
            other = self._asked(canvas.flip(3)).flip(3)[:, self._source]
            answer = (answer + other * self._sign[:, None, None]) / 2
        return answer

    def _asked(self, canvas: torch.Tensor) -> torch.Tensor:
        with half_precision(self._device):
            return self._teacher(canvas.contiguous(memory_format=torch.channels_last)).float()


class Training:
    def __init__(self, run: Run, maker: Maker, settings: dict[str, Any], out: Path) -> None:
        self._run, self._maker, self._settings, self._out = run, maker, settings, out

    def go(self, seconds: float, batch: int, share: float) -> None:
        start = reported = saved = time.monotonic()
        losses: list[torch.Tensor] = []
        while (now := time.monotonic()) - start < seconds:
            losses.append(self._step(batch, share * rate_at((now - start) / seconds)))
            now = time.monotonic()
            if now - start >= seconds or now - reported > REPORT_SECONDS:
                self._log(now - reported, float(torch.stack(losses).mean()), len(losses) * batch)
                losses.clear()
                reported = now
            if now - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = now
        self._save()

    def _save(self) -> None:
        """Small enough to be brought home."""
        state.save(self._run, self._out / "newest.pt", optimizers=False)

    def _step(self, batch: int, share: float) -> torch.Tensor:
        """Share: of the highest rates."""
        run = self._run
        pixels, target = self._maker.batch(batch)
        run.network.train()
        with half_precision(pixels.device):
            stages = run.network.stages(pixels)
        loss = map_loss(stages, target, **self._settings["loss"])
        run.step_down(loss, share)
        run.progress["images"] += batch
        run.follow(AVERAGE)
        return loss.detach()

    def _log(self, seconds: float, loss: float, images: int) -> None:
        progress = self._run.progress
        progress["seconds"] += seconds
        entry = {
            "step": self._run.step,
            "images": int(progress["images"]),
            "minutes": round(progress["seconds"] / 60, 2),
        }
        text = json.dumps(entry | {"loss": round(loss, 4), "images_per_second": round(images / seconds, 1)})
        print(text, flush=True)
        with (self._out / "log.jsonl").open("a") as file:
            file.write(text + "\n")


def rate_at(share: float) -> float:
    """Up, then down like a cosine to nothing, by the share of the time that is spent."""
    return min(share / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * share))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True, help="folder of training.gpu.pack")
    parser.add_argument("--out", type=Path, required=True, help="gets newest.pt every minute, and log.jsonl")
    parser.add_argument("--seconds", type=float, default=480, help="of training, without the start")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1, help="the highest, as a share of the rates of config.toml")
    parser.add_argument("--no-flip", action="store_true", help="ask the teacher once, not for the mirrored canvas too")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    settings = config.load()
    torch.manual_seed(settings["seed"])
    album = read_album(options.package, device)
    maker = Maker(album, read_teacher(options.package, device), settings, not options.no_flip)
    run = begin(options.package, settings, device)
    print(f"{len(album.sizes)} photographs on {device}", flush=True)
    Training(run, maker, settings, options.out).go(options.seconds, options.batch, options.rate)


if __name__ == "__main__":
    main()
