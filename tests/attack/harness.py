"""What attacks have in common: posecam run with a bound on its time, and what counts as a finding."""

import contextlib
import dataclasses
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys

OK, USAGE, MODEL, DEVICE, MEDIA, INTERRUPTED = 0, 2, 3, 4, 5, 130
CODES = (OK, USAGE, MODEL, DEVICE, MEDIA, INTERRUPTED)  # README.md
ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/data/tiny_pose.json"
NOBODY = 65534


class Finding(Exception):
    """Something that must not happen; says what."""


class Skip(Exception):
    """This machine or user cannot try it; says why."""


@dataclasses.dataclass
class Outcome:
    code: int
    out: bytes
    err: bytes

    def says(self, text):
        return text.encode() in self.err


class Attack:
    """One try: a folder of its own, random numbers of its own, and the program."""

    def __init__(self, posecam, folder, seed):
        self.posecam, self.folder, self.random = posecam, folder, random.Random(seed)
        self.kept = self.folder.parent / "home"  # caches, which tries share
        self.libraries_speak = False  # past the program, on standard error
        self.folder.mkdir(parents=True)

    def environment(self, **more):
        names = ("PATH", "LD_LIBRARY_PATH", "GST_PLUGIN_PATH")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        home = {"HOME": str(self.kept), "GST_REGISTRY_FORK": "no", "GST_REGISTRY": str(self.kept / "registry.bin")}
        return kept | home | {"XDG_RUNTIME_DIR": str(self.folder), "LC_ALL": "C.UTF-8"} | more

    def start(self, *args, env=None, **more):
        command = [str(self.posecam), *(os.fspath(a) if isinstance(a, os.PathLike) else a for a in args)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        environment = env or self.environment()
        return subprocess.Popen(command, env=environment, cwd=self.folder, start_new_session=True, **pipes)

    def finish(self, process, bound=20, codes=CODES):
        """Waits; a signal, a hang or a code that is not documented is a finding."""
        try:
            out, err = process.communicate(timeout=bound)
        except subprocess.TimeoutExpired:
            kill(process)
            raise Finding(f"still there after {bound} s") from None
        outcome = Outcome(process.returncode, out or b"", err or b"")
        if outcome.code < 0 or outcome.code not in codes:
            what = f"signal {-outcome.code}" if outcome.code < 0 else f"code {outcome.code}"
            raise Finding(f"ended with {what}: {outcome.err[-300:].decode(errors='replace')}")
        check_lines(outcome, self.libraries_speak)
        return outcome

    def run(self, *args, bound=20, codes=CODES, **more):
        return self.finish(self.start(*args, **more), bound, codes)

    def analyse(self, clip, *args, frames=4, **more):
        """Its people as NDJSON on standard output."""
        tiny = () if "--model" in args else ("--model", TINY, "--device", "opencv")
        return self.run("run", clip, "--max-frames", str(frames), "--json-lines", "-", *tiny, *args, **more)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def check_lines(outcome, libraries_speak=False):
    """People are told in lines that a terminal shows as they are, and told something where something went wrong."""
    text = outcome.err.decode(errors="surrogateescape")
    for character in "" if libraries_speak else text:
        code = ord(character)
        control = (code < 0x20 and character != "\n") or 0x7F <= code <= 0x9F
        hidden = control or code == 0x61C or 0xDC80 <= code <= 0xDCFF  # the last: no UTF-8
        if hidden or code in (0x200E, 0x200F) or 0x2028 <= code <= 0x202E or 0x2066 <= code <= 0x2069:
            raise Finding(f"standard error has U+{code:04X}: {text[-200:]!r}")
    if outcome.code not in (OK, INTERRUPTED) and "posecam: " not in text:
        raise Finding(f"code {outcome.code} without a word: {text[:200]!r}")


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def need(program):
    if shutil.which(program) is None:
        raise Skip(f"needs {program}")


def as_nobody(act):
    """Does that as another user and waits."""
    need_root()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            act()
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] != 0:
        raise Skip("cannot become another user")


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    """A disk of that size there."""
    need_root()
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        raise Skip("cannot mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def damaged(rng, content):
    """Some bytes changed, a part left out, doubled, filled with zeros or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at = rng.randrange(len(data))
        length = min(rng.choice((1, 2, 4, 8, 64, 1024)), len(data) - at)
        way = rng.randrange(7)
        if way == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[at:at + length] = rng.randbytes(length)
        elif way == 2:
            data[at:at + length] = rng.choice((b"\0", b"\xff", b"\x7f")) * length
        elif way == 3:
            del data[at:at + length]
        elif way == 4:
            data[at:at] = data[at:at + length]
        elif way == 5:
            data[at:at + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
        else:
            del data[at + 1:]
    return bytes(data)


def say(text):
    print(text, file=sys.stderr, flush=True)
