#!/usr/bin/env python3
"""A small HTTP server for the download tests: one directory, byte ranges, and faults on request.

    range_server.py DIR      prints its port, serves until stdin closes, logs one line a request to DIR/requests.log

The first path element names the behaviour, the rest the file:
    /range/F    honours Range        /plain/F   ignores Range, sends all      /cut/F     closes after half of the file
    /long/F     sends one byte more, without a length        /shift/F   answers Range with another one
    /refuse/F   416 to every Range   /moved/F   redirect to /range/F          /away/F    redirect to a file:// URL
"""
import http.server
import os
import re
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        mode, _, name = self.path.lstrip("/").partition("/")
        wanted = self.headers.get("Range")
        with open(os.path.join(root, "requests.log"), "a", encoding="utf-8") as log:
            log.write(f"{mode} {wanted or 'all'}\n")
        path = os.path.join(root, name)
        if not os.path.isfile(path):
            return self.send_error(404)
        if mode in ("moved", "away"):
            self.send_response(302)
            self.send_header("Location", f"/range/{name}" if mode == "moved" else f"file://{path}")
            self.end_headers()
            return None
        with open(path, "rb") as file:
            data = file.read()
        return self.answer(mode, data, wanted)

    def answer(self, mode, data, wanted):
        match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        first = int(match[1]) if match else 0
        if match and mode == "refuse":
            return self.send_error(416)
        if match and mode == "shift":
            first += 1
        ranged = match and mode in ("range", "cut", "shift")
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            data = data[first:]
        if mode == "long":
            data += b"x"
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data[: len(data) // 2] if mode == "cut" else data)
        except ConnectionError:
            pass  # a client that has seen enough may hang up
        return None


root = sys.argv[1]
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
