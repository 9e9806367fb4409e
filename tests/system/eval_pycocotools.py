"""`posecam eval` and pycocotools on the same results: the figures must be equal, of keypoints and of boxes.

    eval_pycocotools.py POSECAM SUPPORT_DIR [ANNOTATIONS...]

Synthetic cases of several seeds, and results made by perturbing the people of each annotation file that exists.
Keypoints also of another skeleton than COCO's, with sigmas by name and with --sigmas.
Exit code 77 (skipped) without pycocotools.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

posecam, support, *annotation_files = sys.argv[1:]
sys.path.insert(0, support)
import coco_cases  # noqa: E402

try:
    import pycocotools.cocoeval  # noqa: F401
except ImportError:
    print("skipped: pycocotools is not here")
    sys.exit(77)


def perturbed(path):
    rng = random.Random(1)
    truth = json.loads(pathlib.Path(path).read_text())
    image_ids = [image["id"] for image in truth["images"]]
    return truth, coco_cases.results_for(rng, truth["annotations"], image_ids)


def posecam_stats(truth, results, *options):
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for name, value in (("annotations", truth), ("results", results)):
            names.append(pathlib.Path(folder, name + ".json"))
            names[-1].write_text(json.dumps(value))
        command = [posecam, "eval", "--annotations", names[0], "--results", names[1], "--json", *options]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(json.loads(line).values())


# Sigmas of HALPE for what COCO has not, and 0.05 for what neither has.
NAMES = {"Nose": 0.026, "LWrist": 0.062, "r_hip": 0.107, "neck": 0.026, "MidHip": 0.066, "left_big_toe": 0.079,
         "tail": 0.05}
OTHER = [0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]
cases = {}
for seed in range(8):
    cases[f"keypoints, seed {seed}"] = (*coco_cases.synthetic(seed, images=12), "keypoints", None, [])
    cases[f"boxes, seed {seed}"] = (*coco_cases.synthetic_boxes(seed, images=12), "bbox", None, [])
for path in annotation_files:
    if pathlib.Path(path).exists():
        cases[path] = (*perturbed(path), "keypoints", None, [])
named = coco_cases.synthetic(9, images=12, names=NAMES)
cases["sigmas by name"] = (*named, "keypoints", list(NAMES.values()), [])
cases["--sigmas"] = (*named, "keypoints", OTHER, ["--sigmas", ",".join(map(str, OTHER))])
failed = 0
for name, (truth, results, kind, sigmas, options) in cases.items():
    expected = coco_cases.pycocotools_stats(truth, results, kind, sigmas)
    got = posecam_stats(truth, results, *options)[: len(expected)]
    worst = max(abs(a - b) for a, b in zip(expected, got, strict=True))
    print(f"{name}: {len(results)} results, AP {got[0]:.6f}, largest difference {worst:.1e}")
    failed += worst > 1e-9
sys.exit(1 if failed else 0)
