"""What the clients of the soak do, again and again. Each deed leaves behind what it found: it is called with the soak
and a source of chances of its own, and counts itself under its name in DEEDS."""

import base64
import hashlib
import os
import pathlib
import queue
import random
import socket
import threading
import time
import urllib.parse

from daemons import Wrong, frames_in


class Pool:
    """Payloads that lie at the first daemon, each for one transfer at a time: WORK/pool/HASH.torrent and
    WORK/one/files/NAME, made by soak.sh."""

    def __init__(self, work, announce):
        self.work, self.announce, self.free, self.numbers = work, announce, queue.Queue(), 0
        self.lock = threading.Lock()
        for file in sorted((work / "pool").glob("*.torrent")):
            name = file.with_suffix(".name").read_text().strip()
            data = work / "one/files" / name
            self.free.put((file.stem, name, file, hashlib.sha256(data.read_bytes()).hexdigest()))

    def number(self):
        with self.lock:
            self.numbers += 1
            return self.numbers

    def write_filter(self, lines, seed):
        text = "".join(
            f"range {i}:{20 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.{seed}-{20 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.200\n"
            for i in range(lines))
        new = self.work / "list.new"
        new.write_text(text)
        os.replace(new, self.work / "list.p2p")


def tiny_torrent(name):
    """One piece of zeros, as base64."""
    digest = hashlib.sha1(bytes(16384)).digest()
    info = b"d6:lengthi16384e4:name%d:%s12:piece lengthi16384e6:pieces20:%se" % (len(name), name.encode(), digest)
    return base64.b64encode(b"d4:info" + info + b"e").decode()


def until(soak, what, fact, seconds=120):
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            raise Wrong(f"not within {seconds} s: {what}")
        time.sleep(0.2)


def row(daemon, info_hash):
    status, said = daemon.ask("GET", f"/torrents/{info_hash}", accept=(200, 404))
    return said if status == 200 else {"status": "none", "progress": 0}


def transfer(soak, chance):
    """Seeded here, downloaded there, held against what was sent, verified, scraped, and removed with its data."""
    item = soak.pool.free.get()
    info_hash, name, file, digest = item
    one, other = soak.one, soak.other
    one.ask("POST", "/torrents/add", {"path_or_magnet": str(file)})
    until(soak, f"{name} is seeded", lambda: row(one, info_hash)["status"] == "seeding")
    way = chance.choice(("file", "magnet", "batch"))
    if way == "file":
        other.ask("POST", "/torrents/add", {"path_or_magnet": str(file)})
    elif way == "magnet":
        link = f"magnet:?xt=urn:btih:{info_hash}&tr={urllib.parse.quote(soak.pool.announce, safe='')}"
        other.ask("POST", "/torrents/add", {"path_or_magnet": link})
    else:
        data = base64.b64encode(file.read_bytes()).decode()
        other.ask("POST", "/torrents/batch/add", {"torrents": [{"torrent_data": data}]})
    last = {}

    def is_here():
        last.update(row(other, info_hash))
        return last["status"] == "seeding"

    try:
        until(soak, "", is_here, 180)
    except Wrong as error:
        raise Wrong(f"{name} by {way} did not arrive in 180 s: {last}") from error
    copy = other.files / name
    if hashlib.sha256(copy.read_bytes()).hexdigest() != digest:
        raise Wrong(f"{name} is not what was sent")
    if chance.random() < 0.3:
        said = other.get(f"/torrents/{info_hash}/files/verify")
        if said["failed_count"] or not said["verified_count"]:
            raise Wrong(f"verify: {said}")
        soak.count("verified")
    if chance.random() < 0.3:
        one.ask("POST", f"/scrape/{info_hash}", {"force": True}, accept=(200, 502))
        soak.count("scraped")
    with soak.removing:
        other.ask("DELETE", f"/torrents/{info_hash}?delete_files=true")
        one.ask("DELETE", f"/torrents/{info_hash}")
    until(soak, f"{copy} is gone", lambda: not copy.exists(), 30)
    soak.pool.free.put(item)
    soak.count("MiB moved", (pathlib.Path(one.files / name).stat().st_size + (1 << 19)) >> 20)
    soak.count("transfer")


