"""Reads config.toml: one place for every number that decides the weights."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

DEFAULT = Path(__file__).with_name("config.toml")


def load(path: Path = DEFAULT) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)
