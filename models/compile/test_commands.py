"""The command line, with a stand-in for the compilers; descriptors of the zoo."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

from .test_support import (
    MISSING,
    MODELS,
    Folder,
    model,
    needs_packages,
    node,
    pose_descriptor,
    pose_model,
)

if not MISSING:
    from . import descriptor as descriptors
    from .__main__ import guarded, run
    from .errors import UsageError


# What the vendor's compiler is told is checked, and a NEFF's header is written: the compiler itself cannot be had here.
FAKE_COMPILER = f"""#!{sys.executable}
import os, pathlib, struct, sys, time
assert sys.argv[1] == "compile" and sys.argv[-2] == "--output", sys.argv
with open(os.environ["FAKE_CALLS"] + ".env", "w") as environment:
    environment.write("\\n".join(sorted(os.environ)))
with open(os.environ["FAKE_CALLS"], "a") as calls:
    calls.write(" ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
model, output = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[-1])
assert model.is_file() and not output.exists()
mode = os.environ.get("FAKE_MODE", "good")
if mode == "fail" or (mode == "fail-b4" and "-b4." in model.name):
    print("[ERROR] [NCC_EVRF001] operator is not supported")
    sys.exit(70)
if mode == "hang":
    output.write_bytes(b"half")
    time.sleep(60)
