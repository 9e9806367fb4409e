"""How many threads to compute with on a machine that others use as well.

A parallel loop waits for its slowest thread, so a thread that has to share its core slows the others down: two threads
on a busy machine of two cores did half the work of one."""

from __future__ import annotations

import os
import time
from pathlib import Path


class FreeCores:
    def __init__(self) -> None:
        self._last = self._reading()

    def count(self) -> int:
        """Cores that other programs left free since the last call, at least one."""
        before, self._last = self._last, self._reading()
        seconds = self._last[0] - before[0]
        others = max(0.0, (self._last[1] - before[1]) - (self._last[2] - before[2])) / max(seconds, 1e-3)
        return max(1, round((os.cpu_count() or 1) - others - 0.15))

    @staticmethod
    def _reading() -> tuple[float, float, float]:
        """Now, the seconds that all cores were busy, and those of this process."""
        user, nice, system, _, _, irq, soft, *_ = (int(v) for v in Path("/proc/stat").read_text().split()[1:11])
        busy = (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy, time.process_time()
