"""Kills, full disks, limits, pipes, closed descriptors and other users."""

import json
import os
import resource
import signal
import subprocess
import time

from clips import CLIP, check_documents
from harness import MEDIA, OK, TINY, Finding, Skip, as_nobody, need, need_root, small_disk

MODEL = ("--model", str(TINY), "--device", "opencv")


def check_files(folder):
    """Nothing has its final name that is not whole."""
    for path in folder.iterdir():
        if path.suffix == ".ndjson":
            text = path.read_bytes()
            if not text.endswith(b"\n"):
                raise Finding(f"{path.name} is half-written")
            for line in text.splitlines():
                json.loads(line)
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
        elif path.suffix == ".mp4" and b"moov" not in path.read_bytes():
            raise Finding(f"{path.name} has no index")


def outputs(folder):
    return ("--write-video", folder / "out.mp4", "--json-lines", folder / "out.ndjson", "--write-coco-json",
            folder / "coco.json")


def attack_kill(attack):
    """Ended at a random moment, by a signal that it can and one that it cannot hear."""
    rng = attack.random
    folder = attack.folder / "out"
    folder.mkdir()
    hard = rng.random() < 0.6
    source = ("synthetic",) if hard else (CLIP, "--max-frames", "60")  # it goes on until it is killed
    process = attack.start("run", *source, *MODEL, *outputs(folder))
    time.sleep(rng.random() ** 2 * 1.5 + (1.5 if hard else 0))
    process.send_signal(signal.SIGKILL if hard else rng.choice((signal.SIGINT, signal.SIGTERM)))
    if hard:
        process.communicate()
    else:
        codes = (0, 130, -signal.SIGINT, -signal.SIGTERM)  # before it listens, a signal ends it as any program
        try:
            out, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Finding("does not end when asked to") from None
        if process.returncode not in codes:
            raise Finding(f"interrupted, it ended with {process.returncode}: {out!r} {err[-200:]!r}")
    check_files(folder)
    part = folder / "out.mp4.part"
    if hard and part.exists() and part.read_bytes().count(b"moof") > 1:
        check_documents(attack.analyse(part, codes=(OK,)))  # what was complete until then can be played
    again = attack.run("run", CLIP, *MODEL, *outputs(folder), "--max-frames", "3", codes=(OK,))
    if not (folder / "out.mp4").exists():
        raise Finding(f"what a killed run left keeps the next one from writing: {again.err!r}")
    check_files(folder)


def attack_disk(attack):
    """Outputs on a disk that is full sooner or later."""
    kilobytes = attack.random.choice((4, 8, 16, 64, 128, 256, 512, attack.random.randrange(4, 2000)))
    with small_disk(attack.folder / "disk", kilobytes) as disk:
        outcome = attack.run("run", CLIP, *MODEL, *outputs(disk), "--max-frames", "30", codes=(OK, MEDIA))
        check_files(disk)
        whole = all((disk / name).exists() for name in ("out.mp4", "out.ndjson", "coco.json"))
        if (outcome.code == OK) != whole:
            raise Finding(f"code {outcome.code}, and {sorted(p.name for p in disk.iterdir())} on {kilobytes} kB")


def attack_limits(attack):
    """Few descriptors, small files, little memory for threads."""
    rng = attack.random
    what, most = rng.choice(((resource.RLIMIT_NOFILE, rng.randrange(3, 64)), (resource.RLIMIT_NOFILE, 64),
                             (resource.RLIMIT_FSIZE, rng.randrange(0, 200_000))))
    folder = attack.folder / "out"
    folder.mkdir()
    # With 3 to 20 descriptors the loader itself finds none for its libraries, and says so in its own way.
    loader = what == resource.RLIMIT_NOFILE and most < 20
    codes = (0, 2, 3, 4, 5, 127) if loader else (0, 2, 3, 4, 5)
    process = attack.start("run", CLIP, CLIP, *MODEL, *outputs(folder)[:4], "--max-frames", "6",
                           preexec_fn=lambda: resource.setrlimit(what, (most, most)))
    try:
        _, err = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Finding(f"hangs with limit {what} at {most}") from None
    if process.returncode not in codes:
        raise Finding(f"limit {what} at {most}: ended with {process.returncode}: {err[-300:]!r}")
    check_files(folder)


