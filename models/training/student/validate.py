"""How far the network's maps are from the teacher's on pictures that training never sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..canvases import shards
from .batches import Batches, as_tensors
from .losses import relative_error
from .network import PoseNet

STATISTICS_BATCHES = 60
STATISTICS_FROM = 10**9  # numbers of batches that no training reaches


def refresh_statistics(network: PoseNet, batches: Batches, device: torch.device) -> None:
    """Batch norm's means and variances, measured anew for these very weights: the running ones belong to weights of
    many steps ago, and an average of weights never had any."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    momentum = [m.momentum for m in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain mean over all batches
    network.train()
    with torch.no_grad():
        for number in range(STATISTICS_BATCHES):
            network(batches.batch(STATISTICS_FROM + number)[0].to(device))
    for norm, value in zip(norms, momentum, strict=True):
        norm.momentum = value
    network.eval()


def validation_error(network: PoseNet, folder: Path, device: torch.device, count: int = 500) -> dict[str, float]:
    """Of the heatmaps and of the PAFs, as shares of what predicting nothing would make; statistics must be fresh."""
    total = torch.zeros(2, 2)
    shard = shards.read(shards.complete(folder, "validation")[0])
    with torch.no_grad():
        for at in range(0, min(count, len(shard.images)), 20):
            pixels, target = as_tensors(np.array(shard.images[at : at + 20]), shard.maps[at : at + 20])
            total += relative_error(network.stages(pixels.to(device))[-1].float().cpu(), target)
    heat, paf = (total[0] / total[1]).tolist()
    return {"heatmap_error": round(heat, 4), "paf_error": round(paf, 4)}
