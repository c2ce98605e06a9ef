"""rTorrent without its screen, over XML-RPC in SCGI: a connection a request."""

import base64
import os
import re

from .daemon import Daemon

FIELDS = ["d.hash", "d.name", "d.state", "d.bytes_done", "d.down.rate", "d.up.rate", "d.peers_connected",
          "d.peers_complete", "d.size_bytes", "d.down.total", "d.up.total", "d.is_private"]
CONFIG = """
network.scgi.open_local = {folder}/socket
session.path.set = {folder}/session
directory.default.set = {folder}/files
network.bind_address.set = {ip}
network.port_range.set = {port}-{port}
network.port_random.set = no
network.xmlrpc.size_limit.set = 16M
dht.mode.set = disable
protocol.pex.set = no
protocol.encryption.set = none
trackers.use_udp.set = no
network.max_open_files.set = 4096
system.daemon.set = true
"""


def value(what):
    if isinstance(what, bytes):
        return b"<base64>" + base64.b64encode(what) + b"</base64>"
    if isinstance(what, list):
        return b"<array><data>" + b"".join(b"<value>" + value(one) + b"</value>" for one in what) + b"</data></array>"
    if isinstance(what, dict):
        return b"<struct>" + b"".join(b"<member><name>%s</name><value>%s</value></member>" % (key.encode(), value(one))
                                      for key, one in what.items()) + b"</struct>"
    return b"<string>" + what.encode() + b"</string>"


class Rtorrent(Daemon):
    name = program = package = "rtorrent"
    framed = False
    prompt = True

    def configure(self):
        os.makedirs(f"{self.folder}/session", exist_ok=True)
        for left in ("socket", "session/rtorrent.lock"):
            if os.path.exists(f"{self.folder}/{left}"):
                os.remove(f"{self.folder}/{left}")
        with open(f"{self.folder}/rtorrent.rc", "w") as file:
            file.write(CONFIG.format(folder=self.folder, ip=self.peer_ip, port=self.peer_port))

    def command(self):
        return ["rtorrent", "-n", "-o", f"import={self.folder}/rtorrent.rc"]

    def address(self):
        return f"{self.folder}/socket"

    def ask(self, method, *params):
        body = b"<?xml version=\"1.0\"?><methodCall><methodName>%s</methodName><params>%s</params></methodCall>" % (
            method.encode(), b"".join(b"<param><value>" + value(one) + b"</value></param>" for one in params))
        head = b"CONTENT_LENGTH\0%d\0SCGI\x001\0" % len(body)
        return b"%d:%s,%s" % (len(head), head, body)

    def ready(self):
        return b"<string>" in self.line.text(self.ask("system.client_version"))[1]

    def add_request(self, torrent, info_hash, paused=True):
        if b"8:announce" not in torrent:  # without a tracker it loads nothing; paused, it does not ask it
            torrent = b"d8:announce27:http://127.0.0.1:9/announce" + torrent[1:]
        return self.ask("load.raw" if paused else "load.raw_start", "", torrent)

    def added(self, answer):
        return b"<i4>0</i4>" in answer

    def list_request(self):
        return self.ask("d.multicall2", "", "main", *[field + "=" for field in FIELDS])

    def status_request(self, info_hash):
        return self.ask("system.multicall", [{"methodName": field, "params": [info_hash.upper()]} for field in FIELDS])

    def listed(self, text):
        return len(re.findall(rb"<value><string>[0-9A-F]{40}</string></value>", text))

    def complete(self, info_hashes):
        text = self.line.text(self.ask("d.multicall2", "", "main", "d.complete=", "d.hashing="))[1]
        return len(re.findall(rb"<i8>1</i8></value>\s*<value><i8>0</i8>", text)) == len(info_hashes)
