"""`posecam eval` and pycocotools on the same results: the ten figures must be equal.

    eval_pycocotools.py POSECAM SUPPORT_DIR [ANNOTATIONS...]

Synthetic cases of several seeds, and results made by perturbing the people of each annotation file that exists.
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


def posecam_stats(truth, results):
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for name, value in (("annotations", truth), ("results", results)):
            names.append(pathlib.Path(folder, name + ".json"))
            names[-1].write_text(json.dumps(value))
        command = [posecam, "eval", "--annotations", names[0], "--results", names[1], "--json"]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(json.loads(line).values())[:10]


cases = {f"seed {seed}": coco_cases.synthetic(seed, images=12) for seed in range(8)}
cases |= {path: perturbed(path) for path in annotation_files if pathlib.Path(path).exists()}
failed = 0
for name, (truth, results) in cases.items():
    expected = coco_cases.pycocotools_stats(truth, results)
    got = posecam_stats(truth, results)
    worst = max(abs(a - b) for a, b in zip(expected, got))
    print(f"{name}: {len(results)} results, AP {got[0]:.6f}, largest difference {worst:.1e}")
    failed += worst > 1e-9
sys.exit(1 if failed else 0)