payload = b"" if mode == "empty" else model.read_bytes()[:99]
header = struct.pack("<QQQ", 2, 1024, len(payload)).ljust(1024, b"\\0")
output.write_bytes((b"x" if mode == "foreign" else header) + payload)
"""


class Commands(Folder):
    """The command line, with a stand-in for the vendor's compilers on PATH."""

    def setUp(self) -> None:
        super().setUp()
        self.tools, self.out = self.folder / "tools", self.folder / "out"
        self.tools.mkdir()
        for name in ("neuronx-cc", "neuron-cc"):
            (self.tools / name).write_text(FAKE_COMPILER)
            (self.tools / name).chmod(0o755)
        self.calls = self.folder / "calls"
        self.set_environment(PATH=str(self.tools), FAKE_CALLS=str(self.calls))
        self.weights, self.descriptor = self.folder / "tiny.onnx", self.folder / "tiny.json"
        self.weights.write_bytes(pose_model().SerializeToString())
        self.descriptor.write_text(json.dumps(pose_descriptor()))
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))

    def set_environment(self, **values: str) -> None:
        before = dict(os.environ)
        os.environ.update(values)
        self.addCleanup(lambda: (os.environ.clear(), os.environ.update(before)))

    def arguments(self, *more: str, target: str = "inf2") -> list[str]:
        files = ["--descriptor", str(self.descriptor), "--weights", str(self.weights), "--out", str(self.out)]
        return [*files, "--target", target, *more]

    def compile(self, *more: str, target: str = "inf2") -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = guarded("compile", run, self.arguments(*more, target=target))
            except SystemExit as end:
                code = int(end.code or 0)
        return code, out.getvalue(), err.getvalue()

    def result(self, target: str = "inf2") -> dict[str, Any]:
        return json.loads((self.out / f"neuron-{target}.json").read_text())

    def names(self) -> list[str]:
        return sorted(p.name for p in self.out.iterdir()) if self.out.exists() else []

    def test_one_neff_a_batch_size_is_listed_with_size_and_hash(self) -> None:
        code, _, err = self.compile("--batch", "4,1", "--net-resolution", "64x48")
        self.assertEqual((code, err), (0, ""))
        stems = ["tiny-inf2-b1", "tiny-inf2-b4"]
        self.assertEqual(self.names(), ["neuron-inf2.json", *(s + e for s in stems for e in (".hlo", ".neff"))])
        made = self.result()
        self.assertEqual(set(made["weights"]), {"neuron"})
        self.assertEqual(made["weights"]["neuron"]["target"], "inf2")
        self.assertEqual(made["weights"]["neuron"]["precision"], "bf16")
        files = made["weights"]["neuron"]["files"]
        self.assertEqual(
            [(f["name"], f["batch"], f["bytes"]) for f in files],
            [("tiny-inf2-b1.neff", 1, 1123), ("tiny-inf2-b4.neff", 4, 1123)],
        )
        self.assertTrue(all(len(f["sha256"]) == 64 for f in files))
        first = made["inputs"][0]
        self.assertEqual((first["name"], first["size"], first["batch"]), ("input0", {"width": 64, "height": 48}, 4))
        self.assertNotIn("multiple_of", first)
        self.assertEqual(made["outputs"], ["output0"])
        self.assertEqual(made["decoder"]["heatmaps"], {"output": "output0", "first": 38})

    def test_flags_are_those_of_the_target(self) -> None:
        for target, more, expected in [
            ("inf2", [],
             "neuronx-cc compile HLO --framework XLA --target inf2 --auto-cast matmult --auto-cast-type bf16"),
            ("trn1", ["--cast", "none"], "neuronx-cc compile HLO --framework XLA --target trn1 --auto-cast none"),
            ("trn2", ["--cast", "none", "--cores-per-model", "1"],
             "neuronx-cc compile HLO --framework XLA --target trn2 --auto-cast none -lnc 1"),
            ("inf1", ["--cores-per-model", "4"],
             "neuron-cc compile HLO --framework XLA --fast-math all --neuroncore-pipeline-cores 4"),
        ]:  # fmt: skip
            with self.subTest(target=target):
                self.assertEqual(self.compile(*more, target=target)[0], 0)
                call = self.calls.read_text().splitlines()[-1].replace(str(self.out / f"tiny-{target}-b1.hlo"), "HLO")
                self.assertEqual(call.split(" --output ")[0], expected)
        self.assertEqual(self.result("inf1")["weights"]["neuron"]["precision"], "bf16")

    def test_without_the_compiler_it_ends_with_the_command_behind_the_hlo(self) -> None:
        self.set_environment(PATH=str(self.folder))
        code, _, err = self.compile("--batch", "1,2")
        self.assertEqual(code, 4)
        self.assertEqual(err.count("\n"), 1)
        self.assertIn(f"neuronx-cc compile {self.out}/tiny-inf2-b2.hlo --framework XLA --target inf2", err)
        self.assertEqual(self.names(), ["tiny-inf2-b1.hlo", "tiny-inf2-b2.hlo"])

    def test_a_dry_run_writes_nothing(self) -> None:
        code, out, err = self.compile("--batch", "1,2", "--dry-run", "--no-fuse", "join")
        self.assertEqual((code, err, self.names()), (0, "", []))
        self.assertIn("input0 f32 2x3x16x32 -> output0 f32 2x38x2x4, output1 f32 2x19x2x4", out)
        self.assertIn(f"run   neuronx-cc compile {self.out}/tiny-inf2-b2.hlo", out)
        self.assertIn("left to the CPU: join (Concat)", out)
        self.assertFalse(self.calls.exists())

    def test_a_compiler_that_fails_is_one_line_and_its_log(self) -> None:
        self.set_environment(FAKE_MODE="fail")
        code, _, err = self.compile()
        self.assertEqual((code, err.count("\n")), (3, 1))
        self.assertIn("status 70", err)
        self.assertIn("NCC_EVRF001", err)
        self.assertEqual(self.names(), ["tiny-inf2-b1.hlo", "tiny-inf2-b1.log"])

    def test_a_compiler_that_fails_midway_leaves_the_model_that_worked(self) -> None:
        self.assertEqual(self.compile("--batch", "1,4")[0], 0)
        before = {p.name: p.read_bytes() for p in self.out.iterdir() if p.suffix != ".hlo"}
        self.set_environment(FAKE_MODE="fail-b4")
        code, _, err = self.compile("--batch", "1,4", "--net-resolution", "64x48")
        self.assertEqual((code, err.count("\n")), (3, 1), err)
        after = {p.name: p.read_bytes() for p in self.out.iterdir() if p.suffix not in (".hlo", ".log")}
        self.assertEqual(after, before)

    def test_what_is_not_a_neff_is_not_kept(self) -> None:
        for mode in ("foreign", "empty"):
            self.set_environment(FAKE_MODE=mode)
            code, _, err = self.compile()
            self.assertEqual(code, 3)
            self.assertIn("not a NEFF", err)
            self.assertEqual(self.names(), ["tiny-inf2-b1.hlo"])

    def test_an_interrupt_stops_the_compiler_and_leaves_no_half_file(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.calls.unlink(missing_ok=True)
            environment = {**os.environ, "FAKE_MODE": "hang", "PYTHONPATH": str(MODELS)}
            process = subprocess.Popen(
                [sys.executable, "-m", "compile", *self.arguments()], env=environment, stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL, cwd=MODELS,
            )  # fmt: skip
            deadline = time.monotonic() + 60
            while not list(self.out.glob("*.part/*.neff")) and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
            self.assertEqual((process.returncode, err), (130, b"compile: interrupted\n"))
            self.assertEqual(self.names(), ["tiny-inf2-b1.hlo"])

    def test_the_compiler_gets_the_environment_that_the_tool_got(self) -> None:
        before = sorted(os.environ)
        self.assertEqual(self.compile()[0], 0)
        self.assertEqual(Path(f"{self.calls}.env").read_text().split("\n"), before)

    def test_switching_between_batches_is_the_compilers_to_speed_up(self) -> None:
        self.assertEqual(self.compile("--batch", "1,4", "--enable-fast-context-switch")[0], 0)
        self.assertEqual(self.calls.read_text().count(" --enable-fast-context-switch --output "), 2)

    def test_a_missing_module_names_the_interpreter_and_how_to_name_another(self) -> None:
        start = MODELS / "compile" / "start.py"
        bare = [sys.executable, "-I", "-S", str(start), *self.arguments()]  # no site-packages
        ran = subprocess.run(bare, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.assertEqual(ran.returncode, 4, ran.stderr)
        self.assertEqual(ran.stderr.count("\n"), 1)
        self.assertTrue(Path(ran.stderr.split(": ")[1]).samefile(sys.executable), ran.stderr)
        for part in (": No module named ", "compile/requirements.txt", "POSECAM_PYTHON"):
            self.assertIn(part, ran.stderr)

    def test_wrong_use_ends_with_2(self) -> None:
        compiled = self.folder / "neuron-inf2.json"
        compiled.write_text(self.descriptor.read_text())
        for more, target, part in [
            (["--batch", "0"], "inf2", "from 1 to 1024"),
            (["--batch", "1,,2"], "inf2", "separated by commas"),
            (["--net-resolution", "64"], "inf2", "WIDTHxHEIGHT"),
            (["--net-resolution", "65x64"], "inf2", "multiples of 8"),
            (["--cores-per-model", "2"], "inf2", "one core of inf2"),
            (["--cores-per-model", "4"], "trn2", "1 or 2 cores"),
            (["--cores-per-model", "0"], "inf1", "1 to 64"),
            (["--no-fuse", "nothing-here"], "inf2", "no such operator"),
            (["--out", str(self.folder), "--descriptor", str(compiled)], "inf2", "would overwrite"),
            (["--weights", str(self.folder / "a.txt")], "inf2", ".onnx, .xml, .tflite, .pb are compiled"),
            (["--enable-fast-context-switch"], "inf2", "several batches"),
            (["--enable-fast-context-switch", "--batch", "1,4"], "inf1", "several batches"),
            ([], "inf3", "invalid choice"),
        ]:
            with self.subTest(more=more):
                code, _, err = self.compile(*more, target=target)
                self.assertEqual(code, 2, err)
                self.assertIn(part, err)
        self.assertEqual(self.names(), [])

    def test_a_wrong_model_ends_with_3(self) -> None:
        (self.folder / "not.json").write_text("{}")
        other = pose_descriptor()
        other["weights"]["openvino"]["files"] = [{"name": "tiny.onnx", "bytes": 1, "sha256": "0" * 64}]
        (self.folder / "other.json").write_text(json.dumps(other))
        renamed = pose_descriptor()
        renamed["outputs"] = ["elsewhere"]
        (self.folder / "renamed.json").write_text(json.dumps(renamed))
        deeper = pose_descriptor()
        deeper["decoder"]["heatmaps"]["first"] = 40
        (self.folder / "deeper.json").write_text(json.dumps(deeper))
        (self.folder / "nested.json").write_text("[" * 200_000)
        odd = model([node("Relu", ["image"])], {}, ["y"], kind=99)
        (self.folder / "odd.onnx").write_bytes(odd.SerializeToString())
        for more, part in [
            (["--descriptor", str(self.folder / "nested.json")], "not a model descriptor"),
            (["--weights", str(self.folder / "odd.onnx")], "input image is type 99; only FLOAT"),
            (["--descriptor", str(self.folder / "absent.json")], "cannot be read"),
            (["--descriptor", str(self.folder / "not.json")], "not a model descriptor"),
            (["--descriptor", str(self.folder / "other.json")], "sha256 differs"),
            (["--descriptor", str(self.folder / "renamed.json")], "has no output elsewhere"),
            (["--descriptor", str(self.folder / "deeper.json")], "decoder wants 58 or more channels"),
            (["--weights", str(self.folder / "absent.onnx")], "cannot be read"),
            (["--batch", "1024", "--net-resolution", "4096x4096"], "larger input"),
            (["--no-fuse", "heat"], "heat (Conv)"),
        ]:
            with self.subTest(more=more):
                code, _, err = self.compile(*more)
                self.assertEqual((code, err.count("\n")), (3, 1), err)
                self.assertIn(part, err)
        self.assertEqual(self.names(), [])

    def test_a_descriptor_of_wrong_types_ends_with_3(self) -> None:
        for change in (
            lambda d: d["weights"]["openvino"].update(files=["str"]),
            lambda d: d["weights"]["openvino"].update(files=None),
            lambda d: d["inputs"][0].update(multiple_of="8"),
            lambda d: d["inputs"][0]["size"].update(width="32"),
            lambda d: d["decoder"]["heatmaps"].update(first="x"),
            lambda d: d["decoder"].update(stride=0),
        ):
            document = pose_descriptor()
            change(document)
            self.descriptor.write_text(json.dumps(document))
            code, _, err = self.compile("--net-resolution", "64x48")
            self.assertEqual((code, err.count("\n")), (3, 1), err)
            self.assertIn("not a model descriptor", err)

    def test_what_nobody_thought_of_is_one_line(self) -> None:
        def fails(_: list[str]) -> None:
            raise ValueError("two\nlines\x1b")

        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            self.assertEqual(guarded("compile", fails, []), 1)
        self.assertEqual(err.getvalue(), "compile: ValueError: two lines?\n")

    def test_an_output_that_is_full_is_one_line(self) -> None:
        speak = "import sys; from compile.__main__ import guarded, say; sys.exit(guarded('compile', say, 'text'))"
        with open("/dev/full", "w") as full:
            ran = subprocess.run([sys.executable, "-c", speak], cwd=MODELS, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(ran.returncode, 5)
        self.assertEqual(ran.stderr, "compile: standard output: cannot write: No space left on device\n")


@needs_packages
class Resolution(unittest.TestCase):
    def test_a_network_of_fixed_size_takes_no_other(self) -> None:
        document = pose_descriptor()
        del document["inputs"][0]["multiple_of"]
        fixed = descriptors.Descriptor(document, Path("tiny.json"))
        self.assertEqual(descriptors.at_resolution(fixed, (32, 16)).size, (32, 16))
        with self.assertRaises(UsageError):
            descriptors.at_resolution(fixed, (64, 16))

    def test_labels_of_a_file_go_into_the_copy_as_the_program_reads_them(self) -> None:
        document = pose_descriptor()
        document["labels"] = "own.txt"
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "own.txt").write_bytes("\ufeffcat\r\na\u2028b\nowl\n".encode())
            own = descriptors.Descriptor(document, Path(folder, "own.json"))
            copied = descriptors.compiled(own, "inf2", "bf16", [(1, "x.neff", Path(folder, "own.txt"))])
        self.assertEqual(copied.document["labels"], ["cat", "a\u2028b", "owl"])

    def test_descriptors_of_the_zoo_load(self) -> None:
        for file in sorted((MODELS / "zoo").glob("*.json")):
            with self.subTest(file=file.name):
                self.assertEqual(descriptors.load(file).name, file.stem)
