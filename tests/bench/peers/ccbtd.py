"""ccbtd: the daemon of this repository."""

import base64
import json

from .daemon import Daemon
from .wire import Refused, http

CONFIG = """
[network]
listen_interface = "{ip}"
listen_port_tcp = {port}
enable_ipv6 = false
enable_utp = false
[discovery]
enable_dht = false
enable_pex = false
enable_lsd = false
[nat]
enable_upnp = false
enable_nat_pmp = false
auto_map_ports = false
[disk]
download_path = "{folder}/files"
[queue]
auto_manage_queue = false
[daemon]
ipc_port = 0
state_dir = "{folder}/state"
"""
FILTER = """
[security.ip_filter]
enable_ip_filter = true
filter_files = ["{file}"]
"""


class Ccbtd(Daemon):
    name, program = "ccbtd", "ccbtd"
    watches = prompt = filters = True
    build = "."

    def configure(self):
        with open(f"{self.folder}/ccbt.toml", "w") as file:
            file.write(CONFIG.format(folder=self.folder, ip=self.peer_ip, port=self.peer_port))
            if self.filter:
                file.write(FILTER.format(file=self.filter))
        self.ready_at = f"{self.folder}/ready"
        self.at = None
        self.mark = self.log_size()

    def log_size(self):
        try:
            with open(f"{self.folder}/log", "rb") as log:
                return len(log.read())
        except OSError:
            return 0

    def command(self):
        return [f"{self.build}/ccbtd", "--config", f"{self.folder}/ccbt.toml"]

    def address(self):
        return self.at

    def ready(self):
        with open(f"{self.folder}/log", "rb") as log:
            log.seek(self.mark)
            at = log.read().find(b"ready http://")
            log.seek(self.mark)
            text = log.read()[at:] if at >= 0 else b""
        if b"\n" not in text:
            return False
        host, port = text.split(b"\n")[0].split(b"//")[1].strip().decode().split(":")
        self.at, self.host = (host, int(port)), f"{host}:{port}"
        self.line.address = self.at
        with open(f"{self.folder}/state/api_key") as file:
            self.key = f"X-CCBT-API-Key: {file.read().strip()}"
        return True

    def ask(self, method, path, body=None, headers=()):
        data = b"" if body is None else json.dumps(body).encode()
        return http(method, "/api/v1" + path, (self.key, "Content-Type: application/json", *headers), data, self.host)

    def add_request(self, torrent, info_hash, paused=True):
        return self.ask("POST", "/torrents/add", {"torrent_data": base64.b64encode(torrent).decode(), "paused": paused})

    def batch_request(self, torrents):
        return self.ask("POST", "/torrents/batch/add", {"torrents": [
            {"torrent_data": base64.b64encode(one).decode(), "paused": True} for one in torrents]})

    def list_request(self):
        return self.ask("GET", "/torrents")

    def unchanged_request(self):
        data, _ = self.line.ask(self.list_request())
        head = bytes(data[:data.find(b"\r\n\r\n")]).decode().split("\r\n")
        tag = next(row.split(":", 1)[1].strip() for row in head if row.lower().startswith("etag:"))
        return self.ask("GET", "/torrents", headers=(f"If-None-Match: {tag}",))

    def since_request(self):
        status, text = self.line.text(self.ask("GET", "/torrents?since=x"))
        return self.ask("GET", "/torrents?since=" + json.loads(text)["revision"])

    def status_request(self, info_hash):
        return self.ask("GET", f"/torrents/{info_hash}")

    def listed(self, text):
        return text.count(b'"info_hash":')

    def complete(self, info_hashes):
        rows = json.loads(self.line.text(self.list_request())[1])["torrents"]
        return sum(row["status"] == "seeding" for row in rows) == len(info_hashes)

    def loaded(self):
        rows = json.loads(self.line.text(self.list_request())[1])["torrents"]
        return not any(row["status"] in ("starting", "checking") for row in rows)

    def before_filter(self, path):
        with open(path, "w") as file:
            file.write("one:1.2.3.4-1.2.3.4\n")
        self.filter = path

    def load_filter(self, file, address):
        status, text = self.line.text(self.ask("POST", "/security/ip-filter/load"))
        if status != 200:
            raise Refused(text)

    def filter_rules(self):
        return json.loads(self.line.text(self.ask("GET", "/security/ip-filter/stats"))[1])["total_rules"]
