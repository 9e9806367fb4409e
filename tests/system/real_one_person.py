"""`posecam run` with networks that look at one person, on pictures of one: the keypoints are what the network's outputs,
read here step by step, say to 1e-4 of the picture.

    real_one_person.py POSECAM SHARED_DIR DATA_DIR OPENVINO_DIR

DATA_DIR is tests/data. Exit code 77 (skipped) without numpy, OpenVINO for Python (in OPENVINO_DIR), gst-launch-1.0, or the
pictures and the weights of SHARED_DIR.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

posecam, shared, data, openvino_dir = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
sys.path.insert(0, str(openvino_dir))
images, models = shared / "eval/images", shared / "models"
# Somebody fills these squares: what is cut off on the left, right, top and bottom.
CROPS = {"000000000785.jpg": (200, 40, 10, 15), "000000009483.jpg": (0, 240, 40, 40)}

try:
    import numpy
    import openvino
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
for needed in [images / name for name in CROPS] + [models / m for m in ("cpm-192", "blazepose-lite", "movenet-lightning")]:
    if not needed.exists():
        print(f"skipped: shared/{needed.relative_to(shared)} is not here")
        sys.exit(77)
if not shutil.which("gst-launch-1.0"):
    print("skipped: gst-launch-1.0 is not here")
    sys.exit(77)


def picture(home, name, width, height):
    """The crop as RGB at the size of the network, so that posecam scales nothing, and a PNG of it."""
    raw, png = home / "raw", home / "picture.png"
    cut = [f"{side}={pixels}" for side, pixels in zip(("left", "right", "top", "bottom"), CROPS[name])]
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={images / name}", "!", "jpegdec", "!", "videocrop", *cut,
                    "!", "videoconvert", "!", "videoscale", "!", f"video/x-raw,format=RGBx,width={width},height={height}",
                    "!", "filesink", f"location={raw}"], check=True)
    rgb = numpy.fromfile(raw, numpy.uint8).reshape(height, width, 4)[:, :, :3]

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    png.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                    chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return rgb, png


def sigmoid(v):
    return 1 / (1 + numpy.exp(-v))


# Each gives x and y in shares of the picture and the score of every keypoint, and the person's score (None: their mean).

def movenet(outputs):
    y, x, score = outputs[0].reshape(17, 3).T
    return x, y, score, None


def cpm(outputs):
    """Simple Baselines' quarter of a cell, from the highest one."""
    keypoints = []
    for plane in outputs[0][0].transpose(2, 0, 1):
        y, x = divmod(int(plane.argmax()), 96)
        at = [float(x), float(y)]
        if 0 < x < 95:
            at[0] += 0.25 * numpy.sign(plane[y, x + 1] - plane[y, x - 1])
        if 0 < y < 95:
            at[1] += 0.25 * numpy.sign(plane[y + 1, x] - plane[y - 1, x])
        keypoints.append((at[0] / 96, at[1] / 96, plane[y, x]))
    return *numpy.array(keypoints).T, None


def blazepose(outputs):
    """MediaPipe's refinement: the mean of 7x7 cells by their confidence, where one of them is sure."""
    points, heat = outputs[0].reshape(39, 5)[:33], sigmoid(outputs[3][0].astype(numpy.float64))
    xy = points[:, :2] / 256
    for part in range(33):
        column, row = (int(v) for v in xy[part] * 64)
        if not (0 <= column < 64 and 0 <= row < 64):
            continue
        rows, columns = slice(max(0, row - 3), row + 4), slice(max(0, column - 3), column + 4)
        window = heat[rows, columns, part]
        if window.max() >= 0.5:
            ys, xs = numpy.mgrid[rows, columns][:, :window.shape[0], :window.shape[1]]
            xy[part] = (xs * window).sum() / window.sum() / 64, (ys * window).sum() / window.sum() / 64
    return *xy.T, sigmoid(points[:, 3]), float(outputs[1].squeeze())


def coordinates(outputs):
    x, y = outputs[0][0].T
    return x, y, numpy.ones(17), None


def scaled(rgb):
    return (rgb - numpy.array([123.675, 116.28, 103.53])) * [0.0171247538, 0.0175070028, 0.0174291939]


NETWORKS = {  # descriptor: weights, width, height, input, reading, least score of a keypoint
    data / "movenet_lightning.json": ("movenet-lightning/movenet-lightning.xml", 192, 192, lambda rgb: rgb, movenet, 0.2),
    "cpm-192": ("cpm-192/model.tflite", 192, 192, lambda rgb: rgb[:, :, ::-1], cpm, 0.2),
    "blazepose-lite": ("blazepose-lite/pose_landmark_lite.tflite", 256, 256, lambda rgb: rgb / 255, blazepose, 0.5),
    "fitness-coords": (None, 192, 256, scaled, coordinates, 0),
}


def run(home, *args):
    env = {**os.environ, "XDG_DATA_HOME": str(home), "NEURON_SIM_POOL": str(home / "pool"), "NEURON_SIM_CORES": "1"}
    done = subprocess.run([posecam, *map(str, args)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def person_of(home, png, model, device):
    line = json.loads(run(home, "run", png, "--quiet", "--model", model, "--device", device, "--precision", "f32",
                          "--json-lines", "-"))
    assert len(line["people"]) == 1, line
    size = line["source"]["width"], line["source"]["height"]
    x, y, score = numpy.array(line["people"][0]["pose_keypoints_2d"]).reshape(-1, 3).T
    return x / size[0], y / size[1], score, line["people"][0]["score"]


def check(home, model, name):
    file, width, height, given, read, least = NETWORKS[model]
    weights = models / file if file else home / "posecam/models/fitness-coords/fitness-coords.onnx"
    rgb, png = picture(home, name, width, height)
    network = core.compile_model(str(weights), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kind = network.input(0).element_type.to_dtype()
    outputs = list(network(numpy.ascontiguousarray(given(rgb)[None]).astype(kind)).values())
    x, y, score, whole = read(outputs)
    found = (score >= least) & (score > 0) & (abs(x - 0.5) <= 1) & (abs(y - 0.5) <= 1)
    seen = person_of(home, png, model, "openvino")
    assert found.sum() >= 10, found
    assert (found == (seen[2] > 0)).all(), (model, found, seen[2])
    off = max(abs(a - b)[found].max() for a, b in zip((x, y, score), seen[:3]))
    whole = score[found].mean() if whole is None else whole
    print(pathlib.Path(model).stem, name, f"{found.sum()} keypoints, largest difference {off:.1e}")
    assert off < 1e-4 and abs(whole - seen[3]) < 1e-4, (model, off, whole, seen[3])
    return png, seen


with tempfile.TemporaryDirectory() as folder:
    home = pathlib.Path(folder)
    core = openvino.Core()
    for model in NETWORKS:
        if model == "fitness-coords":
            run(home, "models", "make", model)
        else:
            run(home, "models", "pull", model, "--mirror", models)
        for name in CROPS:
            png, seen = check(home, model, name)
    # The last one is made to be compiled: in batches, for the simulator, whose arithmetic is bf16.
    run(home, "compile", "fitness-coords", "--target", "sim", "--batch", "1,4")
    compiled = person_of(home, png, "fitness-coords", "neuron-sim")
    assert max(abs(a - b).max() for a, b in zip(compiled[:2], seen[:2])) < 0.02, (compiled, seen)
