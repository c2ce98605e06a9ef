"""The rows: what is done to a daemon, and what it costs by its own clock."""

import base64
import json
import os
import random
import select
import shutil
import signal
import statistics
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

from .daemon import Failed, wait_for
from .torrents import Payload, info_hash, torrent_file
from . import wire


class Row:
    def __init__(self, key, title, unit, digits=3, high=False, aim=None):
        self.key, self.title, self.unit, self.digits, self.high, self.aim = key, title, unit, digits, high, aim


# `aim`: what this repository wants of ccbtd, at 10,000 torrents.
CURVE = [
    Row("list", "whole list", "CPU ms", aim=1.0),
    Row("unchanged", "list unchanged since the last, 32 connections", "CPU us", aim=15),
    Row("since", "the same, as ?since=", "CPU us", aim=15),
    Row("status", "one torrent's status, 32 connections", "CPU us", aim=12),
    Row("adds", "adds a second, 32 connections", "/s", high=True, aim=5000),
    Row("add_cpu", "an add", "CPU ms", aim=0.2),
    Row("batch_adds", "adds a second, in batches of 500", "/s", high=True, aim=15000),
    Row("batch_cpu", "an add in a batch", "CPU ms"),
    Row("memory", "memory a torrent", "KiB", aim=5),
    Row("start", "start until all are listed", "s", aim=0.1),
    Row("start_cpu", "start until loaded and quiet", "CPU s"),
    Row("stop", "clean stop", "s", aim=0.5),
    Row("idle", "idle", "CPU ms/s", aim=1),
]
ONCE = [
    Row("lost", "lost by kill -9 after the last answered add", "torrents", aim=0),
    Row("bulk", "one large file", "MB/s", high=True),
    Row("bulk_seeder", "its seeder", "CPU s/GiB", aim=1.4),
    Row("bulk_leecher", "its leecher", "CPU s/GiB", aim=2.1),
    Row("bulk_peak", "its leecher, peak resident", "MiB", aim=64),
    Row("bulk_anon", "its leecher, peak without mapped files", "MiB"),
    Row("many", "200 torrents of 1 MiB at once", "MB/s", high=True),
    Row("many_seeder", "their seeder", "CPU s/GiB"),
    Row("many_leecher", "their leecher", "CPU s/GiB"),
    Row("files", "20,000 files of 4 KiB", "MB/s", high=True),
    Row("files_seeder", "their seeder", "CPU s/GiB"),
    Row("files_leecher", "their leecher", "CPU s/GiB"),
    Row("filter", "IP filter, load", "CPU s", aim=1.2),
    Row("filter_memory", "IP filter, memory", "MiB", aim=200),
    Row("filter_restart", "IP filter, start with it", "CPU s", aim=1.0),
    Row("event", "a delivered event", "CPU us", aim=9),
    Row("event_p99", "an event at its watcher, p99", "ms", aim=20),
]
ROWS = {row.key: row for row in CURVE + ONCE}


class Sizes:
    """How much of each; `quick` is for knowing that the suite works, not for its numbers."""

    def __init__(self, quick, bulk, filter_lines, watchers):
        self.quick = quick
        self.bulk = bulk or (8 if quick else 1024) << 20
        self.many = 5 if quick else 200
        self.files = 50 if quick else 20_000
        self.filter = filter_lines or (1000 if quick else 2_000_000)
        self.watchers = watchers or (10 if quick else 1000)
        self.events = 5 if quick else 50
        self.idle = 0.5 if quick else 5.0
        self.lost = 50 if quick else 1000
        self.cost = 0.02 if quick else 0.4  # seconds of the daemon's time to spend on a cheap row


# ------------------------------------------------------------------------------------------- with n torrents

def fill(daemon, first, many, batch=0):
    """Adds torrents first ... and waits until they are listed: (a second, CPU ms each)."""
    numbers = range(first, first + many)
    if batch:
        requests = [daemon.batch_request([torrent_file(one) for one in numbers[at:at + batch]])
                    for at in range(0, many, batch)]
    else:
        requests = [daemon.add_request(torrent_file(one), info_hash(one)) for one in numbers]
    before, began = daemon.cpu(), time.monotonic()
    daemon.drive(requests, 4 if batch else 32, None if batch else daemon.added)
    answered = time.monotonic() - began
    if not batch:
        wait_for(f"{daemon.name} lists {first + many}", lambda: daemon.rows() >= first + many, every=0.1)
    daemon.settle()
    return many / answered, (daemon.cpu() - before) * 1000 / many


