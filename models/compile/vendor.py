"""The vendor's compilers: their command lines, running one, and a look at what it wrote."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import DeviceError, ModelError, UsageError

TARGETS = ("inf1", "inf2", "trn1", "trn2")
HEADER = 1024  # bytes of a NEFF's header


@dataclass
class Options:
    target: str
    cast: str = "bf16"
    cores: int | None = None
    fast_switch: bool = False

    @property
    def precision(self) -> str:
        return "bf16" if self.cast == "bf16" else "f32"

    def check(self) -> None:
        if self.cores is None or (self.target == "inf1" and 1 <= self.cores <= 64):
            return
        if self.target == "inf1":
            raise UsageError(f"--cores-per-model {self.cores}: 1 to 64 on inf1")
        if self.target == "trn2" and self.cores not in (1, 2):
            raise UsageError(f"--cores-per-model {self.cores}: trn2 shards a model over 1 or 2 cores")
        if self.target in ("inf2", "trn1") and self.cores != 1:
            raise UsageError(f"--cores-per-model {self.cores}: neuronx-cc compiles for one core of {self.target}")


def hlo_command(options: Options, hlo: Path, neff: Path) -> list[str]:
    """An HLO module to a NEFF."""
    if options.target == "inf1":
        command = ["neuron-cc", "compile", str(hlo), "--framework", "XLA"]
        return [*command, *_inf1_flags(options), "--output", str(neff)]
    command = ["neuronx-cc", "compile", str(hlo), "--framework", "XLA", "--target", options.target]
    command += (
        ["--auto-cast", "matmult", "--auto-cast-type", "bf16"] if options.cast == "bf16" else ["--auto-cast", "none"]
    )
    if options.target == "trn2" and options.cores is not None:
        command += ["-lnc", str(options.cores)]
    if options.fast_switch:
        command.append("--enable-fast-context-switch")
    return [*command, "--output", str(neff)]


def graph_command(options: Options, graph: Path, io_config: Path, neff: Path) -> list[str]:
    """A frozen TensorFlow graph to a NEFF for Inf1."""
    command = ["neuron-cc", "compile", str(graph), "--framework", "TENSORFLOW", "--io-config", str(io_config)]
    return [*command, *_inf1_flags(options), "--output", str(neff)]


def _inf1_flags(options: Options) -> list[str]:
    flags = ["--fast-math", "all" if options.cast == "bf16" else "none"]
    return [*flags, "--neuroncore-pipeline-cores", str(options.cores)] if options.cores is not None else flags


def require(commands: list[list[str]]) -> None:
    program = commands[0][0]
    if shutil.which(program) is None:
        lines = " && ".join(shlex.join(c) for c in commands)
        raise DeviceError(f"{program} is not on PATH; install AWS Neuron's compiler, or run where it is: {lines}")


def run(command: list[str], made: Path) -> None:
    """Runs a compiler in a folder of its own beside the NEFF; the NEFF goes to `made` when it is whole."""
    neff = Path(command[-1])
    work = neff.with_name(neff.name + ".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    log = neff.with_suffix(".log")
    # The paths on the command line are absolute, so that it does the same from the compiler's own folder.
    command = [*command[:-1], str(work / neff.name)]
    try:
        with (work / "output.txt").open("wb") as stream:
            status = _status(command, work, stream)
        if status != 0:
            _keep_logs(work, log)
            raise ModelError(f"{command[0]} ended with {_ending(status)} for {neff.name}: {_last_line(log)}; see {log}")
        _check(work / neff.name, command[0])
        (work / neff.name).replace(made)
        log.unlink(missing_ok=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _status(command: list[str], work: Path, stream) -> int:
    """In a process group of its own, since the compilers start processes of their own."""
    try:
        process = subprocess.Popen(
            command, cwd=work, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        raise DeviceError(f"{command[0]} cannot be started: {error.strerror}") from error
    try:
        return process.wait()
    except BaseException:
        _stop(process, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            _stop(process, signal.SIGKILL)
            process.wait()
        raise


def _stop(process: subprocess.Popen, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


def _keep_logs(work: Path, log: Path) -> None:
    texts = [f.read_bytes() for f in (work / "log-neuron-cc.txt", work / "output.txt") if f.is_file()]
    log.write_bytes(b"".join(texts))


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def _check(neff: Path, compiler: str) -> None:
    """The header says how long header and payload are."""
    if not neff.is_file():
        raise ModelError(f"{compiler} reported success but wrote no {neff.name}")
    with neff.open("rb") as stream:
        header = stream.read(HEADER)
    size = neff.stat().st_size
    if len(header) == HEADER:
        _, header_size, data_size = struct.unpack_from("<QQQ", header)
        if header_size == HEADER and header_size + data_size <= size and data_size > 0:
            return
    raise ModelError(f"{compiler} wrote a {neff.name} that is not a NEFF ({size} bytes)")
