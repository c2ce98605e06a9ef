"""transmission-daemon, over its JSON RPC; the list in its table form, its cheaper one."""

import base64
import json
import re

from .daemon import Daemon
from .wire import http

FIELDS = ["hashString", "name", "status", "percentDone", "rateDownload", "rateUpload", "peersConnected",
          "peersSendingToUs", "totalSize", "downloadedEver", "uploadedEver", "isPrivate"]


class Transmission(Daemon):
    name = program = package = "transmission-daemon"
    filters = True
    paces = True
    forgets = 61
    session = "none"

    def configure(self):
        settings = {
            "rpc-enabled": True, "rpc-port": self.port, "rpc-bind-address": "127.0.0.1", "rpc-whitelist-enabled": False,
            "rpc-host-whitelist-enabled": False, "rpc-authentication-required": False, "dht-enabled": False,
            "lpd-enabled": False, "pex-enabled": False, "utp-enabled": False, "encryption": 0,
            "port-forwarding-enabled": False, "peer-port": self.peer_port, "bind-address-ipv4": self.peer_ip,
            "bind-address-ipv6": "::1", "download-dir": self.files, "download-queue-enabled": False,
            "seed-queue-enabled": False, "preallocation": 0, "start-added-torrents": True, "trash-original-torrent-files": False}
        if self.filter:
            settings["blocklist-enabled"] = True
        with open(f"{self.folder}/settings.json", "w") as file:
            json.dump(settings, file)

    def command(self):
        return ["transmission-daemon", "-f", "-g", self.folder, "--log-error"]

    def ask(self, method, **arguments):
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        return http("POST", "/transmission/rpc", (f"X-Transmission-Session-Id: {self.session}",), body)

    def ready(self):
        data, head = self.line.ask(self.ask("session-get"))
        found = re.search(rb"X-Transmission-Session-Id: (\S+)", data[:head])
        if found and data[9:12] == b"409":
            self.session = found.group(1).decode()
            return False
        return data[9:12] == b"200"

    def add_request(self, torrent, info_hash, paused=True):
        return self.ask("torrent-add", metainfo=base64.b64encode(torrent).decode(), paused=paused)

    def added(self, answer):
        return b'"torrent-added"' in answer

    def list_request(self):
        return self.ask("torrent-get", fields=FIELDS, format="table")

    def unchanged_request(self):
        return self.ask("torrent-get", ids="recently-active", fields=FIELDS, format="table")

    def status_request(self, info_hash):
        return self.ask("torrent-get", ids=[info_hash], fields=FIELDS)

    def listed(self, text):
        return text.count(b"],[")  # the names of the fields stand before the rows

    def complete(self, info_hashes):
        text = self.line.text(self.ask("torrent-get", fields=["status", "leftUntilDone", "percentDone"]))[1]
        rows = json.loads(text)["arguments"]["torrents"]
        return sum(row["status"] == 6 and row["percentDone"] == 1 for row in rows) == len(info_hashes)

    def load_filter(self, file, address):
        self.line.text(self.ask("session-set", **{"blocklist-enabled": True, "blocklist-url": address}))
        self.filter = file
        self.line.text(self.ask("blocklist-update"))

    def filter_rules(self):
        return json.loads(self.line.text(self.ask("session-get"))[1])["arguments"]["blocklist-size"]
