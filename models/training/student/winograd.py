"""3x3 convolutions with a quarter of the multiplications, for training on a CPU: Winograd's F(4x4, 3x3), for the
gradients, too. After Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2016).

Windows of 6x6 pixels become 36 planes, in each of which the convolution is a product of matrices. The transforms are C,
which is compiled when it is first needed; without a compiler PyTorch's own convolution does the work."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import nn

SOURCE = Path(__file__).with_name("winograd.c")
COMPILER = os.environ.get("CC", "cc")
STEP = 16  # channels
FILTERS = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
TILE = 4


class Shape(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int) for name in ("pictures", "height", "width", "channels", "dilation"))

    def tiles(self) -> int:
        rows, columns = (-(-(side // self.dilation) // TILE) for side in (self.height, self.width))
        return self.dilation**2 * rows * columns


@functools.cache
def compiled() -> ctypes.CDLL | None:
    if not shutil.which(COMPILER):
        return None
    folder = SOURCE.parent / "__pycache__"
    library = folder / f"winograd-{hashlib.sha1(SOURCE.read_bytes()).hexdigest()[:12]}.so"
    if not library.exists():
        folder.mkdir(exist_ok=True)
        part = library.with_suffix(f".{os.getpid()}")
        subprocess.run([COMPILER, "-O3", "-march=native", "-shared", "-fPIC", str(SOURCE), "-o", str(part)], check=True)
        part.rename(library)
    return ctypes.CDLL(str(library))


@functools.cache
def helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count())


def transform(name: str, planes: torch.Tensor, pictures: torch.Tensor, dilation: int) -> None:
    """Runs a function of winograd.c on as many threads as PyTorch uses."""
    count, channels, height, width = pictures.shape
    shape = Shape(count, height, width, channels, dilation)
    function = getattr(compiled(), name)
    places = [ctypes.c_void_p(t.data_ptr()) for t in (planes, pictures)]
    tasks, threads = count * channels // STEP, torch.get_num_threads()
    edges = [tasks * n // threads for n in range(threads + 1)]
    others = [helpers().submit(function, *places, shape, *edges[n : n + 2]) for n in range(1, threads)]
    function(*places, shape, *edges[:2])
    for other in others:
        other.result()


def planes_for(pictures: torch.Tensor, dilation: int) -> torch.Tensor:
    count, channels, height, width = pictures.shape
    tiles = Shape(count, height, width, channels, dilation).tiles()
    return torch.empty(FILTERS.shape[0] ** 2, count * tiles, channels)


def filters_to_planes(filters: torch.Tensor) -> torch.Tensor:
    """(36, inputs, outputs) of (outputs, inputs, 3, 3)."""
    both = torch.kron(FILTERS, FILTERS)
    outputs, inputs = filters.shape[:2]
    return (both @ filters.permute(2, 3, 1, 0).reshape(9, -1)).view(-1, inputs, outputs)


def planes_to_filters(planes: torch.Tensor) -> torch.Tensor:
    """The adjoint."""
    both = torch.kron(FILTERS, FILTERS)
    inputs, outputs = planes.shape[1:]
    return (both.T @ planes.flatten(1)).view(3, 3, inputs, outputs).permute(3, 2, 0, 1)


def rows_first(pictures: torch.Tensor) -> torch.Tensor:
    return pictures.contiguous(memory_format=torch.channels_last)


class Winograd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: torch.Tensor, filters: torch.Tensor, dilation: int) -> torch.Tensor:
        pictures = rows_first(pictures)
        windows = planes_for(pictures, dilation)
        transform("windows_to_planes", windows, pictures, dilation)
        weights = filters_to_planes(filters)
        ctx.save_for_backward(windows, weights)
        ctx.dilation, ctx.shape = dilation, pictures.shape
        count, _, height, width = pictures.shape
        answer = rows_first(torch.empty(count, filters.shape[0], height, width))
        transform("planes_to_tiles", torch.bmm(windows, weights), answer, dilation)
        return answer

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None]:
        windows, weights = ctx.saved_tensors
        gradient = rows_first(gradient)
        tiles = planes_for(gradient, ctx.dilation)
        transform("tiles_to_planes", tiles, gradient, ctx.dilation)
        filters = planes_to_filters(torch.bmm(windows.transpose(1, 2), tiles))
        pictures = None
        if ctx.needs_input_grad[0]:
            pictures = rows_first(torch.zeros(ctx.shape))
            transform("add_planes_to_windows", torch.bmm(tiles, weights.transpose(1, 2)), pictures, ctx.dilation)
        return pictures, filters, None


def fits(pictures: torch.Tensor, layer: nn.Conv2d) -> bool:
    if layer.stride != (1, 1) or layer.bias is not None or any(c % STEP for c in layer.weight.shape[:2]):
        return False
    single = pictures.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    whole = all(side % layer.dilation[0] == 0 for side in pictures.shape[2:])
    return single and whole and compiled() is not None


class Conv3x3(nn.Conv2d):
    """3x3, padded so that a stride of 1 keeps the size, without a bias."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(inputs, outputs, 3, stride, dilation, dilation, bias=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() and fits(pictures, self):
            return Winograd.apply(pictures, self.weight, self.dilation[0])
        return super().forward(pictures)
