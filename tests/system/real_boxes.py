"""`posecam eval` with detectors on annotated pictures: the figures of the file that it writes are pycocotools'.

    real_boxes.py POSECAM SUPPORT_DIR SHARED_DIR DEVICE...

Then `posecam run` on the same pictures: its file names the same people by COCO's own ids.
Exit code 77 (skipped) without pycocotools, or without the pictures and the weights of SHARED_DIR.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

posecam, support, shared, *devices = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), *sys.argv[4:]
sys.path.insert(0, support)
import coco_cases  # noqa: E402

images = shared / "eval/images"
annotations = shared / "eval/person_keypoints.json"
# By network: the folder of its weights, the devices that read them, and the least AP50 of people (0.69 and 0.51 were seen).
NETWORKS = {"yolox-nano": ("yolox-nano", {"openvino", "opencv"}, 0.6),
            "person-detection-0013": ("person-detection-retail-0013", {"openvino"}, 0.45)}

try:
    import pycocotools.cocoeval  # noqa: F401
except ImportError:
    print("skipped: pycocotools is not here")
    sys.exit(77)
for needed in (images, annotations, *(shared / "models" / folder for folder, *_ in NETWORKS.values())):
    if not needed.exists():
        print(f"skipped: shared/{needed.relative_to(shared)} is not here")
        sys.exit(77)


def run(home, *args):
    done = subprocess.run([posecam, *map(str, args)], env={**os.environ, "XDG_DATA_HOME": home}, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def worst_difference(truth, results, figures):
    expected = coco_cases.pycocotools_stats(truth, results, "bbox")
    return max(abs(a - b) for a, b in zip(expected, list(figures.values())[:12], strict=True))


truth = json.loads(annotations.read_text())
with tempfile.TemporaryDirectory() as home:
    for network, (_, readers, least) in NETWORKS.items():
        if not readers.intersection(devices):
            print(f"{network}: no device here reads it")
            continue
        run(home, "models", "pull", network, "--mirror", shared / "models")
        file = pathlib.Path(home, network + ".json")
        options = ["--model", network, "--threshold", "0.01"]
        done = run(home, "eval", "--images", images, "--annotations", annotations, "--results", file, "--json", *options)
        figures, results = json.loads(done.stdout), json.loads(file.read_text())
        worst = worst_difference(truth, results, figures)
        print(f"{network}: {len(results)} people, AP {figures['AP']:.4f}, AP50 {figures['AP50']:.4f}, "
              f"largest difference {worst:.1e}")
        assert worst < 1e-9 and figures["AP50"] >= least
        assert ("79 labels of yolox-nano are not among the categories of" in done.stderr) == (network == "yolox-nano")
        again = run(home, "eval", "--annotations", annotations, "--results", file, "--json")
        assert {k: figures[k] for k in json.loads(again.stdout)} == json.loads(again.stdout)

        whole = pathlib.Path(home, network + "-run.json")
        run(home, "run", images, "--write-coco-json", whole, "--quiet", *options)
        people = [r for r in json.loads(whole.read_text()) if r["category_id"] == 1]
        print(f"  posecam run: {len(people)} people")
        assert worst_difference(truth, people, figures) < 0.02  # the elements may read a picture's colours otherwise
sys.exit(0)
