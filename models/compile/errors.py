"""What ends a run: one line for people and posecam's exit code."""

from __future__ import annotations


class CompileError(Exception):
    code = 1


class UsageError(CompileError):
    """The user asked for something that does not exist or does not fit together."""

    code = 2


class ModelError(CompileError):
    """Descriptor, weights or network."""

    code = 3


class DeviceError(CompileError):
    """The vendor's compiler is not here."""

    code = 4


class OutputError(CompileError):
    """Standard output does not take what is printed."""

    code = 5
