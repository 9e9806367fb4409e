"""Canvases of photographs, composed on the device: what canvas.py does, for a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from ..canvases.canvas import PADDING
from ..canvases.photographs import GUESS, NOTHING
from ..skeleton import LIMBS
from .targets import People

Pair = tuple[torch.Tensor, torch.Tensor]

PEOPLE = 8  # of a photograph
MOST = 24  # of a canvas


@dataclass
class Album:
    """All photographs of a package, on the device."""

    pictures: torch.Tensor  # (n, 3, side, side) uint8, padded at the right and below
    sizes: torch.Tensor  # (n, 2): width, height
    people: People  # of each photograph, the main person first
    chances: torch.Tensor  # (n,)

    def draw(self, count: int) -> torch.Tensor:
        return torch.multinomial(self.chances, count, replacement=True)


def log_uniform(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    return torch.exp(low.log() + torch.rand_like(low) * (torch.maximum(high, low).log() - low.log()))


def uniform(like: torch.Tensor, low: float, high: float) -> torch.Tensor:
    return low + (high - low) * torch.rand_like(like)


def stature(people: People) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Height standing, middle, and lean in degrees, of the (n, 18, 3) parts and (n, 4) boxes of main people."""
    parts, boxes = people.parts[:, 0], people.boxes[:, 0]
    torso = parts[:, 1, :2] - parts[:, [8, 11], :2].mean(1)
    has_torso = (parts[:, [1, 8, 11], 2] > NOTHING).all(1)
    extent = (boxes[:, 2:] - boxes[:, :2]).amax(1)
    tall = torch.maximum(extent, 2.8 * torso.norm(dim=1) * has_torso).clamp_min(8)
    lean = torch.rad2deg(torch.atan2(torso[:, 0], -torso[:, 1])) * has_torso
    return tall, (boxes[:, :2] + boxes[:, 2:]) / 2, lean


