"""qbittorrent-nox, over its Web API; the unchanged list as sync/maindata with the rid of the last answer."""

import json
import os
import re

from .daemon import Daemon
from .wire import Refused, http

CONFIG = r"""[LegalNotice]
Accepted=true
[BitTorrent]
Session\AddExtensionToIncompleteFiles=false
Session\BTProtocol=TCP
Session\DHTEnabled=false
Session\DefaultSavePath={folder}/files
Session\Encryption=2
Session\Interface=lo
Session\InterfaceAddress={ip}
Session\InterfaceName=lo
Session\LSDEnabled=false
Session\MultiConnectionsPerIp=true
Session\PeXEnabled=false
Session\Port={peer_port}
Session\Preallocation=false
Session\QueueingSystemEnabled=false
Session\IPFilteringEnabled={filtering}
Session\IPFilter={filter}
[Network]
PortForwardingEnabled=false
[Preferences]
WebUI\Address=127.0.0.1
WebUI\CSRFProtection=false
WebUI\HostHeaderValidation=false
WebUI\LocalHostAuth=false
WebUI\MaxAuthenticationFailCount=0
WebUI\Port={port}
WebUI\UseUPnP=false
"""


class Qbittorrent(Daemon):
    name = program = package = "qbittorrent-nox"
    filters = True
    cookie = "SID=none"

    def configure(self):
        folder = f"{self.folder}/qBittorrent/config"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/qBittorrent.conf", "w") as file:
            file.write(CONFIG.format(folder=self.folder, ip=self.peer_ip, peer_port=self.peer_port, port=self.port,
                                     filtering="true" if self.filter else "false", filter=self.filter or ""))

    def command(self):
        return ["qbittorrent-nox", f"--profile={self.folder}", f"--webui-port={self.port}"]

    def ask(self, path):
        return http("GET", "/api/v2" + path, (f"Cookie: {self.cookie}",))

    def ready(self):
        data, head = self.line.ask(self.ask("/app/version"))
        text = bytes(data[:head]).decode()
        at = text.lower().find("set-cookie: sid=")
        if at >= 0:
            self.cookie = text[at + 12:].split(";")[0].split("\r")[0]
        return data[9:12] == b"200"

    def add_request(self, torrent, info_hash, paused=True):
        parts = [("paused", b"true" if paused else b"false", ""), ("contentLayout", b"Original", ""),
                 ("torrents", torrent, '; filename="a.torrent"\r\nContent-Type: application/x-bittorrent')]
        body = b"".join(b'--bound\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
            name.encode(), more.encode(), value) for name, value, more in parts) + b"--bound--\r\n"
        return http("POST", "/api/v2/torrents/add", (
            f"Cookie: {self.cookie}", "Content-Type: multipart/form-data; boundary=bound"), body)

    def added(self, answer):
        return answer.endswith(b"Ok.")

    def list_request(self):
        return self.ask("/torrents/info")

    def unchanged_request(self):
        text = self.line.text(self.ask("/sync/maindata?rid=0"))[1]
        for _ in range(3):
            text = self.line.text(self.ask(f"/sync/maindata?rid={json.loads(text)['rid']}"))[1]
        # Each answer has the next rid; asked again with the one before, it is the same cheap difference.
        return self.ask(f"/sync/maindata?rid={json.loads(text)['rid']}")

    def status_request(self, info_hash):
        return self.ask(f"/torrents/info?hashes={info_hash}")

    def listed(self, text):
        return text.count(b'"infohash_v1":')

    def complete(self, info_hashes):
        rows = json.loads(self.line.text(self.list_request())[1])
        return sum(row["progress"] == 1 and row["state"] in ("stalledUP", "uploading", "forcedUP", "queuedUP")
                   for row in rows) == len(info_hashes)

    def saved(self, many):
        # 4.5.2 stopped by SIGTERM right after 1,000 adds came back with 333.
        folder = f"{self.folder}/qBittorrent/data/BT_backup"
        return sum(name.endswith(".fastresume") for name in os.listdir(folder)) >= many

    def load_filter(self, file, address):
        body = b"json=" + json.dumps({"ip_filter_enabled": True, "ip_filter_path": file}).encode()
        status, text = self.line.text(http("POST", "/api/v2/app/setPreferences", (
            f"Cookie: {self.cookie}", "Content-Type: application/x-www-form-urlencoded"), body))
        if status != 200:
            raise Refused(text)
        self.filter = file

    def filter_rules(self):
        # It says so only in its log.
        rows = json.loads(self.line.text(self.ask("/log/main"))[1])
        found = [re.search(r"rules applied: (\d+)", row["message"]) for row in rows]
        return max((int(one.group(1)) for one in found if one), default=0)
