"""The teacher: human-pose-estimation-0001 through OpenVINO, many pictures in flight."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import openvino as ov

from ..skeleton import CHANNELS, HEATMAPS

HEATMAP_OUTPUT, PAF_OUTPUT = "Mconv7_stage2_L2", "Mconv7_stage2_L1"
STRIDE = 8


class Teacher:
    """Maps of pictures of one size, as int8 with 127 for 1."""

    def __init__(self, model: Path, height: int, width: int) -> None:
        core = ov.Core()
        network = core.read_model(model)
        network.reshape([1, 3, height, width])
        compiled = core.compile_model(network, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
        self._queue = ov.AsyncInferQueue(compiled)
        self._queue.set_callback(self._keep)
        self._shape = (CHANNELS, height // STRIDE, width // STRIDE)
        self._maps = np.empty((0, *self._shape), np.int8)

    def maps(self, images: Iterable[np.ndarray], count: int) -> np.ndarray:
        """(count, 57, h/8, w/8). Pictures are taken from the iterator while earlier ones are being worked on."""
        self._maps = np.zeros((count, *self._shape), np.int8)
        for index, image in enumerate(images):
            data = image.transpose(2, 0, 1)[None].astype(np.float32)
            self._queue.start_async({0: data}, index)
        self._queue.wait_all()
        return self._maps

    def _keep(self, request: ov.InferRequest, index: int) -> None:
        heat = request.get_tensor(HEATMAP_OUTPUT).data[0]
        paf = request.get_tensor(PAF_OUTPUT).data[0]
        self._maps[index, :HEATMAPS] = quantised(heat)
        self._maps[index, HEATMAPS:] = quantised(paf)


def quantised(maps: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(maps * 127), -127, 127).astype(np.int8)
