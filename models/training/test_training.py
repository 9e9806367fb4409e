"""Checks that need no data: python -m unittest training.test_training"""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from . import config, shards
from .augment import mirror
from .body import COCO17, skeleton
from .export import folded
from .figures import scene
from .muon import orthogonalised
from .network import PoseNet, giga_flops
from .poses import walking
from .truth import maps_of

SIDE = 256


def mirrored_people(people: list[np.ndarray]) -> list[np.ndarray]:
    swapped = [COCO17.index(n.replace("left", "?").replace("right", "left").replace("?", "right")) for n in COCO17]
    turned = [person[swapped] for person in people]
    return [np.column_stack([SIDE - 1 - p[:, 0], p[:, 1:]]) for p in turned]


class Maps(unittest.TestCase):
    def test_mirrored_maps_are_those_of_mirrored_people(self) -> None:
        people = scene(np.random.default_rng(2), SIDE).people
        maps = maps_of(people, SIDE // 8, SIDE // 8)
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
        mirrored = mirror(image, maps)[1]
        expected = maps_of(mirrored_people(people), SIDE // 8, SIDE // 8)
        heat = np.abs(mirrored[:19] - expected[:19]).max()
        self.assertLess(heat, 1e-5)
        # Fields are shifted to the right in both, as the teacher's are, so they agree but for that shift.
        self.assertGreater(float((mirrored[19:] * expected[19:]).sum()), 0.9 * float((expected[19:] ** 2).sum()))

    def test_left_is_on_the_right_of_a_figure_that_faces_the_viewer(self) -> None:
        points = skeleton(walking(0.0)).points
        self.assertGreater(points["left_shoulder"][0], points["right_shoulder"][0])
        self.assertGreater(points["nose"][2], points["head"][2])


class Network(unittest.TestCase):
    def test_is_within_its_budget(self) -> None:
        network = PoseNet(config.load()["network"]).eval()
        self.assertLessEqual(sum(p.numel() for p in network.parameters()), 2_500_000)
        self.assertLessEqual(giga_flops(network, 256, 456), 7.0)

    def test_folding_changes_nothing(self) -> None:
        torch.manual_seed(1)
        network = PoseNet(config.load()["network"])
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.data += 0.05 * torch.randn_like(parameter)  # heads begin as zeros, norms as ones
        pixels = torch.rand(2, 3, 64, 72) * 255
        with torch.no_grad():
            network(pixels)  # moves the statistics away from 0 and 1
            network.eval()
            for before, after in zip(network(pixels), folded(network)(pixels), strict=True):
                self.assertLess(float((before - after).abs().max()), 1e-2 * float(before.abs().max() + 1))


class Optimizer(unittest.TestCase):
    def test_step_moves_every_direction_about_equally(self) -> None:
        matrix = torch.randn(16, 144, generator=torch.Generator().manual_seed(1))
        values = torch.linalg.svdvals(orthogonalised(matrix))
        self.assertGreater(float(values.min()), 0.5)
        self.assertLess(float(values.max()), 1.5)


class Shards(unittest.TestCase):
    def test_an_unfinished_shard_is_not_listed(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            whole = shards.Shard(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 57, 1, 1), np.int8), np.zeros((1, 1)))
            shards.write(folder / "photos-0000", whole)
            (folder / "photos-0001.part").mkdir()
            self.assertEqual([p.name for p in shards.complete(folder, "photos")], ["photos-0000"])


if __name__ == "__main__":
    unittest.main()
