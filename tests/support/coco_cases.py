"""COCO annotations and results made to reach every rule of the evaluation: sizes around the area limits, crowds, people
without labelled keypoints, images without people or results, tied scores, duplicates, false positives, more results an
image than count, results with missing keypoints; of boxes several categories as well, one of them without objects.

Run as a program it writes annotations.json, results.json, and expected.json with pycocotools' figures, of keypoints and
(boxes_*.json) of boxes:
    python3 tests/support/coco_cases.py tests/data/coco_eval
"""

import contextlib
import io
import json
import pathlib
import random
import sys


def person(rng, annotation_id, image_id, count=17):
    area = 10 ** rng.uniform(2.6, 4.7)
    width, height = (area / 0.6 / 2.2) ** 0.5, (area / 0.6 * 2.2) ** 0.5
    left, top = rng.uniform(0, 640 - width), rng.uniform(0, 480 - height)
    labelled = rng.random() > 0.12
    keypoints = []
    for _ in range(count):
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


def false_positive(rng, image_id, count):
    x, y, size = rng.uniform(0, 600), rng.uniform(0, 440), rng.uniform(5, 120)
    keypoints = []
    for _ in range(count):
        keypoints += [round(x + rng.random() * size, 1), round(y + rng.random() * size, 1), 1]
    return {"image_id": image_id, "category_id": 1, "keypoints": keypoints, "score": round(rng.random(), 1)}


def results_for(rng, annotations, image_ids):
    results = []
    count = len(annotations[0]["keypoints"]) // 3
    for truth in annotations:
        if rng.random() < 0.15:
            continue
        noise = rng.choice([0, 0.02, 0.05, 0.1]) * truth["area"] ** 0.5
        results += [found(rng, truth, noise) for _ in range(rng.choice([1, 1, 1, 2]))]
    for image_id in image_ids[:-1]:
        results += [false_positive(rng, image_id, count) for _ in range(rng.choice([0, 1, 2]))]
    results += [false_positive(rng, image_ids[0], count) for _ in range(16)]
    rng.shuffle(results)
    return results


def synthetic(seed, images, names=()):
    """`names` of keypoints; COCO's 17 where there are none."""
    rng = random.Random(seed)
    image_ids = rng.sample(range(1, 1000), images)
    annotations = []
    for image_id in image_ids[1:] + image_ids[:1]:
        for _ in range(rng.choice([0, 1, 3, 6]) if image_id != image_ids[0] else 7):
            annotations.append(person(rng, len(annotations) + 1, image_id, len(names) or 17))
    category = {"id": 1, "name": "person"} | ({"keypoints": list(names)} if names else {})
    truth = {
        "images": [{"id": i, "file_name": f"{i:012}.jpg", "width": 640, "height": 480} for i in image_ids],
        "categories": [category],
        "annotations": annotations,
    }
    return truth, results_for(rng, annotations, image_ids)


CATEGORIES = {1: "person", 3: "car", 18: "dog", 62: "chair"}  # no object is a chair


def thing(rng, annotation_id, image_id):
    area = 10 ** rng.uniform(2.2, 4.7)
    width = area**0.5 * rng.uniform(0.4, 2.5)
    box = [round(v, 1) for v in (rng.uniform(0, 500), rng.uniform(0, 400), width, area / width)]
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": rng.choice([1, 1, 3, 18]),
        "iscrowd": int(rng.random() < 0.15),
        "bbox": box,
        "area": rng.choice([1024, 9216, round(area * rng.uniform(0.5, 1), 1)]),
    }


def box_found(rng, truth):
    x, y, w, h = truth["bbox"]
    noise = rng.choice([0, 0.05, 0.1, 0.3])
    moved = [x + rng.gauss(0, noise * w), y + rng.gauss(0, noise * h), w * rng.uniform(1 - noise, 1 + noise), h]
    category = truth["category_id"] if rng.random() < 0.9 else rng.choice(list(CATEGORIES))
    return box_result(truth["image_id"], category, moved, round(rng.random(), 1))


def box_result(image_id, category_id, box, score):
    return {"image_id": image_id, "category_id": category_id, "bbox": [round(v, 2) for v in box], "score": score}


def random_box(rng):
    return [rng.uniform(0, 600), rng.uniform(0, 440), rng.uniform(1, 200), rng.uniform(1, 200)]


def synthetic_boxes(seed, images):
    """The first image has more results of a category than count, the last ones no objects or no results."""
    rng = random.Random(seed)
    image_ids = rng.sample(range(1, 1000), images)
    annotations = []
    for image_id in image_ids[:-1]:
        for _ in range(rng.choice([0, 2, 5, 9]) if image_id != image_ids[0] else 12):
            annotations.append(thing(rng, len(annotations) + 1, image_id))
    results = []
    for truth in annotations:
        if truth["image_id"] == image_ids[-2] or rng.random() < 0.15:
            continue
        results += [box_found(rng, truth) for _ in range(rng.choice([1, 1, 2, 4]))]
    for image_id in image_ids[:-2] + image_ids[-1:]:
        for _ in range(rng.choice([0, 1, 3])):
            results.append(box_result(image_id, rng.choice(list(CATEGORIES)), random_box(rng), round(rng.random(), 1)))
    results += [box_result(image_ids[0], 1, random_box(rng), round(rng.random(), 2)) for _ in range(130)]
    rng.shuffle(results)
    truth = {
        "images": [{"id": i, "file_name": f"{i:012}.jpg", "width": 640, "height": 480} for i in image_ids],
        "categories": [{"id": i, "name": name} for i, name in CATEGORIES.items()],
        "annotations": annotations,
    }
    return truth, results


def pycocotools_stats(truth, results, kind="keypoints", sigmas=None):
    import numpy
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes([dict(r) for r in results]), kind)
        if sigmas:
            evaluation.params.kpt_oks_sigmas = numpy.array(sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(v) for v in evaluation.stats]


def write(folder, prefix, truth, results, kind):
    stats = pycocotools_stats(truth, results, kind)
    for name, value in (("annotations", truth), ("results", results), ("expected", stats)):
        text = json.dumps(value, separators=(",", ":")).replace("},{", "},\n{")
        (folder / f"{prefix}{name}.json").write_text(text + "\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    write(folder, "", *synthetic(seed=3, images=5), "keypoints")
    write(folder, "boxes_", *synthetic_boxes(seed=2, images=5), "bbox")


if __name__ == "__main__":
    main()
