#!/usr/bin/env python3
"""A small HTTP server for the download tests: one directory, byte ranges, and faults on request.

    range_server.py DIR [PEM]     https with a PEM of certificate and key; prints its port, serves until stdin closes, logs one line a request to DIR/requests.log

The first path element names the behaviour, the rest the file:
    /range/F    honours Range        /plain/F   ignores Range, sends all      /cut/F     closes after half of the file
    /long/F     sends one byte more, without a length        /shift/F   answers Range with another one
    /refuse/F   416 to every Range   /moved/F   redirect to /range/F          /away/F    redirect to a file:// URL
    /drip/F    a byte every 20 ms         /headers/F   headers without end      /self/F   redirect to itself
"""
import http.server
import os
import re
import ssl
import sys
import threading
import time


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
        targets = {"moved": f"/range/{name}", "away": f"file://{path}", "self": self.path}
        if mode in targets:
            self.send_response(302)
            self.send_header("Location", targets[mode])
            self.end_headers()
            return None
        with open(path, "rb") as file:
            data = file.read()
        if mode in ("drip", "headers"):
            return self.go_on(mode, data)
        return self.answer(mode, data, wanted)

    def go_on(self, mode, data):
        """Until the client has enough."""
        self.wfile.write(b"HTTP/1.0 200 OK\r\n" + (b"\r\n" if mode == "drip" else b""))
        try:
            for at in range(len(data)):
                self.wfile.write(data[at : at + 1] if mode == "drip" else b"X-More: " + b"x" * 1000 + b"\r\n")
                if mode == "drip":
                    time.sleep(0.02)
        except ConnectionError:
            pass

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
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
