"""What the soak drives: a ccbtd in a folder of its own, its API over HTTP and WebSocket, and what it takes of the
machine. Standard library alone."""

import base64
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time


class Wrong(Exception):
    """An answer that should not have come."""


class Daemon:
    """One ccbtd. Who asks while it is being restarted waits for the new one."""

    def __init__(self, program, folder, address, settings=""):
        self.program, self.folder, self.address = program, pathlib.Path(folder), address
        self.files = self.folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        (self.folder / "ccbt.toml").write_text(f"""
network.listen_interface = "{address}"
network.listen_port_tcp = 0
network.enable_ipv6 = false
discovery.enable_dht = false
discovery.enable_pex = false
discovery.enable_lsd = false
nat.enable_upnp = false
nat.enable_nat_pmp = false
nat.auto_map_ports = false
queue.auto_manage_queue = false
disk.download_path = "{self.files}"
daemon.ipc_port = 0
daemon.state_dir = "{self.folder}/state"
{settings}""")
        self.up = threading.Event()
        self.process, self.starts, self.kills = None, 0, 0
        self.start()

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", self.folder / "ccbt.toml"], stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, "HOME": str(self.folder)}, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready http://"):
            raise Wrong(f"{self.folder.name} is not ready: {line!r}")
        self.host, port = line.split("//")[1].strip().split(":")
        self.port = int(port)
        self.key = (self.folder / "state/api_key").read_text().strip()
        self.starts += 1
        self.up.set()

    def stop(self, hard=False):
        self.up.clear()
        self.process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
        code = self.process.wait(30)
        self.process.stdout.close()
        self.kills += hard
        if code != (-signal.SIGKILL if hard else 0):
            raise Wrong(f"{self.folder.name} ended with {code}")

    def ask(self, method, path, body=None, accept=(200,), headers=None):
        """(status, JSON) of an answer; asked again where the daemon went away meanwhile."""
        text = None if body is None else json.dumps(body)
        with_key = {"X-CCBT-API-Key": "", **(headers or {})}
        if text is not None:
            with_key["Content-Type"] = "application/json"
        tries = 0
        while True:
            self.up.wait(60)
            with_key["X-CCBT-API-Key"] = self.key
            line = http.client.HTTPConnection(self.host, self.port, timeout=60)
            try:
                line.request(method, "/api/v1" + path, text, with_key)
                answer = line.getresponse()
                said = answer.read()
                self.revision = answer.headers.get("X-CCBT-Revision")
                if answer.status == 503 and b"SHUTTING_DOWN" in said:
                    raise ConnectionError
            except (OSError, http.client.HTTPException) as error:
                tries += 1
                if self.starts < 2 or tries > 20:
                    raise Wrong(f"{method} {path}: {error!r}") from error
                time.sleep(0.3)
                continue
            finally:
                line.close()
            # What was asked before a restart may be done already.
            if answer.status not in accept and not (tries and answer.status in (404, 409)):
                raise Wrong(f"{self.folder.name}: {method} {path} {str(body)[:200]}: {answer.status} {said[:500]!r}")
            if "json" in answer.headers.get("Content-Type", "") and said:
                said = json.loads(said)
            return answer.status, said

    def get(self, path, **more):
        return self.ask("GET", path, **more)[1]

    def watch(self, reads_much=True):
        """A WebSocket after its handshake, or None where the daemon is away."""
        self.up.wait(60)
        line = socket.socket()
        if not reads_much:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(20)
        try:
            line.connect((self.host, self.port))
            line.sendall((f"GET /api/v1/events HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
                          f"X-CCBT-API-Key: {self.key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Version: 13\r\n"
                          f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
            head = line.recv(4096)
        except OSError:
            head = b""
        if not head.startswith(b"HTTP/1.1 101"):
            line.close()
            return None
        return line

    # ---- what it takes

    def standing(self):
        proc = pathlib.Path(f"/proc/{self.process.pid}")
        rollup = dict(re.findall(r"^(\w+): +(\d+) kB", (proc / "smaps_rollup").read_text(), re.M))
        links = []
        for fd in (proc / "fd").iterdir():
            try:
                links.append(os.readlink(fd))
            except OSError:
                pass
        store = sum(f.stat().st_size for f in (self.folder / "state").glob("ccbt.db*"))
        return {"rss": int(rollup["Rss"]), "anon": int(rollup["Anonymous"]), "threads": len(list((proc / "task").iterdir())),
                "fds": len(links), "store": store // 1024}

    def metric(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics").decode(), re.M)
        return float(found[1]) if found else 0.0


def frames_in(data):
    """Opcodes of the whole frames of a server in `data`, and what is left of it."""
    out = []
    while len(data) >= 2:
        size, head = data[1] & 127, 2
        if size == 126 and len(data) >= 4:
            size, head = struct.unpack(">H", data[2:4])[0], 4
        elif size == 127 and len(data) >= 10:
            size, head = struct.unpack(">Q", data[2:10])[0], 10
        if size in (126, 127) and head == 2 or len(data) < head + size:
            break
        out.append(data[0] & 15)
        data = data[head + size:]
    return out, data
