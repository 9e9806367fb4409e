"""Descriptors, networks, compiled networks and the cache of compiled networks, damaged."""

import functools
import hashlib
import json
import shutil
import subprocess

from clips import CLIP, check_documents
from harness import OK, ROOT, TINY, Finding, Skip, damaged

WRONG = (0, -1, 1, 2**31, 2**63, 1e308, 0.5, "", "x" * 5000, "a\x1b[2J\u202e", "../../etc/passwd", None, True, [], {},
         [[]], "heatmaps", 65536, 8, 64)
LITE = ROOT / "models/zoo/openpose-lite.json"


def fitted(descriptor, network):
    """The descriptor with the size and sum of that network, so that it is read and not refused for its sum."""
    for weights in descriptor["weights"].values():
        for file in weights["files"]:
            file["bytes"], file["sha256"] = len(network), hashlib.sha256(network).hexdigest()
    return descriptor


def walk(node, path=()):
    """All places of a document, as (container, key)."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield node, key
            yield from walk(value, (*path, key))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield node, at
            yield from walk(value, (*path, at))


def attack_descriptor(attack):
    """A descriptor with wrong values, or that is not even JSON."""
    rng = attack.random
    text = TINY.read_text()
    if rng.random() < 0.6:
        document = json.loads(text)
        for _ in range(rng.randint(1, 3)):
            container, key = rng.choice(list(walk(document)))
            container[key] = rng.choice(WRONG)
        text = json.dumps(document)
        content = text.encode()
    else:
        content = damaged(rng, text.encode())
    shutil.copy(TINY.with_suffix(".onnx"), attack.folder)
    descriptor = attack.write("tiny_pose.json", content)
    check_documents(attack.analyse("synthetic", "--model", descriptor, "--device", "opencv"))


def attack_network(attack):
    """A damaged ONNX network whose sum the descriptor gives as it is."""
    rng = attack.random
    attack.libraries_speak = True
    network = damaged(rng, TINY.with_suffix(".onnx").read_bytes())
    attack.write("tiny_pose.onnx", network)
    descriptor = attack.write("tiny_pose.json", json.dumps(fitted(json.loads(TINY.read_text()), network)).encode())
    device = rng.choice(("opencv", "openvino"))
    check_documents(attack.analyse("synthetic", "--model", descriptor, "--device", device))


@functools.cache
def compiled(posecam, home):
    """What posecam compile makes of the small network for the simulator."""
    folder = home / "compiled"
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    command = [str(posecam), "compile", str(TINY), "--target", "sim", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, env=env, timeout=60, check=False)
    if done.returncode != 0:
        raise Skip(f"cannot compile: {done.stderr[-200:]!r}")
    return folder


def attack_neff(attack):
    """A damaged NEFF on the simulator."""
    rng = attack.random
    attack.libraries_speak = True
    source = compiled(attack.posecam, attack.kept)
    folder = attack.folder / "model"
    shutil.copytree(source, folder)
    descriptor = next(path for path in folder.glob("*.json") if "weights" in json.loads(path.read_text()))
    neff = rng.choice(sorted(folder.glob("*.neff")))
    neff.write_bytes(damaged(rng, neff.read_bytes()))
    if rng.random() < 0.8:
        document = json.loads(descriptor.read_text())
        for weights in document["weights"].values():
            for file in weights["files"]:
                if file["name"] == neff.name:
                    file["bytes"] = neff.stat().st_size
                    file["sha256"] = hashlib.sha256(neff.read_bytes()).hexdigest()
        descriptor.write_text(json.dumps(document))
    check_documents(attack.analyse("synthetic", "--model", descriptor, "--device", "neuron-sim", bound=30))


def people_of(outcome):
    """What was found, without what differs between runs."""
    return [(frame["pts_ns"], frame["people"]) for frame in map(json.loads, outcome.out.splitlines())]


def attack_cache(attack):
    """A damaged file in the cache of OpenVINO's networks: the same people are found."""
    rng = attack.random
    cache = attack.kept / ".cache/posecam/openvino"
    args = (CLIP, "--model", LITE, "--device", "openvino")
    if not hasattr(attack_cache, "people"):
        first = attack.analyse(*args, frames=2, bound=60)
        if first.code != OK:
            raise Skip("no OpenVINO here")
        attack_cache.people = people_of(first)
    of_nothing = cache / ("0" * 64 + ".network")
    files = sorted(file for file in cache.glob("*.network") if file != of_nothing)
    if not files:
        raise Finding("a run left no network in the cache")
    file = rng.choice(files)
    way = rng.random()
    if way < 0.8:
        file.write_bytes(damaged(rng, file.read_bytes()))
    elif way < 0.9:
        file.write_bytes(b"")
    else:
        shutil.copy(file, of_nothing)
        file.unlink()
        file.mkdir()
    outcome = attack.analyse(*args, frames=2, bound=60, codes=(OK,))
    if file.is_dir():
        file.rmdir()
        attack.analyse(*args, frames=2, bound=60)  # which caches it anew
    if people_of(outcome) != attack_cache.people:
        raise Finding("other people were found with a damaged file in the cache")

