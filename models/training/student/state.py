"""What a run is between two sittings: one file, written whole or not at all."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .muon import Muon
from .network import PoseNet


@dataclass
class Run:
    network: PoseNet
    average: PoseNet  # running mean of the network's weights: what is validated and exported
    optimizers: list[torch.optim.Optimizer]
    rates: list[float]  # the highest of each optimizer
    progress: dict[str, float] = field(default_factory=lambda: {"step": 0, "images": 0, "seconds": 0.0})

    @property
    def step(self) -> int:
        return int(self.progress["step"])

    def step_down(self, loss: torch.Tensor, share: float) -> None:
        """A step of all optimizers at a share of their highest rates."""
        for optimizer, peak in zip(self.optimizers, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * share
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.progress["step"] += 1

    def follow(self, decay: float) -> None:
        """Moves the average; its memory grows with the run, so that it does not remember the start for long."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)


def optimizers_for(network: nn.Module, settings: dict[str, Any]) -> list[torch.optim.Optimizer]:
    trained = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    hidden = [p for name, p in trained if p.ndim == 4 and p.shape[-1] == 3 and p.shape[1] > 3]
    chosen = {id(p) for p in hidden}
    rest = [p for _, p in trained if id(p) not in chosen]
    return [
        Muon(hidden, settings["muon_lr"], weight_decay=settings["weight_decay"]),
        torch.optim.AdamW(rest, settings["adam_lr"], betas=(0.9, 0.99), weight_decay=settings["weight_decay"]),
    ]


def fresh(config: dict[str, Any], device: torch.device) -> Run:
    torch.manual_seed(config["seed"])
    network = PoseNet(config["network"]).to(device, memory_format=torch.channels_last)
    train = config["train"]
    rates = [train["muon_lr"], train["adam_lr"]]
    return Run(network, copy.deepcopy(network), optimizers_for(network, train), rates)


def save(run: Run, file: Path, optimizers: bool = True) -> None:
    """Without the optimizers' memory a file is a third smaller; they begin anew then."""
    part = file.with_name(file.name + ".part")
    torch.save(
        {
            "network": run.network.state_dict(),
            "average": run.average.state_dict(),
            "optimizers": [o.state_dict() for o in run.optimizers] if optimizers else [],
            "progress": run.progress,
        },
        part,
    )
    os.replace(part, file)


def load(run: Run, file: Path) -> None:
    stored = torch.load(file, map_location="cpu", weights_only=True)
    run.network.load_state_dict(stored["network"])
    run.average.load_state_dict(stored["average"])
    if stored["optimizers"]:
        for optimizer, values in zip(run.optimizers, stored["optimizers"], strict=True):
            optimizer.load_state_dict(values)
    run.progress = stored["progress"]