def many(soak, chance):
    """A few hundred added, paused, resumed, moved in the queue and removed."""
    daemon = chance.choice((soak.one, soak.other))
    n = chance.randrange(50, 300)
    torrents = [{"torrent_data": tiny_torrent(f"soak-{soak.pool.number():08}"), "paused": chance.random() < 0.5} for _ in range(n)]
    said = daemon.ask("POST", "/torrents/batch/add", {"torrents": torrents})[1]
    hashes = [one["info_hash"] for one in said["results"] if one["info_hash"]]
    for what in ("pause", "resume"):
        daemon.ask("POST", f"/torrents/batch/{what}", {"info_hashes": hashes[:n // 2]})
    for info_hash in hashes[:10]:
        daemon.ask("POST", f"/queue/{info_hash}/move", {"new_position": chance.randrange(5)}, accept=(200, 404))
        daemon.ask("POST", f"/torrents/{info_hash}/rate-limits", {"download_kib": chance.randrange(1000), "upload_kib": 0})
    with soak.removing:
        daemon.ask("POST", "/torrents/batch/remove", {"info_hashes": hashes, "remove_data": chance.random() < 0.5})
    soak.count("added and removed", n)
    soak.count("many")


def watch(soak, chance):
    """Twenty watchers that read for a while, and some that never do; half of them leave without a word."""
    daemon = chance.choice((soak.one, soak.other))
    lines = [daemon.watch(i % 4 != 0) for i in range(20)]
    end, seen = time.monotonic() + chance.uniform(0.5, 5), 0
    left = {}
    for i, line in enumerate(lines):
        if line is not None:
            line.settimeout(0.05)
    while time.monotonic() < end and soak.going.is_set():
        for i, line in enumerate(lines):
            if line is None or i % 4 == 0:
                continue
            try:
                opcodes, left[i] = frames_in(left.get(i, b"") + line.recv(65536))
                seen += opcodes.count(1)
            except OSError:
                pass
    for i, line in enumerate(lines):
        if line is None:
            continue
        try:
            if i % 2:
                line.sendall(b"\x88\x80\0\0\0\0")
        except OSError:
            pass
        line.close()
    soak.count("events read", seen)
    soak.count("watch", len(lines))


def reload_filter(soak, chance):
    n = chance.choice((100_000, 120_000))
    soak.pool.write_filter(n, chance.randrange(100))
    said = soak.one.ask("POST", "/security/ip-filter/load")[1]
    if said["rules"] not in (100_000, 120_000):
        raise Wrong(f"the filter: {said}")
    soak.count("reload_filter")
    time.sleep(chance.uniform(0.5, 2))


def read(soak, chance):
    daemon = chance.choice((soak.one, soak.other))
    since = None
    for _ in range(20):
        path = chance.choice(("/status", "/torrents", "/session/stats", "/metrics", "/queue", "/config", "/security/ip-filter/stats",
                              "/torrents?fields=info_hash,status&limit=50", "/events/log?limit=100", "since"))
        if path == "since":
            path = "/torrents?since=" + urllib.parse.quote(since or "none")
            since = daemon.get(path)["revision"]
        else:
            daemon.get(path)
        soak.count("read")
    time.sleep(0.05)


def configure(soak, chance):
    daemon = chance.choice((soak.one, soak.other))
    daemon.ask("PUT", "/config", {"limits": {"per_torrent_up_kib": chance.choice((0, 200_000, 400_000))},
                                  "queue": {"max_active_torrents": chance.randrange(0, 1000)}})
    soak.count("configure")
    time.sleep(0.5)


def back_up(soak, chance):
    daemon = chance.choice((soak.one, soak.other))
    with soak.removing:  # else it brings back what was removed meanwhile
        said = daemon.ask("POST", "/torrents/export-state")[1]
        daemon.ask("POST", "/torrents/import-state", {"path": said["path"]})
    pathlib.Path(said["path"]).unlink(missing_ok=True)
    soak.count("back_up")
    time.sleep(2)


def block(soak, chance):
    daemon = chance.choice((soak.one, soak.other))
    which, ip = chance.choice(("blacklist", "whitelist")), f"198.51.{chance.randrange(256)}.{chance.randrange(256)}"
    daemon.ask("POST", f"/security/{which}", {"ip": ip, "reason": "soak"})
    daemon.ask("DELETE", f"/security/{which}/{ip}", accept=(200, 404))
    soak.count("block")
    time.sleep(0.1)


def knock(soak, chance):
    """Strangers: without a key, with half a request, with nonsense."""
    daemon = chance.choice((soak.one, soak.other))
    daemon.up.wait(60)
    for text in (b"GET /api/v1/torrents HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET / HT", b"\x16\x03\x01\0\xff", os.urandom(300)):
        try:
            with socket.create_connection((daemon.host, daemon.port), 5) as line:
                line.sendall(text)
                line.settimeout(0.1)
                line.recv(4096)
        except OSError:
            pass
    soak.count("knock")


DEEDS = {  # and how many at once
    "transfer": (transfer, 3),
    "many": (many, 1),
    "watch": (watch, 2),
    "reload_filter": (reload_filter, 1),
    "read": (read, 2),
    "configure": (configure, 1),
    "back_up": (back_up, 1),
    "block": (block, 1),
    "knock": (knock, 1),
}
