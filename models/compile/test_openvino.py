"""What OpenVINO reads against what becomes of it: IR in f32, f16 and quantised, TFLite and frozen graphs."""

from __future__ import annotations

import importlib.util
import json
import unittest
from pathlib import Path
from typing import Any

from .test_support import MISSING, MODELS, Folder, needs_packages, pose_descriptor, pose_model

NO_OPENVINO = importlib.util.find_spec("openvino") is None
SHARED = MODELS.parent.parent / "shared" / "models"
if not MISSING and not NO_OPENVINO:
    import numpy as np
    import openvino as ov
    from openvino import opset13 as ops

    from . import check, descriptor, hlo, reader
    from .errors import ModelError


@needs_packages
@unittest.skipIf(NO_OPENVINO, "not installed: openvino; see compile/requirements.txt")
class OpenVino(Folder):
    def described(self, **changes: Any) -> Any:
        file = self.folder / "tiny.json"
        document = pose_descriptor()
        document.update(changes)
        file.write_text(json.dumps(document))
        return descriptor.at_resolution(descriptor.load(file), None)

    def saved(self, model: Any, name: str, half: bool = False) -> Path:
        file = self.folder / name
        ov.save_model(model, file, compress_to_fp16=half)
        return file

    def worst(self, file: Path, source: Any, batches: tuple[int, ...] = (1, 3)) -> float:
        """The largest difference to OpenVINO, of the largest value."""
        network = reader.load(file, source)
        images = check.pictures(max(batches), source.shape(1), source.input)
        run = check.openvino(file, network, source.shape(1))
        worst = 0.0
        for batch in batches:
            results = hlo.Executable(hlo.lowered(network, "tiny", source.shape(batch)))(images[:batch])
            for row in range(batch):
                for result, wanted in zip(results, run(images[row : row + 1]), strict=True):
                    worst = max(worst, float(np.abs(result[row] - wanted[0]).max() / np.abs(wanted).max()))
        return worst

    def test_ir_of_both_float_types_computes_what_openvino_does(self) -> None:
        onnx = self.folder / "tiny.onnx"
        onnx.write_bytes(pose_model().SerializeToString())
        source = self.described()
        for half in (False, True):
            with self.subTest(half=half):
                file = self.saved(ov.Core().read_model(onnx), f"tiny{half}.xml", half)
                self.assertLess(self.worst(file, source), 1e-5)

    def test_forms_of_operators_are_those_of_openvino(self) -> None:
        random = np.random.default_rng(7)

        def weights(*shape: int) -> Any:
            return random.standard_normal(shape).astype(np.float32)

        x = ops.parameter([1, 3, 16, 32], np.float32, name="image")
        forms = {
            "padded": lambda: ops.convolution(x, weights(4, 3, 3, 3), [2, 2], [0, 0], [0, 0], [1, 1], "same_upper"),
            "grouped": lambda: ops.group_convolution(x, weights(3, 2, 1, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1]),
            "average": lambda: ops.avg_pool(x, [2, 2], [1, 1], [1, 1], [3, 3], False),
            "average of what is there": lambda: ops.avg_pool(x, [2, 2], [0, 0], [1, 1], [3, 3], True, "ceil"),
            "largest": lambda: ops.max_pool(x, [2, 2], [1, 1], [0, 0], [1, 1], [3, 3]).output(0),
            "slopes": lambda: ops.prelu(x, weights(3)),
            "swish": lambda: ops.swish(x, np.float32(1.5)),
            "clamp": lambda: ops.clamp(x, -0.5, 90.0),
            "mean": lambda: ops.reduce_mean(x, np.array([2, 3]), True),
            "slice": lambda: ops.slice(x, [0], [-1], [2], [3]),
            "split": lambda: ops.split(x, 2, 2).output(1),
            "padding": lambda: ops.pad(x, [0, 0, 1, 2], [0, 0, 0, 1], "constant", np.float32(3)),
            "transposed": lambda: ops.matmul(x, weights(5, 32), False, True),
            "softmax": lambda: ops.softmax(ops.multiply(x, np.float32(0.01)), 1),
            "twice as large": lambda: ops.interpolate(
                x, np.array([32, 64]), "linear_onnx", "sizes", coordinate_transformation_mode="half_pixel",
                axes=np.array([2, 3]),
            ),
            "scaled": lambda: ops.interpolate(
                x, np.array([2, 2], np.float32), "nearest", "scales", coordinate_transformation_mode="asymmetric",
                nearest_mode="floor", axes=np.array([2, 3]),
            ),
        }  # fmt: skip
        for name, form in forms.items():
            with self.subTest(form=name):
                result = form()
                result = result if isinstance(result, ov.Output) else result.output(0)
                result.get_tensor().set_names({"maps"})
                x.output(0).get_tensor().set_names({"image"})
                file = self.saved(ov.Model([result], [x], "tiny"), "form.xml")
                self.assertLess(self.worst(file, self.described()), 1e-5)

    def test_quantised_weights_take_the_values_they_stand_for(self) -> None:
        x = ops.parameter([1, 3, 16, 32], np.float32, name="image")
        x.output(0).get_tensor().set_names({"image"})
        stored = np.arange(6, dtype=np.uint8).reshape(2, 3, 1, 1) * 40
        scaled = ops.multiply(ops.subtract(ops.convert(ops.constant(stored), "f32"), np.float32(128)), np.float32(0.01))
        ranges = [np.float32(v) for v in (-1, 1, -2, 2)]
        faked = ops.fake_quantize(ops.constant((stored - 100.0).astype(np.float32) / 100), *ranges, 255)
        both = ops.concat([ops.convolution(x, w, [1, 1], [0, 0], [0, 0], [1, 1]) for w in (scaled, faked)], 1)
        both.output(0).get_tensor().set_names({"maps"})
        file = self.saved(ov.Model([both], [x], "tiny"), "tiny.xml")
        self.assertLess(self.worst(file, self.described()), 1e-5)

    def test_a_quantised_activation_keeps_its_clamp_but_not_its_steps(self) -> None:
        x = ops.parameter([1, 3, 16, 32], np.float32, name="image")
        x.output(0).get_tensor().set_names({"image"})
        faked = ops.fake_quantize(x, *[np.float32(v) for v in (10, 200, 1, 2)], 256)
        faked.output(0).get_tensor().set_names({"maps"})
        file = self.saved(ov.Model([faked], [x], "tiny"), "tiny.xml")
        self.assertLess(self.worst(file, self.described()), 0.51 / 255)  # half a step of a range of 1, of 2
        few = ops.fake_quantize(x, *[np.float32(v) for v in (10, 200, 1, 2)], 2)
        few.output(0).get_tensor().set_names({"maps"})
        with self.assertRaisesRegex(ModelError, r"FakeQuantize\): 2 levels"):
            reader.load(self.saved(ov.Model([few], [x], "tiny"), "few.xml"), self.described())

    def test_a_network_ends_where_the_descriptor_says(self) -> None:
        x = ops.parameter([1, 16, 32, 3], np.int32, name="pixels")
        x.output(0).get_tensor().set_names({"pixels"})
        first = ops.squeeze(ops.transpose(ops.convert(x, "f32"), [0, 3, 1, 2]), [0])  # of one image only
        image = ops.unsqueeze(first, [0])
        image.set_friendly_name("image")  # the tensor has no name
        maps = ops.relu(ops.multiply(image, np.float32(2)))
        maps.output(0).get_tensor().set_names({"maps"})
        best = ops.topk(ops.reshape(maps, [1, -1], False), np.int32(1), 1, "max", "value")
        model = ov.Model([best.output(0)], [x], "tiny")
        file = self.saved(model, "tiny.xml")
        self.assertLess(self.worst(file, self.described()), 1e-6)
        with self.assertRaisesRegex(ModelError, "its input is pixels; the descriptor names image"):
            reader.load(file, self.described(outputs=["none"], decoder={"kind": "raw", "output": "none"}))

    def test_what_cannot_be_compiled_is_named_in_a_line(self) -> None:
        x = ops.parameter([1, 3, 16, 32], np.float32, name="image")
        x.output(0).get_tensor().set_names({"image"})
        strange = ops.erf(x)
        strange.set_friendly_name("odd_one")
        strange.output(0).get_tensor().set_names({"maps"})
        file = self.saved(ov.Model([strange], [x], "tiny"), "tiny.xml")
        with self.assertRaisesRegex(ModelError, r"^odd_one \(Erf\): operator is not supported$"):
            reader.load(file, self.described())
        with self.assertRaisesRegex(ModelError, "has no output maps; it has"):
            strange.output(0).get_tensor().set_names({"other"})
            reader.load(self.saved(ov.Model([strange], [x], "tiny"), "other.xml"), self.described())
        (self.folder / "text.xml").write_text("no network")
        with self.assertRaisesRegex(ModelError, "text.xml: OpenVINO does not read it: [^\n]+$"):
            reader.load(self.folder / "text.xml", self.described())
        with self.assertRaisesRegex(ModelError, "none.xml: no such file"):
            reader.load(self.folder / "none.xml", self.described())

    def test_public_networks_compute_what_openvino_does(self) -> None:
        for name, file, most in (
            ("openpose", "human-pose-estimation-0001/human-pose-estimation-0001.xml", 1.0),  # INT8: steps are left out
            ("movenet-lightning", "movenet-lightning/movenet-lightning.xml", 1e-4),
            ("mobilenet-v1-025", "mobilenet-v1-025/mobilenet_v1_0.25_224_float.tflite", 1e-4),
            ("mobilenet-v2-quant", "mobilenet-v2-quant/mobilenet_v2_1.0_224_quant.tflite", 0.05),
        ):
            with self.subTest(name=name):
                if not (SHARED / file).is_file():
                    self.skipTest(f"shared/models/{file} is not here")
                source = descriptor.at_resolution(descriptor.load(MODELS / "zoo" / f"{name}.json"), None)
                self.assertLessEqual(self.worst(SHARED / file, source, (1,)), most)

    def test_a_frozen_graph_computes_what_openvino_does(self) -> None:
        file = SHARED / "cpm-192" / "model.pb"
        if not file.is_file():
            self.skipTest("shared/models/cpm-192/model.pb is not here")
        maps, source = "Convolutional_Pose_Machine/stage_5_out:0", pose_descriptor(
            name="image:0", layout="nhwc", size={"width": 192, "height": 192}, multiple_of=0
        )  # fmt: skip
        source.update(outputs=[maps], decoder={"kind": "raw", "output": maps})
        self.assertLess(self.worst(file, self.described(**source), (1, 2)), 1e-4)
