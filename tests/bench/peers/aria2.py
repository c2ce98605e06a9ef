"""aria2c as a daemon, over its JSON-RPC: it knows torrents by gid, and the list is in parts, waiting and active."""

import base64
import json

from .daemon import Daemon
from .wire import http

KEYS = ["gid", "infoHash", "status", "totalLength", "completedLength", "uploadLength", "downloadSpeed", "uploadSpeed",
        "connections", "numSeeders", "bittorrent"]


class Aria2(Daemon):
    name, program, package = "aria2", "aria2c", "aria2"

    def configure(self):
        self.gids = {}
        open(f"{self.folder}/session", "a").close()

    def command(self):
        session = f"{self.folder}/session"
        return ["aria2c", "--no-conf", "--enable-rpc", f"--rpc-listen-port={self.port}", f"--dir={self.files}",
                f"--input-file={session}", f"--save-session={session}", "--save-session-interval=10", "--force-save=true",
                "--enable-dht=false", "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--quiet=true",
                f"--listen-port={self.peer_port}", f"--interface={self.peer_ip}", "--max-concurrent-downloads=100000",
                "--seed-ratio=0.0", "--file-allocation=none", "--rpc-save-upload-metadata=true", "--check-integrity=true",
                "--max-download-result=0", "--bt-max-peers=0", "--disable-ipv6=true", "--bt-hash-check-seed=true",
                "--rpc-max-request-size=64M"]

    def ask(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "aria2." + method, "params": params}).encode()
        return http("POST", "/jsonrpc", (), body)

    def result(self, method, *params):
        return json.loads(self.line.text(self.ask(method, *params))[1])["result"]

    def ready(self):
        return bool(self.result("getVersion"))

    def add_request(self, torrent, info_hash, paused=True):
        return self.ask("addTorrent", base64.b64encode(torrent).decode(), [], {"pause": "true" if paused else "false"})

    def added(self, answer):
        return b'"result"' in answer

    def list_request(self):
        return self.ask("tellWaiting", 0, 1_000_000, KEYS)

    def status_request(self, info_hash):
        if info_hash not in self.gids:
            self.gids = {row["infoHash"]: row["gid"] for row in self.result("tellWaiting", 0, 1_000_000, ["gid", "infoHash"])}
        return self.ask("tellStatus", self.gids[info_hash], KEYS)

    def listed(self, text):
        return text.count(b'"gid":')

    def complete(self, info_hashes):
        rows = self.result("tellActive", ["completedLength", "totalLength", "seeder", "verifyIntegrityPending"])
        return sum(row.get("seeder") == "true" for row in rows) == len(info_hashes)
