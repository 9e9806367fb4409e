"""Runs the tool by its path: no variable leads to it, which the vendor's compilers would inherit, and the folder that
it is called in holds no modules of ours."""

import runpy
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])
runpy.run_module("compile", run_name="__main__", alter_sys=True)