def as_many_as(cost, one, least, most):
    """How often what takes `one` second of processor is to be done to take `cost`."""
    return int(min(most, max(least, cost / max(one, 1e-7))))


def each(daemon, request, cost, most=2000):
    """CPU seconds of one such request on one connection, over as many as take `cost` seconds of it."""
    def cpu(times):
        before = daemon.cpu()
        for _ in range(times):
            daemon.line.ask(request)
        return (daemon.cpu() - before) / times
    return cpu(as_many_as(cost, cpu(3), 3, most))


def crowd(daemon, requests, cost, accept=None):
    """The same of small requests, on 32 connections: on one, half of it is the kernel's waking of who sleeps."""
    def cpu(times):
        before = daemon.cpu()
        daemon.drive([requests[at % len(requests)] for at in range(times)], accept=accept)
        return (daemon.cpu() - before) / times
    return cpu(as_many_as(cost, cpu(as_many_as(cost / 10, cpu(3), 3, 200)), 3, 20_000))


def statuses(daemon, many, cost):
    chance = random.Random(1)
    requests = [daemon.status_request(info_hash(chance.randrange(many))) for _ in range(64)]
    return crowd(daemon, requests, cost, lambda data: b"torrent-0" in data)


def adds(make, folder, many, sizes, note, wanted):
    """The fill, in three parts: three samples of the same figures; its state stays in the folder."""
    daemon = make(folder).start()
    batch = 500 if hasattr(daemon, "batch_request") else 0
    daemon.settle()
    parts = [many * part // 3 for part in range(4)]
    for first, last in zip(parts, parts[1:]):
        if last > first:
            rate, cpu = fill(daemon, first, last - first)
            note("adds", rate)
            note("add_cpu", cpu)
    wait_for(f"{daemon.name} saves {many}", lambda: daemon.saved(many), 120, 0.5)
    daemon.stop()
    if batch and {"batch_adds", "batch_cpu"} & wanted:
        daemon = make(folder + ".batch").start()
        daemon.settle()
        for first, last in zip(parts, parts[1:]):
            if last > first:
                rate, cpu = fill(daemon, first, last - first, batch)
                note("batch_adds", rate)
                note("batch_cpu", cpu)
        if daemon.rows() != many:
            raise Failed(f"batches: {daemon.rows()} of {many}")
        daemon.stop()
        shutil.rmtree(folder + ".batch")


def empty_memory(make, folder):
    daemon = make(folder).start()
    daemon.rows()
    daemon.settle()
    kib = daemon.memory()
    daemon.stop()
    shutil.rmtree(folder)
    return kib


def life(make, folder, many, sizes, note, empty, samples):
    """One start with what is in the folder, all that is asked of it, one stop. `samples` of an unchanged list: for one
    make it is a minute until nothing counts as changed, so they are taken in one of the lives."""
    daemon = make(folder).start()
    wait_for(f"{daemon.name} lists {many}", lambda: daemon.rows() >= many, 120, 0.01)
    note("start", time.monotonic() - daemon.began)
    if hasattr(daemon, "loaded"):
        wait_for("loaded", daemon.loaded, every=0.1)
    daemon.settle()
    note("start_cpu", daemon.cpu())
    note("memory", (daemon.memory() - empty) / many)
    before, began = daemon.cpu(), time.monotonic()
    time.sleep(sizes.idle)
    note("idle", (daemon.cpu() - before) * 1000 / (time.monotonic() - began))
    note("list", each(daemon, daemon.list_request(), sizes.cost, 200) * 1000)
    unchanged = samples and daemon.unchanged_request()
    if unchanged:
        time.sleep(0 if sizes.quick else max(0, daemon.began + daemon.forgets - time.monotonic()))
        for _ in range(samples):
            note("unchanged", crowd(daemon, [unchanged], sizes.cost, lambda data: data[9:12] in (b"200", b"304")) * 1e6)
    if hasattr(daemon, "since_request"):
        note("since", crowd(daemon, [daemon.since_request()], sizes.cost) * 1e6)
    note("status", statuses(daemon, many, sizes.cost) * 1e6)
    note("stop", daemon.stop())


def lost(make, folder, sizes, note):
    daemon = make(folder).start()
    daemon.drive([daemon.add_request(torrent_file(one), info_hash(one)) for one in range(sizes.lost)], 32, daemon.added)
    daemon.stop(signal.SIGKILL)
    daemon = make(folder).start()
    daemon.settle()
    note("lost", sizes.lost - daemon.rows())
    daemon.stop()


# ------------------------------------------------------------------------------------------- transfers

class Tracker:
    """Tells whoever misses something of the one seeder, and nobody else of anybody; serves the IP filter's file."""

    def __init__(self, ip):
        self.seeder, self.file = None, None

        class Answer(BaseHTTPRequestHandler):
            def do_GET(this):
                url = urlparse(this.path)
                if url.path == "/filter" and self.file:
                    with open(self.file, "rb") as file:
                        body = file.read()
                else:
                    left = parse_qs(url.query).get("left", ["0"])[0]
                    peers = b"" if left == "0" or not self.seeder else bytes(
                        int(part) for part in self.seeder[0].split(".")) + self.seeder[1].to_bytes(2, "big")
                    body = b"d8:intervali1800e5:peers%d:%se" % (len(peers), peers)
                this.send_response(200)
                this.send_header("Content-Length", str(len(body)))
                this.end_headers()
                this.wfile.write(body)

            def log_message(this, *_):
                pass
        # 200 torrents announce at once: beyond 5 waiting, which is the default, the kernel would have them try again later.
        server = type("Server", (ThreadingHTTPServer,), {"request_queue_size": 1024})
        self.server = server((ip, 0), Answer)
        self.server.handle_error = lambda *_: None  # a daemon that was stopped does not wait for its answer
        self.url = f"http://{ip}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def payloads(folder, tracker, sizes, wanted):
    shapes = {
        "bulk": [("bulk.bin", 1 << 20 if sizes.bulk > 64 << 20 else 1 << 16, [("", sizes.bulk)])],
        "many": [(f"small-{at:03}.bin", 1 << 16, [("", 1 << 20)]) for at in range(sizes.many)],
        "files": [("files", 1 << 18, [(f"{at // 1000}-{at:05}", 4096) for at in range(sizes.files)])],
    }
    return {key: Payload(f"{folder}/{key}", tracker.url + "/announce", shape)
            for key, shape in shapes.items() if key in wanted}


def transfer(make, folder, kind, payload, tracker, ips, note):
    seeder, leecher = make(f"{folder}/one", ips[0]), make(f"{folder}/two", ips[1])
    shutil.rmtree(seeder.files)
    shutil.copytree(payload.folder, seeder.files, copy_function=os.link)
    tracker.seeder = (ips[0], seeder.peer_port)
    seeder.start()
    leecher.start()
    hashes = [one for _, one in payload.torrents]

    def add(daemon):
        daemon.drive([daemon.add_request(torrent, one, paused=False) for torrent, one in payload.torrents], 8, daemon.added)
    add(seeder)
    wait_for(f"{seeder.name} seeds {kind}", lambda: seeder.complete(hashes), 180, 0.2)
    seeder.settle(10)
    before, before_leecher, began, anon = seeder.cpu(), leecher.cpu(), time.monotonic(), 0

    def done():
        nonlocal anon
        anon = max(anon, leecher.memory())
        return leecher.complete(hashes)
    add(leecher)
    wait_for(f"{leecher.name} downloads {kind}", done, 240, 0.05)
    took = time.monotonic() - began
    note(kind, payload.size / 1e6 / took)
    note(kind + "_seeder", (seeder.cpu() - before) * (1 << 30) / payload.size)
    note(kind + "_leecher", (leecher.cpu() - before_leecher) * (1 << 30) / payload.size)
    if kind == "bulk":
        note("bulk_peak", leecher.memory("VmHWM") / 1024)
        note("bulk_anon", anon / 1024)
    leecher.stop()
    seeder.stop()


# ------------------------------------------------------------------------------------------- IP filter

def filter_file(path, lines):
    chance = random.Random(3)
    at, step = 1 << 24, (0xdf000000 - (1 << 24)) // lines
    with open(path, "w") as out:
        for number in range(lines):
            first = at + chance.randrange(step // 2)
            last = first + chance.randrange(max(1, step // 2))
            out.write("range %d:%s-%s\n" % (number, *(".".join(str(end >> by & 255) for by in (24, 16, 8, 0))
                                                      for end in (first, last))))
            at += step


def ip_filter(make, folder, file, lines, tracker, note):
    daemon = make(folder)
    daemon.before_filter(f"{folder}/filter.p2p")
    daemon.start()
    daemon.settle()
    before, memory = daemon.cpu(), daemon.memory()
    shutil.copyfile(file, f"{folder}/filter.p2p")
    time.sleep(1)  # a file of this moment may yet change unseen, so it is not taken for known
    tracker.file = file
    daemon.load_filter(f"{folder}/filter.p2p", tracker.url + "/filter")
    wait_for("the rules are in force", lambda: (daemon.filter_rules() or 0) >= lines * 0.9, 120, 0.1)
    daemon.settle()
    note("filter", daemon.cpu() - before)
    note("filter_memory", (daemon.memory() - memory) / 1024)
    daemon.stop()
    daemon.start()
    wait_for("the rules are in force again", lambda: (daemon.filter_rules() or 0) >= lines * 0.9, 120, 0.1)
    daemon.settle()
    note("filter_restart", daemon.cpu())
    daemon.stop()


# ------------------------------------------------------------------------------------------- events

def frames(data):
    """Takes the whole frames off the front of `data`: [payload]."""
    out = []
    while len(data) >= 2:
        size, head = data[1] & 127, 2
        if size == 126:
            size, head = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(data[2:10], "big"), 10
        if len(data) < head + size or len(data) < head:
            break
        out.append(bytes(data[head:head + size]))
        del data[:head + size]
    return out


def masked(text):
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


def events(make, folder, sizes, note):
    daemon = make(folder).start()
    fill(daemon, 0, 1)
    ends, buffers = {}, {}
    poll = select.epoll()
    hello = wire.http("GET", "/api/v1/events", (
        daemon.key, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: " + base64.b64encode(bytes(16)).decode()), host=daemon.host)
    subscribe = masked(json.dumps({"action": "subscribe", "data": {"event_types": ["torrent_status_changed"]}}).encode())
    for _ in range(sizes.watchers):
        end = wire.dial(daemon.address())
        end.sendall(hello)
        data = bytearray()
        while b"\r\n\r\n" not in data:
            data += end.recv(4096)
        if data[9:12] != b"101":
            raise Failed(bytes(data[:200]))
        del data[:data.index(b"\r\n\r\n") + 4]
        end.sendall(subscribe)
        while not any(b"subscribed" in one for one in frames(data)):
            more = end.recv(4096)
            if not more:
                raise Failed("the daemon closed a watcher")
            data += more
        ends[end.fileno()], buffers[end.fileno()] = end, data
        poll.register(end.fileno(), select.EPOLLIN)
    daemon.settle()
    change = [daemon.ask("POST", f"/torrents/{info_hash(0)}/{what}") for what in ("resume", "pause")]
    before, delays, messages = daemon.cpu(), [], 0
    asker = wire.dial(daemon.address())
    for number in range(sizes.events):
        began, missing = time.monotonic(), set(ends)
        asker.sendall(change[number % 2])
        while missing:
            ready = poll.poll(30)
            if not ready:
                raise Failed(f"{len(missing)} watchers did not see the event")
            for fd, _ in ready:
                buffers[fd] += ends[fd].recv(65536)
                for one in frames(buffers[fd]):
                    if b"torrent_status_changed" in one:
                        messages += 1
                        if fd in missing:
                            delays.append(time.monotonic() - began)
                            missing.remove(fd)
        asker.recv(65536)
        time.sleep(0.02)  # what follows of a change, a second status, is over before the next
        for fd, _ in poll.poll(0):
            buffers[fd] += ends[fd].recv(65536)
            messages += sum(b"torrent_status_changed" in one for one in frames(buffers[fd]))
    note("event", (daemon.cpu() - before) * 1e6 / messages)
    note("event_p99", statistics.quantiles(delays, n=100)[98] * 1000)
    for end in (asker, *ends.values()):
        end.close()
    daemon.stop()
