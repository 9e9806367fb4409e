"""COCO annotations and results made to reach every rule of the keypoint evaluation: sizes around the area limits,
crowds, people without labelled keypoints, images without people or results, tied scores, duplicates, false positives,
more than 20 results an image, results with missing keypoints.

Run as a program it writes annotations.json and results.json, and expected.json with pycocotools' ten figures:
    python3 tests/support/coco_cases.py tests/data/coco_eval
"""

import contextlib
import io
import json
import pathlib
import random
import sys


def person(rng, annotation_id, image_id):
    area = 10 ** rng.uniform(2.6, 4.7)
    width, height = (area / 0.6 / 2.2) ** 0.5, (area / 0.6 * 2.2) ** 0.5
    left, top = rng.uniform(0, 640 - width), rng.uniform(0, 480 - height)
    labelled = rng.random() > 0.12
    keypoints = []
    for _ in range(17):
        visible = rng.choice([0, 1, 2, 2, 2]) if labelled else 0
        x, y = round(left + rng.random() * width), round(top + rng.random() * height)
        keypoints += [x, y, visible] if visible else [0, 0, 0]
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": int(rng.random() < 0.1),
        "num_keypoints": sum(v > 0 for v in keypoints[2::3]),
        "keypoints": keypoints,
        "bbox": [round(v, 1) for v in (left, top, width, height)],
        "area": rng.choice([round(area, 1), 1024, 9216] if rng.random() < 0.2 else [round(area, 1)]),
    }


def found(rng, truth, noise):
    keypoints = []
    for x, y, v in zip(*[iter(truth["keypoints"])] * 3):
        if not v:  # what nobody labelled may still be found
            x, y = truth["bbox"][0] + rng.random() * truth["bbox"][2], truth["bbox"][1] + rng.random() * truth["bbox"][3]
        if rng.random() < 0.1:
            keypoints += [0, 0, 0]
        else:
            keypoints += [round(x + rng.gauss(0, noise), 1), round(y + rng.gauss(0, noise), 1), 1]
    return {
        "image_id": truth["image_id"],
        "category_id": 1,
        "keypoints": keypoints,
        "score": round(rng.random(), 1),
    }


def false_positive(rng, image_id):
    x, y, size = rng.uniform(0, 600), rng.uniform(0, 440), rng.uniform(5, 120)
    keypoints = []
    for _ in range(17):
        keypoints += [round(x + rng.random() * size, 1), round(y + rng.random() * size, 1), 1]
    return {"image_id": image_id, "category_id": 1, "keypoints": keypoints, "score": round(rng.random(), 1)}


def results_for(rng, annotations, image_ids):
    results = []
    for truth in annotations:
        if rng.random() < 0.15:
            continue
        noise = rng.choice([0, 0.02, 0.05, 0.1]) * truth["area"] ** 0.5
        results += [found(rng, truth, noise) for _ in range(rng.choice([1, 1, 1, 2]))]
    for image_id in image_ids[:-1]:
        results += [false_positive(rng, image_id) for _ in range(rng.choice([0, 1, 2]))]
    results += [false_positive(rng, image_ids[0]) for _ in range(16)]
    rng.shuffle(results)
    return results


def synthetic(seed, images):
    rng = random.Random(seed)
    image_ids = rng.sample(range(1, 1000), images)
    annotations = []
    for image_id in image_ids[1:] + image_ids[:1]:
        for _ in range(rng.choice([0, 1, 3, 6]) if image_id != image_ids[0] else 7):
            annotations.append(person(rng, len(annotations) + 1, image_id))
    truth = {
        "images": [{"id": i, "file_name": f"{i:012}.jpg", "width": 640, "height": 480} for i in image_ids],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": annotations,
    }
    return truth, results_for(rng, annotations, image_ids)


def pycocotools_stats(truth, results):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes([dict(r) for r in results]), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(v) for v in evaluation.stats]


def main():
    folder = pathlib.Path(sys.argv[1])
    truth, results = synthetic(seed=3, images=5)
    stats = pycocotools_stats(truth, results)
    for name, value in (("annotations", truth), ("results", results), ("expected", stats)):
        text = json.dumps(value, separators=(",", ":")).replace("},{", "},\n{")
        (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
