"""Clips, pictures and playlists of strangers."""

import functools
import http.server
import json
import struct
import subprocess
import threading

from harness import MEDIA, OK, ROOT, Finding, Skip, damaged

CLIP = ROOT / "media/figures.mp4"
PICTURE = ROOT / "media/annotated.jpg"


@functools.cache
def made(launch):
    """What a pipeline of GStreamer writes to its standard output."""
    command = ["gst-launch-1.0", "-q", *launch.split(), "!", "fdsink"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except FileNotFoundError:
        raise Skip("needs gst-launch-1.0") from None
    return done.stdout if done.returncode == 0 else b""


def containers():
    moving = "videotestsrc num-buffers=12 pattern=ball ! video/x-raw,width=64,height=48,framerate=25/1,format=I420"
    endings = {"mkv": "jpegenc ! matroskamux", "avi": "jpegenc ! avimux", "mov": "jpegenc ! qtmux",
               "webm": "vp8enc ! webmmux", "ogv": "theoraenc ! oggmux", "y4m": "y4menc",
               "ts": "x264enc ! h264parse ! mpegtsmux", "flv": "x264enc ! h264parse ! flvmux",
               "264": "x264enc ! video/x-h264,stream-format=byte-stream", "mjpeg": "jpegenc",
               "mp4": "x264enc ! h264parse ! mp4mux fragment-duration=100"}
    return {kind: f"{moving} ! {end}" for kind, end in endings.items()}


def containers_of(clip):
    """Where the boxes of an MP4 file begin, also those in others."""
    parents = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"mvex", b"moof", b"traf")
    found, open_parts = [], [(0, len(clip))]
    while open_parts:
        at, end = open_parts.pop()
        while at + 8 <= end:
            size, kind = struct.unpack(">I4s", clip[at:at + 8])
            if size < 8 or at + size > end:
                break
            found.append((at, size, kind))
            if kind in parents:
                open_parts.append((at + 8, at + size))
            at += size
    return found


def with_wrong_boxes(rng, clip):
    """Sizes, kinds, counts and places of boxes that lie."""
    data = bytearray(clip)
    boxes = [box for box in containers_of(clip) if box[2] != b"mdat"]
    for _ in range(rng.randint(1, 4)):
        at, size, _ = rng.choice(boxes)
        way = rng.randrange(5)
        if way == 0:
            size = rng.choice((0, 1, 7, 8, size - 1, size + 1, 0x7FFFFFFF, 0xFFFFFFFF))
            data[at:at + 4] = struct.pack(">I", size & 0xFFFFFFFF)
        elif way == 1:
            data[at + 4:at + 8] = rng.choice(boxes)[2]
        elif way == 2 and size >= 16:  # behind version and flags: often a count
            data[at + 12:at + 16] = struct.pack(">I", rng.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)))
        elif way == 3 and size > 16:
            where = rng.randrange(at + 8, at + size - 4)
            data[where:where + 4] = rng.randbytes(4)
        else:
            data[at + 8:at + size] = damaged(rng, data[at + 8:at + size])[:size - 8].ljust(size - 8, b"\0")
    return bytes(data)


def check_documents(outcome):
    """Each line that came out is a whole JSON document."""
    lines = outcome.out.split(b"\n")
    if lines.pop() != b"":
        raise Finding("the last line of NDJSON is cut")
    for line in lines:
        json.loads(line)


def attack_clip(attack):
    """A damaged clip of any container."""
    rng = attack.random
    kinds = containers()
    kind = rng.choice(["figures", *kinds])
    whole = CLIP.read_bytes() if kind == "figures" else made(kinds[kind])
    if not whole:
        return
    wrong = with_wrong_boxes if whole[4:8] == b"ftyp" and rng.random() < 0.6 else damaged
    clip = attack.write(f"clip.{'mp4' if kind == 'figures' else kind}", wrong(rng, whole))
    isolated = ("--isolate", "yes") if rng.random() < 0.3 else ()
    # Of a clip whose demuxer fails at once decodebin may lose the error: --stall-limit ends that after 30 s.
    check_documents(attack.analyse(clip, *isolated, bound=45))


def attack_picture(attack):
    """A damaged picture, alone or among others."""
    rng = attack.random
    raw = "videotestsrc num-buffers=1 ! video/x-raw,width=64,height=48"
    makers = {"jpg": PICTURE.read_bytes(), "png": made(raw + " ! pngenc"), "webp": made(raw + " ! webpenc"),
              "pnm": made(raw + ",format=RGB ! pnmenc"),
              "bmp": struct.pack("<2sIIIIiiHH", b"BM", 54 + 6912, 0, 54, 40, 48, 48, 1, 24) + bytes(24 + 6912),
              "gif": b"GIF89a\x10\0\x10\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x10\0\x10\0\0\x02\x02\x4c\x01\0;",
              "tif": b"II*\0\x08\0\0\0\x02\0\0\1\3\0\1\0\0\0\x10\0\0\0\1\1\3\0\1\0\0\0\x10\0\0\0\0\0\0\0"}
    kind = rng.choice(list(makers))
    if not makers[kind]:
        return
    folder = attack.folder / "pictures"
    folder.mkdir()
    (folder / f"1.{kind}").write_bytes(damaged(rng, makers[kind]))
    if rng.random() < 0.5:
        (folder / "2.jpg").write_bytes(makers["jpg"])
        check_documents(attack.analyse(folder))
    else:
        check_documents(attack.analyse(folder / f"1.{kind}"))


class Canary(http.server.BaseHTTPRequestHandler):
    """Says that somebody came."""

    def do_GET(self):
        self.server.visits.append(self.path)
        self.send_error(404)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


def attack_playlist(attack):
    """A text that names other files and a server, called a clip: it is refused, and nobody is visited."""
    rng = attack.random
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    server.visits = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = rng.choice((f"http://127.0.0.1:{server.server_port}/canary", CLIP.as_uri(), str(CLIP)))
    texts = (f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{there}\n#EXT-X-ENDLIST\n",
             f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{there}\n",
             f"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"{there}\"\n#EXTINF:1,\n{there}\n",
             f"ffconcat version 1.0\nfile '{there}'\n",
             f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\na=control:{there}\nm=video 9 RTP/AVP 96\n",
             f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><BaseURL>{there}</BaseURL>'
             '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1"/></AdaptationSet></Period></MPD>',
             f'<!DOCTYPE x [<!ENTITY e SYSTEM "{there}">]><x>&e;</x>',
             f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{there}"/></svg>',
             f"[playlist]\nFile1={there}\nNumberOfEntries=1\n", f"RTSPtext\n{there}\n", f"[Reference]\nRef1={there}\n")
    text = rng.choice(texts)
    if rng.random() < 0.3:
        text = damaged(rng, text.encode()).decode(errors="replace")
    clip = attack.write(f"clip.{rng.choice(('mp4', 'm3u8', 'mkv', 'jpg', 'sdp', 'mpd', 'ffconcat'))}", text.encode())
    try:
        outcome = attack.analyse(clip)
    finally:
        server.shutdown()
        server.server_close()
    if server.visits:
        raise Finding(f"a server that {clip.name} names was asked: {server.visits}")
    if outcome.code == OK or outcome.out:
        raise Finding(f"{text[:60]!r} was read as a clip")
    if outcome.code != MEDIA:
        raise Finding(f"code {outcome.code} for a playlist: {outcome.err!r}")
