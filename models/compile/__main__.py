"""Compiles a network into NEFFs for AWS Neuron, one a batch size, and writes the descriptor that lists them: python -m
compile --help"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from pathlib import Path
from typing import NoReturn

from . import descriptor, vendor
from .errors import CompileError, DeviceError, OutputError, UsageError

INTERRUPTED = 130
REQUIREMENTS = Path(__file__).resolve().with_name("requirements.txt")


def batches(text: str) -> list[int]:
    values = [int(v) for v in text.split(",") if re.fullmatch("[0-9]{1,4}", v)]
    if len(values) != text.count(",") + 1 or not all(1 <= v <= descriptor.MAX_BATCH for v in values):
        raise argparse.ArgumentTypeError(f"{text}: numbers from 1 to {descriptor.MAX_BATCH}, separated by commas")
    return sorted(set(values))


def size(text: str) -> tuple[int, int]:
    match = re.fullmatch("([0-9]{1,4})x([0-9]{1,4})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text}: WIDTHxHEIGHT")
    return int(match[1]), int(match[2])


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m compile", description=__doc__.rsplit(":", 1)[0])
    result.add_argument("--descriptor", type=Path, required=True, help="the network's descriptor, as in zoo/")
    result.add_argument(
        "--weights", type=Path, required=True, help="ONNX, OpenVINO IR (.xml), TFLite, or frozen graph (.pb)"
    )
    result.add_argument("--target", choices=vendor.TARGETS, required=True)
    result.add_argument("--batch", type=batches, default=[1], help="batch sizes, one NEFF each: 1,2,4 (default 1)")
    result.add_argument("--out", type=Path, required=True, help="folder for NEFFs and their descriptor")
    result.add_argument(
        "--cores-per-model", type=int, metavar="C", help="inf1: pipeline over C cores; trn2: shard over 1 or 2"
    )
    result.add_argument("--cast", choices=("bf16", "none"), default="bf16", help="f32 to bf16 in products of matrices")
    result.add_argument(
        "--no-fuse",
        nargs="+",
        action="extend",
        default=[],
        metavar="OP",
        help="operators at either end left to the CPU",
    )
    result.add_argument("--net-resolution", type=size, metavar="WxH", help="input size (default: the descriptor's)")
    result.add_argument(
        "--enable-fast-context-switch",
        action="store_true",
        help="inf2, trn with several batches: latency for switching",
    )
    result.add_argument("--dry-run", action="store_true", help="print what would be done and write nothing")
    return result


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter says so again at its end
        raise OutputError(f"standard output: cannot write: {error.strerror}") from None


def run(arguments: list[str]) -> None:
    options = parser().parse_args(arguments)
    from . import plan  # needs packages whose absence is to be one line

    source = descriptor.at_resolution(descriptor.load(options.descriptor), options.net_resolution)
    target = vendor.Options(options.target, options.cast, options.cores_per_model, options.enable_fast_context_switch)
    if target.fast_switch and (target.target == "inf1" or len(options.batch) < 2):
        raise UsageError("--enable-fast-context-switch is for several batches compiled for inf2, trn1 or trn2")
    work = plan.make(source, options.weights, options.batch, target, options.no_fuse, options.out)
    if options.dry_run:
        say("\n".join(work.lines()))
    else:
        for note in work.notes:
            say(f"left to the CPU: {note}")
        work.carry_out(say)


def interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def guarded(name: str, function, arguments: list[str]) -> int:
    """posecam's exit codes; every failure is one line."""
    signal.signal(signal.SIGTERM, interrupt)
    try:
        function(arguments)
    except CompileError as error:
        line = "".join(c if c.isprintable() else "?" for c in str(error))  # names come from files
        print(f"{name}: {line}", file=sys.stderr)
        return error.code
    except ImportError as error:
        print(
            f"{name}: {sys.executable}: {error}; install what {REQUIREMENTS} lists into it, or name another "
            "interpreter with POSECAM_PYTHON",
            file=sys.stderr,
        )
        return DeviceError.code
    except Exception as error:  # of the packages, for what nobody thought of
        line = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"{name}: {''.join(c if c.isprintable() else '?' for c in line)}", file=sys.stderr)
        return CompileError.code
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(guarded("compile", run, sys.argv[1:]))
