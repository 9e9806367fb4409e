"""Names and answers as attackers give them, and addresses with passwords."""

import json
import socket
import threading
import time

from clips import CLIP
from harness import MEDIA, OK, TINY, USAGE, Finding

MARKS = ("\x1b[2J", "\x1b]0;title\x07", "\r", "\n", "\x7f", "\x9b2J", "\u202e", "\u2066", "\u200f", "\u2028", "\b")


def evil_name(rng, ending):
    name = "a" + rng.choice(MARKS) + "b" + rng.choice(MARKS) + "c" + ending
    return name.encode() if rng.random() < 0.8 else b"\x9b\xff" + name.encode()


def lines_of(outcome):
    return [line for line in outcome.err.splitlines() if line.startswith(b"posecam: ")]


def attack_names(attack):
    """Files, keys and models with names that a terminal would obey: harness.check_lines() looks at what is said."""
    rng = attack.random
    name = evil_name(rng, rng.choice((".mp4", ".jpg", ".json", "")))
    place = attack.folder / name.decode(errors="surrogateescape")
    way = rng.randrange(6)
    if way == 0:
        if len(lines_of(attack.run("run", place, codes=(MEDIA,)))) != 1:
            raise Finding(f"{name!r} makes more than one line")
    elif way == 1:  # JSON has the whole name, without a mark in it that a terminal obeys
        place.write_bytes(CLIP.read_bytes())
        outcome = attack.analyse(place, frames=2, codes=(OK,))
        if any(mark.encode() in outcome.out.replace(b"\n", b"") for mark in MARKS if mark != "\n"):
            raise Finding(f"JSON has {name!r} as it is: {outcome.out[:100]!r}")
        for line in outcome.out.splitlines():
            json.loads(line)
    elif way == 2:
        attack.run("run", "synthetic", "--model", name.decode(errors="surrogateescape"), codes=(3, USAGE))
    elif way == 3:
        key = json.dumps(name.decode(errors="replace"))
        attack.write("c.toml", f"{key} = 1\n".encode())
        attack.run("run", "synthetic", "--config", attack.folder / "c.toml", codes=(USAGE, 3))
    elif way == 4:
        place.write_bytes(b"nothing of value")
        attack.analyse(place, codes=(MEDIA,))
    else:
        folder = attack.folder / "out"
        folder.mkdir()
        video = folder / name.decode(errors="surrogateescape").replace("/", "_")
        attack.run("run", CLIP, "--model", TINY, "--device", "opencv", "--max-frames", "2", "--write-video",
                   video.with_suffix(".mp4"), codes=(OK, USAGE, MEDIA))


def attack_passwords(attack):
    """Addresses whose password is in no message, whatever stands in it."""
    rng = attack.random
    secret = "s3" + rng.choice(("", "/", "@", "?", "#", ":", "%2F", "%40", "/@", "?/", "\xe9", "@/?#:")) + "cret7"
    scheme = rng.choice(("rtsp", "http", "https", "rtspt", "foo", "rtmp"))
    address = f"{scheme}://me:{secret}@127.0.0.1:1/live?mail=a@b"
    apart = ("--isolate", "yes") if rng.random() < 0.5 else ()
    outcome = attack.run("run", address, "--model", TINY, "--device", "opencv", *apart, codes=(USAGE, MEDIA), bound=40)
    for part in ("s3", "cret7"):
        if part.encode() in outcome.err + outcome.out:
            raise Finding(f"{address}: {outcome.err!r}")


class Server:
    """Answers one connection after the other with `answer(connection, rng)`, until it is closed."""

    def __init__(self, answer, rng):
        self.answer, self.rng = answer, rng
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.requests = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.requests += 1
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            with connection:
                connection.recv(65536)
                self.answer(self, connection)
        except OSError:
            pass

    def close(self):
        self.socket.close()


def drip(_, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"\0")
        time.sleep(0.05)


def endless_headers(_, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(200_000):
        connection.sendall(b"X-Filler: " + b"a" * 1000 + b"\r\n")


def send_elsewhere(connection, address):
    connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {address}\r\nContent-Length: 0\r\n\r\n".encode())


def redirect(server, connection):
    send_elsewhere(connection, f"http://127.0.0.1:{server.port}/again")


def rude(_, connection):
    connection.sendall(b"HTTP/1.1 404 \x1b[2J\xe2\x80\xaeposecam\r\nContent-Length: 0\r\n\r\n")


def lie(server, connection):
    clip = CLIP.read_bytes()
    length = server.rng.choice((0, 1, len(clip) * 2, 2**63, -1))
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Type: video/mp4\r\n\r\n".encode())
    connection.sendall(clip[:server.rng.randrange(len(clip))])


def noise(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + server.rng.randbytes(100_000))


def to_a_file(_, connection):
    send_elsewhere(connection, CLIP.as_uri())


def attack_server(attack):
    """Servers that drip, lie, go round in circles or never end a header. A slow one may be waited for until SIGTERM."""
    answer = attack.random.choice((drip, endless_headers, redirect, rude, lie, noise, to_a_file))
    server = Server(answer, attack.random)
    try:
        process = attack.start("run", f"http://127.0.0.1:{server.port}/clip.mp4", "--model", TINY, "--device", "opencv",
                               "--max-frames", "3", "--json-lines", "-")
        until = time.monotonic() + (1.5 if answer is drip else 15)
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
            if server.requests > 1000:
                break
        asked = process.poll() is None
        if asked:
            process.terminate()
        outcome = attack.finish(process, bound=10, codes=(OK, MEDIA, 130))
    finally:
        server.close()
    if asked and answer not in (drip, endless_headers):
        raise Finding(f"{answer.__name__}: never ends, after {server.requests} requests")
    if answer is to_a_file and outcome.code == OK:
        raise Finding("a server made it read a file of this machine")
