"""openpose-lite, the network that comes with posecam, on the clip of media/ with its true keypoints beside it.

    built_in_network.py POSECAM MEDIA_DIR DEVICE...

Nothing is pulled: no model is named, and the user's store is empty, but for what is compiled there for neuron-sim. Every
device must reach the least AP on the whole clip and find the same people.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

posecam, media, *devices = sys.argv[1], pathlib.Path(sys.argv[2]), *sys.argv[3:]
LEAST_AP = 0.5
PIXELS = 1.0  # between two devices, which calculate in different orders


def run(home, *args):
    env = {**os.environ, "XDG_DATA_HOME": home, "NEURON_SIM_POOL": f"{home}/pool", "NEURON_SIM_CORES": "3"}
    done = subprocess.run([posecam, *map(str, args)], env=env,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def people(file):
    """Of each frame, the keypoints of its people, best first."""
    return [[person["pose_keypoints_2d"] for person in json.loads(line)["people"]] for line in file.read_text().splitlines()]


def same(a, b):
    """Positions within PIXELS; a keypoint at the threshold may be found by one device alone, hence the 2 of 100."""
    far = sum(abs(p - q) > PIXELS for i in (0, 1) for p, q in zip(a[i::3], b[i::3]))
    return far <= 0.02 * 2 * len(a[::3])


with tempfile.TemporaryDirectory() as home:
    folder = pathlib.Path(home)
    found = {}
    if "neuron-sim" in devices:
        run(home, "compile", "openpose-lite", "--target", "sim", "--batch", "1,4")
    for device in devices:
        ran = run(home, "run", media / "figures.mp4", "--device", device, "--precision", "f32",
                  "--json-lines", folder / f"{device}.ndjson", "--write-coco-json", folder / f"{device}.json")
        assert "openpose-lite" in ran.stderr and "posecam models pull openpose" in ran.stderr, ran.stderr
        scores = json.loads(run(home, "eval", "--annotations", media / "figures.json", "--results",
                                folder / f"{device}.json", "--json").stdout)
        print(device, "AP", scores["AP"])
        assert scores["AP"] >= LEAST_AP, scores
        found[device] = people(folder / f"{device}.ndjson")
    first = found[devices[0]]
    for device in devices[1:]:
        assert len(found[device]) == len(first)
        alike = sum(len(a) == len(b) and all(map(same, a, b)) for a, b in zip(first, found[device]))
        print(device, "as", devices[0], "on", alike, "of", len(first), "frames")
        assert alike >= 0.95 * len(first)
