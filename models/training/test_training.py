"""Checks that need no data: python -m unittest training.test_training"""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import config
from .canvases import shards
from .canvases.canvas import Canvas, Composer, Shot, cut, moved, placement
from .canvases.fuse import UNKNOWN, Fusion, averaged_down
from .canvases.people import Somebody, weighed
from .canvases.photographs import GUESS, KNOWN, NOTHING, parts_of_coco, parts_of_lsp
from .canvases.truth import maps_of
from .figures.body import COCO17, skeleton
from .figures.poses import walking
from .figures.scene import scene
from .gpu import targets
from .gpu.scene import PEOPLE, Album
from .gpu.scene import Composer as DeviceComposer
from .release.export import folded
from .skeleton import HEATMAPS, PARTS
from .student import state
from .student.augment import mirror
from .student.losses import map_loss
from .student.muon import orthogonalised
from .student.network import ConvBlock, PoseNet, giga_flops
from .student.start import largest_difference, load_plain, measure_norms, weights_of
from .student.winograd import Conv3x3, compiled, fits

SIDE = 256


def mirrored_people(people: list[np.ndarray]) -> list[np.ndarray]:
    swapped = [COCO17.index(n.replace("left", "?").replace("right", "left").replace("?", "right")) for n in COCO17]
    turned = [person[swapped] for person in people]
    return [np.column_stack([SIDE - 1 - p[:, 0], p[:, 1:]]) for p in turned]


class Modules(unittest.TestCase):
    def test_every_module_can_be_imported(self) -> None:
        for module in pkgutil.walk_packages([str(Path(__file__).parent)], f"{__package__}."):
            with self.subTest(module.name):
                try:
                    importlib.import_module(module.name)
                except ModuleNotFoundError as missing:
                    self.assertFalse(str(missing.name).startswith(__package__), missing)  # other packages may be absent