def attack_pipes(attack):
    """Pipes that nobody writes or reads where a file is expected; what waits ends when it is asked to."""
    rng = attack.random
    pipe = attack.folder / rng.choice(("x.mp4", "x.json", "x.toml", "x.jpg", "x.part"))
    os.mkfifo(pipe)
    use = rng.choice((("run", CLIP, *MODEL, "--json-lines", attack.folder / "x"), ("run", pipe, *MODEL),
                      ("run", CLIP, "--model", pipe), ("run", CLIP, "--config", pipe), ("run", attack.folder, *MODEL),
                      ("run", CLIP, *MODEL, "--labels-file", pipe), ("bench", "--compare", pipe, pipe)))
    process = attack.start(*use, "--max-frames", "2") if use[0] == "run" else attack.start(*use)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Finding(f"{use} does not end while it waits for a pipe") from None
    if process.returncode not in (0, 2, 3, 4, 5, 130, -signal.SIGTERM):
        raise Finding(f"{use}: {process.returncode}")


def attack_descriptors(attack):
    """Started without standard input, output or error."""
    closed = attack.random.choice(((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)))
    folder = attack.folder / "out"
    folder.mkdir()
    with (attack.folder / "said").open("wb") as said:
        process = attack.start("run", CLIP, *MODEL, *outputs(folder), "--max-frames", "3", stdin=None, stdout=said,
                               stderr=said, preexec_fn=lambda: [os.close(fd) for fd in closed])
        try:
            code = process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Finding(f"hangs without {closed}") from None
    if code not in (0, 4, 5):
        raise Finding(f"without {closed}: ended with {code}")
    check_files(folder)


def attack_user(attack):
    """Another user was in /tmp first, with folders, pipes, links and boards of his own."""
    need_root()
    need("unshare")
    rng = attack.random
    tmp = attack.folder / "tmp"
    tmp.mkdir()
    tmp.chmod(0o1777)
    for above in (attack.folder, *attack.folder.parents[:3]):
        above.chmod(0o755)
    names = ("posecam-0", "posecam-neuron-sim-0")

    def lay():
        for name in names:
            place = tmp / name
            way = rng.randrange(4)
            if way == 0:
                os.mkfifo(place, 0o666)
            elif way == 1:
                place.symlink_to("/etc")
            else:
                place.mkdir(0o755 if way == 2 else 0o777)
                for file in ("1.cores", "core-0", "lock"):
                    if rng.random() < 0.7:
                        os.mkfifo(place / file, 0o666)
                    else:
                        (place / file).write_bytes(b"PSCBRD01CNSIM-01" + b"\x1b[2J" * rng.randrange(10_000))
    as_nobody(lay)
    environment = attack.environment()
    del environment["XDG_RUNTIME_DIR"]
    environment["TMPDIR"] = rng.choice(("/tmp", "/nowhere", "relative", "", "/dev/null", str(tmp)))
    inside = f'mount --bind {tmp} /tmp 2>/dev/null || exit 99; exec "$@"'
    use = rng.choice((("devices",), ("devices", "--json"), ("run", CLIP, *MODEL, "--max-frames", "2"),
                      ("run", CLIP, "--model", TINY, "--device", "neuron-sim", "--max-frames", "2")))
    command = ["unshare", "-m", "sh", "-c", inside, "sh", attack.posecam, *use]
    command = [str(part) for part in command]
    process = subprocess.Popen(command, cwd=attack.folder, env=environment, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if (outcome := attack.finish(process, codes=(0, 2, 3, 4, 5, 1, 99))).code in (1, 99):
        raise Skip("cannot have a /tmp of its own")
    if b"\x1b" in outcome.out:
        raise Finding(f"another user's text reaches the terminal: {outcome.out[:200]!r}")
