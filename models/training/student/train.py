"""Trains, or goes on training: python -m training.student.train --help

The learning rate stays constant, so that a run can be taken up again at any time and for any time; --cool-down branches
off the newest checkpoint with a rate that falls to nothing, which is what gets exported."""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from .. import config
from . import state
from .batches import Batches
from .losses import map_loss
from .threads import FreeCores
from .validate import refresh_statistics, validation_error

REPORT_STEPS = 50
THREAD_STEPS = 5


def pick_device() -> tuple[torch.device, bool]:
    """The fastest there is, and whether it computes bfloat16 in hardware (emulated, it is slower than float32)."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.cuda.is_bf16_supported()
    return torch.device("cpu"), torch.cpu._is_avx512_bf16_supported()


class Trainer:
    def __init__(self, settings: dict[str, Any], data: Path, folder: Path, cores: FreeCores | None) -> None:
        self._cores = cores
        if cores:
            torch.set_num_threads(1)
        self._settings = settings
        self._data = data
        self._device, self._bf16 = pick_device()
        self._batches = Batches(data, settings["train"], settings["seed"])
        self.run = state.fresh(settings, self._device)
        self.newest = folder / "newest.pt"
        if self.newest.exists():
            state.load(self.run, self.newest)

        self._ema: float = settings["train"]["ema"]
        self._log_file = folder / "log.jsonl"
        self._stopped = False
        self._losses: list[float] = []  # since the last report
        self._reported, self._worked = time.monotonic(), time.process_time()

    def stop(self) -> None:
        """Ends training after the current step, with a checkpoint."""
        self._stopped = True

    def constant(self, minutes: float) -> None:
        end = time.monotonic() + minutes * 60
        warm_up = self._settings["train"]["warm_up"]
        self._go(lambda step: min(1.0, (step + 1) / warm_up), self.newest, lambda _: time.monotonic() < end)

    def cool_down(self, steps: int, file: Path) -> None:
        """The average forgets faster here: the last weights, found at the lowest rates, are the best ones."""
        start = self.run.step
        self._log_file = file.with_suffix(".jsonl")
        self._ema = min(self._ema, max(0.0, 1 - 10 / steps))
        self._go(lambda step: 1 - (step - start) / steps, file, lambda step: step < start + steps)

    def _go(self, rate_at: Callable[[int], float], file: Path, going: Callable[[int], bool]) -> None:
        train = self._settings["train"]
        saved = time.monotonic()
        for pixels, target in self._batches.starting_at(self.run.step):
            if self._stopped or not going(self.run.step):
                break
            self._losses.append(self._step(pixels, target, rate_at(self.run.step)))
            self.run.progress["images"] += len(pixels)
            self.run.follow(self._ema)
            if self.run.step % REPORT_STEPS == 0:
                self._report(len(pixels))
            if self._cores and self.run.step % THREAD_STEPS == 0:
                torch.set_num_threads(self._cores.count())
            if self.run.step % train["validate_steps"] == 0:
                self.validate()
            if time.monotonic() - saved > train["checkpoint_seconds"]:
                state.save(self.run, file)
                saved = time.monotonic()
        if self._losses:
            self._report(train["batch"])
        state.save(self.run, file)
        if not self._stopped:
            self.validate()

    def _report(self, batch: int) -> None:
        seconds = time.monotonic() - self._reported
        worked = time.process_time() - self._worked
        self.run.progress["seconds"] += seconds
        self.run.progress["core_seconds"] = self.run.progress.get("core_seconds", 0.0) + worked
        speed = len(self._losses) * batch / seconds
        cores = round(worked / seconds, 2)
        self._log(
            {
                "loss": round(sum(self._losses) / len(self._losses), 4),
                "images_per_second": round(speed, 2),
                "cores": cores,
            }
        )
        self._losses.clear()
        self._reported, self._worked = time.monotonic(), time.process_time()

    def _step(self, pixels: torch.Tensor, target: torch.Tensor, rate: float) -> float:
        self.run.network.train()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            stages = self.run.network.stages(pixels.to(self._device))
        loss = map_loss(stages, target.to(self._device), **self._settings["loss"])
        self.run.step_down(loss, rate)
        return loss.item()

    def validate(self) -> None:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            refresh_statistics(self.run.average, self._batches, self._device)
            self._log(validation_error(self.run.average, self._data, self._device))

    def _log(self, entry: dict[str, float]) -> None:
        progress = self.run.progress
        minutes, core_minutes = (round(progress.get(k, 0.0) / 60, 1) for k in ("seconds", "core_seconds"))
        line = {"step": self.run.step, "images": int(progress["images"])}
        line |= {"minutes": minutes, "core_minutes": core_minutes}
        text = json.dumps(line | entry)
        print(text, flush=True)
        with self._log_file.open("a") as file:
            file.write(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument(
        "--run", type=Path, required=True, help="folder of checkpoints and log; goes on from what is there"
    )
    parser.add_argument("--config", type=Path, default=config.DEFAULT)
    parser.add_argument("--minutes", type=float, default=1e9, help="how long to train; without it until stopped")
    parser.add_argument("--cool-down", type=int, metavar="STEPS", help="branch off instead, into cooled.pt")
    parser.add_argument("--share", action="store_true", help="use only the cores that other programs leave free")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config.load(options.config), options.data, options.run, FreeCores() if options.share else None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: trainer.stop())
    if options.cool_down:
        trainer.cool_down(options.cool_down, options.run / "cooled.pt")
    else:
        trainer.constant(options.minutes)


if __name__ == "__main__":
    main()
