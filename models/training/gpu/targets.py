"""What fuse.py does for one picture, for a batch of them on the device: the same rules, as arithmetic on whole maps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from ..canvases.fuse import AGREES, FIELD_GAIN, HEAT_GAIN, NEAR, SILENT, SMOOTHING
from ..canvases.photographs import KNOWN, NOTHING
from ..canvases.truth import FIELD, FIELD_SHIFT, FIELD_SIGMA, PEAK, SIGMA, STRIDE
from ..skeleton import HEATMAPS, LIMBS, PARTS

VAGUE_BELOW = 4
TINY = 1e-6


@dataclass
class People:
    """Of a batch of canvases, in the student's pixels; rows of zeros where nobody is."""

    parts: torch.Tensor  # (canvases, people, 18, 3): x, y, state
    boxes: torch.Tensor  # (canvases, people, 4)


def averaged_down(maps: torch.Tensor) -> torch.Tensor:
    """(n, 57, h, w) at twice the size to the student's grid."""
    mean = functional.avg_pool2d(maps.float(), 2)
    side = torch.exp(torch.tensor(-0.5 / SMOOTHING**2))
    taps = torch.stack([side, torch.tensor(1.0), side]) / (1 + 2 * side)
    kernel = torch.outer(taps, taps).to(maps.device)[None, None].expand(maps.shape[1], 1, 3, 3)
    smooth = functional.conv2d(functional.pad(mean, (1, 1, 1, 1), "reflect"), kernel, groups=maps.shape[1])
    gain = torch.full((maps.shape[1], 1, 1), FIELD_GAIN, device=maps.device)
    gain[:PARTS] = HEAT_GAIN
    gain[PARTS] = 1
    return (smooth * gain).clamp(-1, 1)


def grid(teacher: torch.Tensor) -> torch.Tensor:
    """(h, w, 2): places of the cells, x first."""
    rows, columns = (torch.arange(n, device=teacher.device, dtype=torch.float32) for n in teacher.shape[2:])
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)


def inside(boxes: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """(canvases, people, h, w)."""
    low, high = (boxes - (STRIDE - 1) / 2).div(STRIDE)[:, :, None, None].split(2, -1)
    return ((cells >= low.floor()) & (cells <= high.ceil())).all(-1)


class Fusion:
    def __init__(self, teacher: torch.Tensor, people: People) -> None:
        """Teacher: (n, 57, h, w) averaged down."""
        self._teacher = teacher
        self._maps = teacher.clone()
        self._unknown = torch.zeros_like(teacher, dtype=torch.bool)
        self._cells = grid(teacher)
        self._state = people.parts[..., 2]
        self._places = (people.parts[..., :2] - (STRIDE - 1) / 2) / STRIDE
        there = (people.boxes[..., 2:] > people.boxes[..., :2]).all(-1)
        self._inside = inside(people.boxes, self._cells) & there[..., None, None]
        self._ignore_silence()
        self._parts()
        self._limbs()

    def target(self) -> torch.Tensor:
        """NaN where nobody knows."""
        parts = self._maps[:, :PARTS].masked_fill(self._unknown[:, :PARTS], 0)
        self._maps[:, PARTS] = 1 - parts.amax(1).clamp(0, 1)
        self._unknown[:, PARTS] = self._unknown[:, :PARTS].any(1)
        return self._maps.masked_fill(self._unknown, torch.nan)

    def _ignore_silence(self) -> None:
        vague = (self._state == KNOWN).sum(2) < VAGUE_BELOW
        boxes = (self._inside & vague[..., None, None]).any(1)
        self._unknown |= boxes[:, None] & (self._teacher.abs() < SILENT)

    def _parts(self) -> None:
        for part in range(PARTS):
            state, answer = self._state[:, :, part, None, None], self._teacher[:, part, None]
            distance = (self._cells - self._places[:, :, part, None, None]).norm(dim=-1)  # (n, people, h, w)
            there, known, close = state > NOTHING, state == KNOWN, distance <= NEAR
            in_view = close.any((2, 3), keepdim=True)
            agrees = answer.where(close, 0).amax((2, 3), keepdim=True) >= AGREES
            claimed = (there & (distance <= 2 * NEAR)).any(1)
            doubtful = (self._inside & known).any(1) & (answer[:, 0] > SILENT) & ~claimed
            guessed = there & ~known & ~agrees & (distance <= 2 * NEAR) & (answer < SILENT)
            drawn = known & ~agrees & in_view
            peaks = (PEAK * torch.exp(-(distance**2) / (2 * SIGMA**2))).where(drawn, 0).amax(1)
            self._maps[:, part] = torch.maximum(self._maps[:, part], peaks)
            unknown = self._unknown[:, part] | doubtful | guessed.any(1)
            self._unknown[:, part] = unknown & ~(drawn & close).any(1)

    def _limbs(self) -> None:
        for a, b, x, y in LIMBS:
            start, end = self._places[:, :, a], self._places[:, :, b]
            state = torch.minimum(self._state[:, :, a], self._state[:, :, b])
            along = end - start
            unit = along / (along.norm(dim=-1, keepdim=True) + TINY)
            open_ = (state > NOTHING) & ~self._confirmed(x, y, start, along, unit)
            near = self._distance(start, along, 0) <= NEAR
            unknown = (near & open_[..., None, None]).any(1)
            strength = FIELD * torch.exp(-(self._distance(start, along, FIELD_SHIFT) ** 2) / (2 * FIELD_SIGMA**2))
            strength = strength.where((open_ & (state == KNOWN))[..., None, None], 0)
            strongest, whose = strength.max(1)
            belongs = strongest > SILENT
            for channel, axis in ((HEATMAPS + x, 0), (HEATMAPS + y, 1)):
                direction = unit[..., axis].gather(1, whose.flatten(1)).view_as(strongest)
                field = self._maps[:, channel]
                self._maps[:, channel] = torch.where(belongs, strongest * direction, field)
                self._unknown[:, channel] = (self._unknown[:, channel] | unknown) & ~belongs

    def _distance(self, start: torch.Tensor, along: torch.Tensor, shift: float) -> torch.Tensor:
        """(n, people, h, w) of each cell to each limb."""
        offset = self._cells - shift - start[:, :, None, None]
        way = along[:, :, None, None]
        share = ((offset * way).sum(-1) / ((way**2).sum(-1) + TINY)).clamp(0, 1)
        return (offset - share[..., None] * way).norm(dim=-1)

    def _confirmed(self, x: int, y: int, start: torch.Tensor, along: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
        """(n, people): whether the teacher's field runs along the limb."""
        height, width = self._teacher.shape[2:]
        shares = torch.linspace(0.1, 0.9, 7, device=start.device)[:, None]
        at = (start[:, :, None] + shares * along[:, :, None]).round().long()
        cell = at[..., 1].clamp(0, height - 1) * width + at[..., 0].clamp(0, width - 1)
        fields = [self._teacher[:, HEATMAPS + c].flatten(1).gather(1, cell.flatten(1)).view(cell.shape) for c in (x, y)]
        return (fields[0] * unit[..., :1] + fields[1] * unit[..., 1:]).mean(-1) >= AGREES
