"""TensorFlow.js graph models -> OpenVINO IR with halves as weights: python -m convert --out OUT NAME.json..."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from .tfjs import ConvertError, frozen


def convert(file: Path, out: Path) -> list[Path]:
    """OUT/NAME/NAME.xml and .bin, as mirrors have them."""
    import openvino as ov

    folder = out / file.stem
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / f"{file.stem}.pb"
        graph.write_bytes(frozen(file))
        try:
            model = ov.Core().read_model(graph)
        except RuntimeError as error:
            raise ConvertError(f"{file}: OpenVINO does not read it: {str(error).strip().splitlines()[-1]}") from error
        ov.save_model(model, folder / f"{file.stem}.xml", compress_to_fp16=True)
    return [folder / f"{file.stem}.xml", folder / f"{file.stem}.bin"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m convert", description=__doc__.rsplit(":", 1)[0])
    parser.add_argument("models", nargs="+", type=Path, metavar="NAME.json", help="with its .bin beside it")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets a folder for each model: a mirror")
    options = parser.parse_args()
    try:
        for file in options.models:
            for written in convert(file, options.out):
                print(f"{hashlib.sha256(written.read_bytes()).hexdigest()}  {written}")
    except (ConvertError, OSError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