def placement(middle: torch.Tensor, scale: torch.Tensor, angle: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(n, 2, 3): turns clockwise, scales, puts a point at another."""
    turn = torch.deg2rad(angle)
    cos, sin = scale * turn.cos(), scale * turn.sin()
    linear = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    return torch.cat([linear, (at - (linear @ middle[..., None])[..., 0])[..., None]], 2)


def moved(people: People, matrix: torch.Tensor) -> People:
    def move(points: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nij,npkj->npki", matrix[:, :, :2], points) + matrix[:, None, None, :, 2]

    x0, y0, x1, y1 = people.boxes.unbind(-1)
    corners = move(torch.stack([torch.stack(c, -1) for c in ((x0, y0), (x1, y0), (x0, y1), (x1, y1))], 2))
    parts = torch.cat([move(people.parts[..., :2]), people.parts[..., 2:]], -1)
    there = (x1 > x0)[..., None]
    return People(parts, torch.cat([corners.amin(2), corners.amax(2)], -1) * there)


def cut(people: People, tiles: torch.Tensor) -> People:
    """What is left inside of the (n, 4) tiles."""
    low, high = tiles[:, None, :2], tiles[:, None, 2:]
    boxes = torch.cat([people.boxes[..., :2].maximum(low), people.boxes[..., 2:].minimum(high)], -1)
    left = (boxes[..., 2:] - boxes[..., :2] >= 4).all(-1) & (people.boxes[..., 2] > people.boxes[..., 0])
    points = people.parts[..., :2]
    seen = ((points >= low[:, :, None]) & (points < high[:, :, None])).all(-1) & left[..., None]
    return People(torch.cat([points, (people.parts[..., 2] * seen)[..., None]], -1), boxes * left[..., None])


def warped(
    pictures: torch.Tensor, sizes: torch.Tensor, matrix: torch.Tensor, side: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, 3, side, side) floats, and which pixels of them lie inside of the photographs."""
    inverse = torch.linalg.inv(matrix[:, :, :2])
    pixels = torch.arange(side, device=matrix.device, dtype=torch.float32)
    places = torch.stack(torch.meshgrid(pixels, pixels, indexing="xy"), -1)
    source = torch.einsum("nij,hwnj->nhwi", inverse, places[:, :, None] - matrix[:, :, 2])
    whole = pictures.shape[-1]
    inside = ((source >= -0.5) & (source <= sizes[:, None, None] - 0.5)).all(-1)
    source = torch.minimum(source.clamp_min(0), sizes[:, None, None] - 1)
    at = (2 * source + 1) / whole - 1
    return functional.grid_sample(pictures.float(), at, align_corners=False, padding_mode="border"), inside


class Composer:
    def __init__(self, album: Album, settings: dict[str, Any]) -> None:
        self._album = album
        self._settings = settings
        self._side = 2 * settings["side"]
        self._device = album.pictures.device
        self._sizes = [2.0 * s for s in settings["person_px"]]

    def compose(self, count: int) -> tuple[torch.Tensor, People]:
        """(n, 3, 2 * side, 2 * side) pixels, and everybody in the student's pixels."""
        self._canvas = torch.full((count, 3, self._side, self._side), float(PADDING), device=self._device)
        self._everybody: list[People] = []
        layouts = torch.tensor(self._settings["layouts"], device=self._device)
        chances = torch.tensor(self._settings["chances"], device=self._device)
        layout = layouts[torch.multinomial(chances, count, replacement=True)]
        edges = [self._edges(layout[:, axis]) for axis in (0, 1)]
        for slot in range(int(layout.prod(1).max())):
            column, row = slot % layout[:, 0], slot // layout[:, 0]
            self._fill((row < layout[:, 1]).nonzero()[:, 0], *edges, column, row)
        pasted = torch.multinomial(torch.tensor(self._settings["pasted"]), count, replacement=True)
        pasted += 4 * (torch.rand(count) < self._settings["crowd"])
        for number in range(int(pasted.max())):
            self._paste((pasted > number).nonzero()[:, 0].to(self._device))
        return self._canvas, self._people()

    def _edges(self, counts: torch.Tensor) -> torch.Tensor:
        """(n, 4) of the borders between up to three columns or rows."""
        numbers = torch.arange(4, device=self._device).expand(len(counts), 4)
        jitter = uniform(numbers.float(), -0.25, 0.25) * ((numbers > 0) & (numbers < counts[:, None]))
        return ((numbers + jitter) / counts[:, None]).clamp(0, 1).mul(self._side).floor()

    def _fill(
        self, rows: torch.Tensor, x: torch.Tensor, y: torch.Tensor, column: torch.Tensor, row: torch.Tensor
    ) -> None:
        column, row = column[rows, None], row[rows, None]
        low = torch.cat([x[rows].gather(1, column), y[rows].gather(1, row)], 1)
        high = torch.cat([x[rows].gather(1, column + 1), y[rows].gather(1, row + 1)], 1)
        which = self._album.draw(len(rows))
        people = People(self._album.people.parts[which], self._album.people.boxes[which])
        matrix = self._covering(people, self._album.sizes[which], high - low)
        whole = torch.rand(len(rows), device=self._device) < self._settings["letterboxed"]
        matrix = torch.where(whole[:, None, None], self._letterboxed(self._album.sizes[which], high - low), matrix)
        matrix[:, :, 2] += low
        layer, inside = warped(self._album.pictures[which], self._album.sizes[which], matrix, self._side)
        padded = whole | (torch.rand(len(rows), device=self._device) < 0.5)
        layer = torch.where((inside | ~padded[:, None, None])[:, None], layer, float(PADDING))
        tile = torch.cat([low, high], 1)
        self._canvas[rows] = torch.where(self._mask(tile), layer, self._canvas[rows])
        self._add(rows, cut(moved(people, matrix), tile))

    def _mask(self, tile: torch.Tensor) -> torch.Tensor:
        pixels = torch.arange(self._side, device=self._device)
        x = (pixels >= tile[:, 0, None]) & (pixels < tile[:, 2, None])
        y = (pixels >= tile[:, 1, None]) & (pixels < tile[:, 3, None])
        return (y[:, :, None] & x[:, None, :])[:, None]

    def _angle(self, lean: torch.Tensor) -> torch.Tensor:
        kind = torch.rand_like(lean)
        turn = torch.where(kind < 0.2, uniform(lean, -40, 40), 6 * torch.randn_like(lean))
        upright = (lean.abs() > 50) & (torch.rand_like(lean) < self._settings["upright"])
        turn = turn - lean * upright
        return torch.where(kind < self._settings["upside_down"], 180 + 15 * torch.randn_like(lean), turn)

    @staticmethod
    def _letterboxed(sizes: torch.Tensor, room: torch.Tensor) -> torch.Tensor:
        scale = (room / sizes).amin(1) * uniform(room[:, 0], 0.5, 1)
        corner = torch.rand_like(room) * (room - sizes * scale[:, None]) * (torch.rand_like(room[:, :1]) < 0.5)
        zeros = torch.zeros_like(scale)
        linear = torch.stack([torch.stack([scale, zeros], -1), torch.stack([zeros, scale], -1)], 1)
        return torch.cat([linear, corner[..., None]], 2)

    def _covering(self, people: People, sizes: torch.Tensor, room: torch.Tensor) -> torch.Tensor:
        tall, middle, lean = stature(people)
        angle = self._angle(lean)
        steep = angle.abs() > 12
        cover = (room / sizes).amax(1) * (1 + 0.15 * steep)
        low = torch.maximum(self._sizes[0] / tall, cover)
        scale = log_uniform(low, torch.minimum(self._sizes[1] / tall, 2.5 * low))
        at = room * uniform(room, 0.3, 0.7)
        at[:, 1] += uniform(tall, -0.15, 0.35) * (tall * scale - room[:, 1]).clamp_min(0)
        covering = torch.minimum(torch.maximum(at, room - (sizes - middle) * scale[:, None]), middle * scale[:, None])
        return placement(middle, scale, angle, torch.where(steep[:, None], at, covering))

    def _paste(self, rows: torch.Tensor) -> None:
        which = self._album.draw(len(rows))
        people = People(self._album.people.parts[which, :1], self._album.people.boxes[which, :1])
        tall, middle, lean = stature(people)
        size = log_uniform(torch.full_like(tall, self._sizes[0]), torch.full_like(tall, 0.6 * self._side))
        at = torch.rand_like(middle) * self._side
        matrix = placement(middle, size / tall, self._angle(lean), at)
        layer, inside = warped(self._album.pictures[which], self._album.sizes[which], matrix, self._side)
        there = moved(people, matrix)
        mask = self._silhouette(there, size) * inside[:, None]
        self._canvas[rows] += mask * (layer - self._canvas[rows])
        self._hide(rows, mask[:, 0])
        frame = torch.tensor([[0.0, 0.0, self._side, self._side]], device=self._device).expand(len(rows), 4)
        self._add(rows, cut(there, frame))

    def _silhouette(self, people: People, size: torch.Tensor) -> torch.Tensor:
        """(n, 1, side, side): 1 about the limbs of one person each, falling to 0; nothing where few are known."""
        coarse = self._side // 4
        pixels = torch.arange(coarse, device=self._device) * 4.0 + 1.5
        places = torch.stack(torch.meshgrid(pixels, pixels, indexing="xy"), -1)
        mask = torch.zeros(len(size), coarse, coarse, device=self._device)
        parts = people.parts[:, 0]
        for a, b, *_ in LIMBS:
            start, along = parts[:, a, :2], parts[:, b, :2] - parts[:, a, :2]
            known = (parts[:, a, 2] > NOTHING) & (parts[:, b, 2] > NOTHING)
            offset = places - start[:, None, None]
            share = (offset * along[:, None, None]).sum(-1) / ((along**2).sum(1) + 1e-6)[:, None, None]
            distance = (offset - share.clamp(0, 1)[..., None] * along[:, None, None]).norm(dim=-1)
            thick = (0.11 if {a, b} <= {1, 2, 5, 8, 11} else 0.065) * size
            mask = torch.maximum(mask, ((distance <= thick[:, None, None]) & known[:, None, None]).float())
        return functional.interpolate(mask[:, None], scale_factor=4, mode="bilinear", align_corners=False)

    def _hide(self, rows: torch.Tensor, mask: torch.Tensor) -> None:
        for people in self._everybody:
            points = people.parts[rows]
            at = points[..., :2].round().long().clamp(0, self._side - 1)
            cell = (at[..., 1] * self._side + at[..., 0]).flatten(1)
            covered = mask.flatten(1).gather(1, cell).view(at.shape[:-1]) > 0.5
            state = torch.where(covered & (points[..., 2] > NOTHING), float(GUESS), points[..., 2])
            people.parts[rows] = torch.cat([points[..., :2], state[..., None]], -1)

    def _add(self, rows: torch.Tensor, people: People) -> None:
        count = len(self._canvas)
        parts = torch.zeros(count, *people.parts.shape[1:], device=self._device)
        boxes = torch.zeros(count, *people.boxes.shape[1:], device=self._device)
        parts[rows], boxes[rows] = people.parts, people.boxes
        self._everybody.append(People(parts, boxes))

    def _people(self) -> People:
        """The largest ones, in the student's pixels."""
        parts = torch.cat([p.parts for p in self._everybody], 1)
        boxes = torch.cat([p.boxes for p in self._everybody], 1)
        size = (boxes[..., 2:] - boxes[..., :2]).amax(-1)
        chosen = size.topk(min(MOST, size.shape[1]), 1).indices
        parts = parts.gather(1, chosen[..., None, None].expand(-1, -1, *parts.shape[2:])).clone()
        boxes = boxes.gather(1, chosen[..., None].expand(-1, -1, 4))
        parts[..., :2] = (parts[..., :2] + 0.5) / 2 - 0.5
        there = (boxes[..., 2] > boxes[..., 0])[..., None]
        return People(parts, ((boxes + 0.5) / 2 - 0.5) * there)


def spoilt(pixels: torch.Tensor) -> torch.Tensor:
    """What cameras and codecs do to (n, 3, h, w) pixels: gain, offset, contrast and gamma, grey, blur, noise."""
    shape = (len(pixels), 1, 1, 1)
    device = pixels.device

    def normal(spread: float, channels: int = 1) -> torch.Tensor:
        return torch.randn(len(pixels), channels, 1, 1, device=device) * spread

    def chosen(chance: float) -> torch.Tensor:
        return torch.rand(shape, device=device) < chance

    grey = pixels.mean(1, keepdim=True)
    colour = torch.rand(shape, device=device) * 0.8
    pixels = torch.where(chosen(0.2), grey + colour * (pixels - grey), pixels)
    share = (pixels / 255).clamp(0, 1) ** normal(0.25).exp() * normal(0.15).exp() * normal(0.06, 3).exp()
    share = (share - 0.5) * normal(0.15).exp() + 0.5 + normal(0.06)
    small = functional.interpolate(
        functional.avg_pool2d(share, 2), scale_factor=2, mode="bilinear", align_corners=False
    )
    blurred = functional.avg_pool2d(share, 3, 1, 1, count_include_pad=False)
    share = torch.where(chosen(0.12), blurred, torch.where(chosen(0.1), small, share))
    noise = torch.randn_like(share) * (torch.rand(shape, device=device) * 12 + 2) / 255
    share = torch.where(chosen(0.15), share + noise, share)
    return (share.clamp(0, 1) * 255).round()


def mirrored(
    pixels: torch.Tensor, target: torch.Tensor, source: torch.Tensor, sign: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Half of a batch, seen in a mirror."""
    flip = (torch.rand(len(pixels), device=pixels.device) < 0.5)[:, None, None, None]
    other = target.flip(3)[:, source] * sign[:, None, None]
    return torch.where(flip, pixels.flip(3), pixels), torch.where(flip, other, target)
