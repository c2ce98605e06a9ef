"""A small web server for lists of addresses, for tests: python3 list_server.py FOLDER [CERTIFICATE KEY]

Serves the files of FOLDER with an ETag and 304, on a free port of 127.0.0.1 that it prints. Other paths misbehave:
/to-list redirects to /list, /to-file to a file:// URL, /endless never ends its body, /huge says that its own is huge,
/broken answers 500, /cut ends too soon, /page is no list, /slow hangs. Each request is a line of FOLDER/requests.log:
path, If-None-Match, status.
"""

import hashlib
import http.server
import os
import ssl
import sys
import time

folder = sys.argv[1]


class handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        known = self.headers.get("If-None-Match", "-")
        with open(os.path.join(folder, "requests.log"), "a") as log:
            log.write(f"{self.path} {known} {status}\n")
        self.send_response(status)
        if not headers.pop("endless", False) and "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/to-list":
            return self.answer(302, Location="/list")
        if path == "/to-file":
            return self.answer(302, Location="file://" + os.path.join(folder, "list"))
        if path == "/broken":
            return self.answer(500, b"1.2.3.4\n")
        if path == "/page":
            return self.answer(200, b"<html><body>Please log in</body></html>\n")
        if path == "/cut":
            return self.answer(200, b"1.2.3.4\n", Content_Length="1000")
        if path == "/slow":
            self.answer(200, Content_Length="1000000")
            time.sleep(600)
        if path == "/huge":
            return self.answer(200, b"1.2.3.4\n", Content_Length=str(1 << 40))
        if path == "/endless":
            self.answer(200, endless=True)
            try:
                while True:
                    self.wfile.write(b"1.2.3.4 # and so on\n" * 50000)
            except OSError:
                return
        try:
            with open(os.path.join(folder, os.path.basename(path)), "rb") as file:
                body = file.read()
        except OSError:
            return self.answer(404)
        etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        if self.headers.get("If-None-Match") == etag:
            return self.answer(304, ETag=etag)
        return self.answer(200, body, ETag=etag, Last_Modified="Sun, 22 Nov 2026 10:00:00 GMT")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
server.daemon_threads = True
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