class Maps(unittest.TestCase):
    def test_mirrored_maps_are_those_of_mirrored_people(self) -> None:
        people = scene(np.random.default_rng(2), SIDE).people
        maps = maps_of([parts_of_coco(p) for p in people], SIDE // 8, SIDE // 8)
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
        mirrored = mirror(image, maps)[1]
        expected = maps_of([parts_of_coco(p) for p in mirrored_people(people)], SIDE // 8, SIDE // 8)
        heat = np.abs(mirrored[:19] - expected[:19]).max()
        self.assertLess(heat, 1e-5)
        # Fields are shifted to the right in both, as the teacher's are, so they agree but for that shift.
        self.assertGreater(float((mirrored[19:] * expected[19:]).sum()), 0.9 * float((expected[19:] ** 2).sum()))

    def test_left_is_on_the_right_of_a_figure_that_faces_the_viewer(self) -> None:
        points = skeleton(walking(0.0)).points
        self.assertGreater(points["left_shoulder"][0], points["right_shoulder"][0])
        self.assertGreater(points["nose"][2], points["head"][2])


def standing(x: float, y: float, tall: float) -> Somebody:
    """Upright, facing the viewer, every part known."""
    across = np.array([0, 0, -1, -1.4, -1.5, 1, 1.4, 1.5, -0.7, -0.7, -0.7, 0.7, 0.7, 0.7, -0.2, 0.2, -0.4, 0.4])
    down = np.array([0.1, 0.2, 0.2, 0.35, 0.5, 0.2, 0.35, 0.5, 0.5, 0.75, 1, 0.5, 0.75, 1, 0.08, 0.08, 0.1, 0.1])
    parts = np.column_stack([x + 0.12 * tall * across, y + tall * down, np.full(PARTS, KNOWN)]).astype(np.float32)
    return Somebody(parts, np.array([x - 0.2 * tall, y, x + 0.2 * tall, y + tall]))


class Targets(unittest.TestCase):
    WRIST = 4

    def setUp(self) -> None:
        self.somebody = standing(128, 60, 140)
        self.row, self.column = (int((self.somebody.parts[self.WRIST, i] - 3.5) / 8 + 0.5) for i in (1, 0))
        self.silence = np.zeros((HEATMAPS + 38, 32, 32), np.float32)

    def test_known_parts_are_drawn_where_the_teacher_is_silent(self) -> None:
        target = Fusion(self.silence, [self.somebody]).target()
        self.assertGreater(target[self.WRIST, self.row, self.column], 60)
        self.assertGreater(np.abs(target[HEATMAPS:].astype(int)).max(), 80)
        self.assertLess(target[PARTS, self.row, self.column], 60)

    def test_the_teacher_keeps_its_word_where_it_agrees(self) -> None:
        answer = self.silence.copy()
        answer[self.WRIST, self.row, self.column] = 0.5
        target = Fusion(answer, [self.somebody]).target()
        self.assertEqual(target[self.WRIST, self.row, self.column], round(0.5 * 127))

    def test_nothing_is_asked_about_guesses_and_about_people_nobody_knows(self) -> None:
        self.somebody.parts[self.WRIST, 2] = GUESS
        target = Fusion(self.silence, [self.somebody]).target()
        self.assertEqual(target[self.WRIST, self.row, self.column], UNKNOWN)
        self.somebody.parts[:, 2] = NOTHING
        target = Fusion(self.silence, [self.somebody]).target()
        self.assertEqual(target[self.WRIST, self.row, self.column], UNKNOWN)
        self.assertEqual(target[self.WRIST, 0, 0], 0)

    def test_a_peak_elsewhere_in_a_person_is_not_believed(self) -> None:
        answer = self.silence.copy()
        answer[self.WRIST, self.row - 5, self.column + 1] = 0.6
        target = Fusion(answer, [self.somebody]).target()
        self.assertEqual(target[self.WRIST, self.row - 5, self.column + 1], UNKNOWN)
        self.assertGreater(target[self.WRIST, self.row, self.column], 60)

    def test_averaging_keeps_peaks_in_place(self) -> None:
        large = maps_of([standing(256, 120, 280).parts], 64, 64)
        small = averaged_down(np.rint(large * 127).astype(np.int8))
        expected = maps_of([standing(127.75, 59.75, 140).parts], 32, 32)
        for part in range(PARTS):
            self.assertEqual(small[part].argmax(), expected[part].argmax())

    def test_unknown_cells_cost_nothing(self) -> None:
        target = torch.zeros(1, HEATMAPS + 38, 4, 4)
        target[0, :, 2] = torch.nan
        maps = torch.zeros_like(target.nan_to_num(), requires_grad=True)
        loss = map_loss([maps, maps + (torch.arange(4) == 2)[:, None]], target, 4.0, 0.5)
        self.assertEqual(loss.item(), 0)
        loss.backward()
        self.assertFalse(maps.grad.isnan().any())


class Device(unittest.TestCase):
    """What is made on a GPU, on the CPU."""

    def test_fuses_a_batch_as_it_does_one_picture(self) -> None:
        crowd = [standing(90, 40, 150), standing(150, 90, 100), standing(200, 20, 60)]
        crowd[1].parts[3:5, 2] = GUESS
        crowd[2].parts[:, 2] = NOTHING
        answer = 0.9 * maps_of([standing(92, 40, 150).parts], 32, 32)
        answer[4] = 0
        answer[5, 20, 12] = 0.4
        parts = torch.from_numpy(np.stack([s.parts for s in crowd])).float()[None]
        boxes = torch.from_numpy(np.stack([s.box for s in crowd])).float()[None]
        batch = targets.Fusion(torch.from_numpy(answer)[None], targets.People(parts, boxes)).target()[0].numpy()
        single = Fusion(answer, crowd).target()
        unknown = single == UNKNOWN
        self.assertGreater(unknown.sum(), 50)
        self.assertGreater((np.isnan(batch) == unknown).mean(), 0.995)
        both = ~unknown & ~np.isnan(batch)
        self.assertGreater((np.abs(batch[both] - single[both] / 127) < 0.02).mean(), 0.995)

    def test_averages_as_fuse_does(self) -> None:
        large = np.rint(maps_of([standing(256, 120, 280).parts], 64, 64) * 127).astype(np.int8)
        batch = targets.averaged_down(torch.from_numpy(large[None] / np.float32(127)))[0].numpy()
        self.assertLess(np.abs(batch - averaged_down(large))[:PARTS, 1:-1, 1:-1].max(), 1e-4)

    def test_people_move_with_their_pixels(self) -> None:
        torch.manual_seed(3)
        picture = torch.zeros(1, 3, 96, 96, dtype=torch.uint8)
        somebody = standing(48, 20, 60)
        for x, y, _ in somebody.parts.astype(int):
            picture[0, :, y - 1 : y + 2, x - 1 : x + 2] = 255
        parts = torch.zeros(1, PEOPLE, PARTS, 3)
        boxes = torch.zeros(1, PEOPLE, 4)
        parts[0, 0], boxes[0, 0] = torch.from_numpy(somebody.parts), torch.from_numpy(somebody.box)
        people = targets.People(parts, boxes)
        album = Album(picture, torch.tensor([[96.0, 96.0]]), people, torch.ones(1))
        settings = config.load()["canvas"] | {"pasted": [1.0], "crowd": 0.0, "upside_down": 0.5}
        canvas, people = DeviceComposer(album, settings).compose(6)
        wide = (people.boxes[..., 2:] - people.boxes[..., :2]).amin(-1) > 20
        seen = (people.parts[..., 2] == KNOWN) & wide[..., None]
        at = (people.parts[..., :2] * 2 + 0.5).round().long().clamp(0, 2 * SIDE - 1)
        rows = torch.arange(6)[:, None, None].expand(at.shape[:3])
        bright = canvas.amax(1)[rows, at[..., 1], at[..., 0]][seen]
        self.assertGreater(len(bright), 30)
        self.assertGreater((bright > 150).float().mean(), 0.9)


class People(unittest.TestCase):
    def test_two_opinions_make_a_part_certain_or_doubtful(self) -> None:
        label = standing(0, 0, 100).parts
        label[:, 2] = GUESS
        other = label.copy()
        other[:, 2] = KNOWN
        other[3, :2] += 60
        other[4, 2] = NOTHING
        state = weighed(label, other, 100)[:, 2]
        self.assertEqual(state[2], KNOWN)
        self.assertEqual(state[3], GUESS)
        self.assertEqual(state[4], GUESS)

    def test_sports_labels_lack_the_face(self) -> None:
        parts = parts_of_lsp(np.array([[i, i, 1] for i in range(14)], np.float32))
        self.assertEqual(parts[[0, 14, 15, 16, 17], 2].tolist(), [NOTHING] * 5)
        self.assertEqual(parts[4, 0], 6)  # the right wrist


class Canvases(unittest.TestCase):
    def test_people_move_with_their_photograph(self) -> None:
        somebody = standing(50, 20, 60)
        turned = moved(somebody, placement(somebody.middle(), 2, 90, np.array([128, 128])))
        self.assertAlmostEqual(turned.lean() - somebody.lean(), 90, places=3)
        self.assertIsNone(cut(turned, (0, 0, 20, 20)))

    def test_composes_what_it_is_told_to(self) -> None:
        settings = config.load()["canvas"]
        image = np.full((120, 100, 3), 90, np.uint8)
        composer = Composer(settings, lambda _: Shot(image, [standing(50, 20, 60)]))
        canvases = [composer.compose(np.random.default_rng(n)) for n in range(12)]
        self.assertTrue(all(isinstance(c, Canvas) and c.image.shape == (2 * SIDE, 2 * SIDE, 3) for c in canvases))
        self.assertTrue(any(len(c.people) > 1 for c in canvases))


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


class FastConvolution(unittest.TestCase):
    def test_it_and_its_gradients_are_those_of_a_plain_one(self) -> None:
        if compiled() is None:
            self.skipTest("no compiler of C")
        torch.manual_seed(1)
        for dilation in (1, 2, 4):
            layer = Conv3x3(16, 32, dilation=dilation)
            pictures = torch.randn(3, 16, 24, 20, requires_grad=True)
            answers = layer(pictures), nn.functional.conv2d(pictures, layer.weight, None, 1, dilation, dilation)
            self.assertIn("Winograd", str(answers[0].grad_fn))
            weights = torch.randn_like(answers[0])
            gradients = [torch.autograd.grad(a, (pictures, layer.weight), weights) for a in answers]
            for fast, plain in zip((answers[0], *gradients[0]), (answers[1], *gradients[1]), strict=True):
                self.assertLess(float((fast - plain).abs().max().detach()), 1e-3)

    def test_other_sizes_are_left_to_pytorch(self) -> None:
        for layer, side in ((Conv3x3(16, 16, dilation=2), 15), (Conv3x3(16, 16, stride=2), 16), (Conv3x3(3, 16), 16)):
            self.assertFalse(fits(torch.zeros(1, layer.in_channels, side, side), layer))


class Start(unittest.TestCase):
    SHIPPED = Path(__file__).parents[1] / "zoo/openpose-lite/openpose-lite.onnx"

    def test_the_shipped_network_goes_on_as_it_was(self) -> None:
        network = PoseNet(config.load()["network"])
        load_plain(network, weights_of(self.SHIPPED))
        drawn = [scene(np.random.default_rng(n), SIDE).image for n in range(4)]
        pictures = [torch.from_numpy(d.copy()).permute(2, 0, 1)[None].float() for d in drawn]
        measure_norms(network, pictures)
        self.assertLess(largest_difference(network, self.SHIPPED, pictures[0]), 1e-3)
        heat = network(pictures[0])[0][:, :PARTS].detach()
        self.assertGreater(float(heat.max()), 0.3)  # it sees somebody
        for block in network.modules():
            if isinstance(block, ConvBlock):
                lengths = block[0].weight.flatten(1).norm(dim=1)
                self.assertLess(float(lengths.max()), 1.001)
        with torch.no_grad():
            network.train()
            again = network(torch.cat(pictures))[0][:1, :PARTS]  # by the norms of these very pictures
        self.assertLess(float((again - heat).abs().max()), 1e-3)


class Runs(unittest.TestCase):
    def test_goes_on_from_a_file_with_or_without_the_memory_of_optimizers(self) -> None:
        settings = config.load()
        run = state.fresh(settings, torch.device("cpu"))
        stages = run.network.stages(torch.rand(2, 3, 64, 64) * 255)
        run.step_down(map_loss(stages, torch.ones(2, HEATMAPS + 38, 8, 8), 4.0, 0.5), 0.5)
        run.follow(0.9)
        self.assertEqual(run.step, 1)
        for whole in (True, False):
            with tempfile.TemporaryDirectory() as name:
                file = Path(name) / "newest.pt"
                state.save(run, file, optimizers=whole)
                other = state.fresh(settings, torch.device("cpu"))
                state.load(other, file)
            self.assertEqual(other.step, 1)
            self.assertTrue(torch.equal(other.network.final.pafs.bias, run.network.final.pafs.bias))
            self.assertEqual(bool(other.optimizers[0].state), whole)


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
            whole = shards.Shard(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 57, 1, 1), np.int8))
            shards.write(folder / "photos-0000", whole)
            (folder / "photos-0001.part").mkdir()
            self.assertEqual([p.name for p in shards.complete(folder, "photos")], ["photos-0000"])


if __name__ == "__main__":
    unittest.main()
