"""`posecam run` with classifiers on a picture of a burger: every network and device names it, every line fits the schema, and `posecam eval` counts it as right.

    real_classes.py POSECAM NDJSON_SCHEMA SHARED_DIR DEVICE...

Exit code 77 (skipped) without jsonschema, or without the picture and the weights of SHARED_DIR.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

posecam, schema_file, shared, *devices = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), *sys.argv[4:]
picture = shared / "models/ssd-mobilenet-v1-coco/burger.jpg"
# By network: the devices that read its file, and the least probability (0.97, 0.99 and 0.95 were seen).
NETWORKS = {
    "squeezenet": ({"openvino", "opencv", "neuron-sim"}, 0.9),
    "mobilenet-v1-025": ({"openvino"}, 0.9),
    "mobilenet-v2-quant": ({"openvino"}, 0.9),
}

try:
    import jsonschema
except ImportError:
    print("skipped: jsonschema is not here")
    sys.exit(77)
for needed in (picture, shared / "models/squeezenet-v1.1"):
    if not needed.exists():
        print(f"skipped: shared/{needed.relative_to(shared)} is not here")
        sys.exit(77)
validator = jsonschema.Draft202012Validator(json.loads(schema_file.read_text()))


def run(home, *args):
    env = {**os.environ, "XDG_DATA_HOME": home, "NEURON_SIM_POOL": f"{home}/pool", "NEURON_SIM_CORES": "2"}
    done = subprocess.run([posecam, *map(str, args)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


with tempfile.TemporaryDirectory() as home:
    for network, (readers, least) in NETWORKS.items():
        run(home, "models", "pull", network, "--mirror", shared / "models")
        for device in [device for device in devices if device in readers]:
            if device == "neuron-sim":
                run(home, "compile", network, "--target", "sim", "--batch", "1,4")
            line = json.loads(run(home, "run", picture, "--quiet", "--model", network, "--device", device,
                                  "--precision", "f32", "--json-lines", "-"))
            validator.validate(line)
            classes = line["classes"]
            print(network, device, [(found["label"], found["confidence"]) for found in classes])
            assert len(classes) == 5 and line["people"] == line["objects"] == []
            assert classes[0]["label"] == "cheeseburger" and classes[0]["label_id"] == 933, classes
            assert least <= classes[0]["confidence"] <= 1 and sum(found["confidence"] for found in classes) <= 1 + 1e-5
        if not readers.intersection(devices) - {"neuron-sim"}:
            continue
        # Once right, once the second likeliest, once wrong; by a list and by folders.
        second = classes[1]["label"]
        folder = pathlib.Path(home, network)
        for name in ("933", second, "tench"):
            (folder / name).mkdir(parents=True)
            (folder / name / "burger.jpg").symlink_to(picture.resolve())
        rows = [f"933/burger.jpg cheeseburger\n", f"{second}/burger.jpg\t{second}\n", "tench/burger.jpg 0\n"]
        listed = pathlib.Path(home, network + ".txt")
        listed.write_text("".join(rows))
        for annotations in ([], ["--annotations", listed]):
            scores = json.loads(run(home, "eval", "--images", folder, *annotations, "--model", network, "--json"))
            assert scores["images"] == 3 and [round(3 * scores[top]) for top in ("top1", "top5")] == [1, 2], scores
