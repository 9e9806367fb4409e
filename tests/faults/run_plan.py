#!/usr/bin/env python3
"""Runs posecam on a simulated Neuron device that misbehaves as a plan orders, and checks what comes of it.

usage: run_plan.py POSECAM SOURCE_FOLDER PLAN.json

A plan: {"about": TEXT, "machine": {as NEURON_SIM_CONFIG}, "environment": {...}, "arguments": [...],
"interrupt_after": SECONDS, "expect": {"exit": CODE, "frames": N, "unanalysed": N or [LEAST, MOST],
"says": [TEXT, ...], "never_says": [TEXT, ...], "within": SECONDS}}

The people of all analysed frames are always compared with those of a run without faults, place by place.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

FRAMES = 120


def run(posecam, model, clip, machine, environment, arguments, output, folder, interrupt_after=None, within=60):
    """Exit code and everything that was said."""
    machine = {"pool": str(folder / "pool"), **machine}
    command = [posecam, "run", str(clip), "--model", str(model), "--device", "neuron-sim", "--max-frames", str(FRAMES),
               "--json-lines", str(output), *arguments]
    variables = {**os.environ, "NEURON_SIM_CONFIG": json.dumps(machine), "NEURON_RT_LOG_LEVEL": "QUIET", **environment}
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        if interrupt_after is not None:
            try:
                process.wait(interrupt_after)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        return None, said
    return process.returncode, said


def frames_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def differences(frames, truth, expect, said):
    """Everything that is not as expected, a line each."""
    unanalysed = sum(frame["status"] != "analysed" for frame in frames)
    if "frames" in expect and len(frames) != expect["frames"]:
        yield f"{len(frames)} frames, expected {expect['frames']}"
    wanted = expect.get("unanalysed", 0)
    least, most = wanted if isinstance(wanted, list) else (wanted, wanted)
    if not least <= unanalysed <= most:
        yield f"{unanalysed} frames unanalysed, expected {wanted}"
    for number, (frame, true) in enumerate(zip(frames, truth)):
        if frame["frame_id"] != number:
            yield f"frame {frame['frame_id']} where {number} should be"
            break
        if frame["status"] == "analysed" and frame["people"] != true["people"]:
            yield f"frame {number} has other people than without faults"
            break
    for text in expect.get("says", []):
        if text not in said:
            yield f"does not say: {text}"
    for text in expect.get("never_says", []):
        if text in said:
            yield f"says: {text}"


def main():
    posecam, source, plan_file = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    plan = json.loads(plan_file.read_text())
    expect = plan["expect"]
    model = source / "tests/data/tiny_pose.json"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
            os.environ[variable] = name
        subprocess.run([posecam, "compile", str(model), "--target", "sim", "--batch", "1,4"],
                       check=True, capture_output=True)
        clip = source / "media/figures.mp4"
        code, said = run(posecam, model, clip, {"cores": 1}, {}, [], folder / "truth.ndjson", folder)
        if code != 0:
            sys.exit(f"without faults: {code}\n{said}")
        output = folder / "out.ndjson"
        code, said = run(posecam, model, clip, plan["machine"], plan.get("environment", {}), plan.get("arguments", []), output,
                         folder, plan.get("interrupt_after"), expect.get("within", 60))
        wrong = list(differences(frames_of(output), frames_of(folder / "truth.ndjson"), expect, said))
        if code != expect["exit"]:
            wrong.insert(0, "does not end" if code is None else f"exit code {code}, expected {expect['exit']}")
    if wrong:
        sys.exit("\n".join([plan["about"], *wrong, "--- it said:", said]))
    print(said)


if __name__ == "__main__":
    main()
