"""What all daemons have in common: a process of its own group in a folder of its own, its clock, its memory."""

import os
import signal
import socket
import subprocess
import time

from . import wire

everyone = []  # what was started, to be killed whatever happens


class Failed(Exception):
    pass


ports = iter(range(20_000 + os.getpid() % 1000 * 10, 32_000))  # below those that connections out take


def free_port():
    for port in ports:
        with socket.socket() as some:
            some.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                some.bind(("", port))
                return port
            except OSError:
                continue
    raise Failed("no free port")


def wait_for(what, until, seconds=300, every=0.02):
    end = time.monotonic() + seconds
    while True:
        found = until()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(every)


class Daemon:
    """Subclasses know one make: how it is configured and started, and the requests of its API."""

    name = program = package = version = ""
    framed = True
    watches = False  # has WebSocket watchers
    filters = False  # has an IP filter of P2P lines
    paces = False    # waits long before it dials the one peer that a tracker names
    forgets = 0      # so many seconds after a change it no longer counts as one
    prompt = False   # begins a transfer at once: good for a quick look
    env = {}

    def __init__(self, folder, peer_ip="127.0.0.1"):
        self.folder, self.peer_ip = os.path.abspath(folder), peer_ip
        self.process = None
        self.files = f"{self.folder}/files"
        self.peer_port = free_port()
        self.port = free_port()
        self.filter = None
        os.makedirs(self.files, exist_ok=True)

    # To be said by each make.
    def configure(self): ...
    def command(self): ...
    def ready(self): ...
    def add_request(self, torrent, info_hash, paused=True): ...
    def added(self, answer): return answer.startswith(b"HTTP/1.1 200")
    def list_request(self): ...
    def unchanged_request(self): ...
    def status_request(self, info_hash): ...
    def listed(self, text): ...  # counted, not parsed: that would be a third of a second of ours at 100,000
    def complete(self, info_hashes): ...
    def saved(self, many): return True  # for a make whose clean stop does not wait for its own files
    def before_filter(self, path): ...
    def load_filter(self, file, address): ...

    def start(self):
        self.configure()
        self.began = time.monotonic()
        self.log = open(f"{self.folder}/log", "ab")
        self.process = subprocess.Popen(
            self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True, env={"HOME": self.folder, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **self.env})
        everyone.append(self)
        self.line = wire.Line(self.address(), self.framed)

        def up():
            if self.process.poll() is not None:
                with open(f"{self.folder}/log", "rb") as log:
                    raise Failed(f"{self.name} ended: {log.read()[-600:].decode(errors='replace')}")
            try:
                return self.ready()
            except (OSError, wire.Refused, KeyError, ValueError):
                self.line.close()
                return False
        wait_for(f"{self.name} ready", up, every=0.005)
        return self

    def address(self):
        return ("127.0.0.1", self.port)

    def cpu(self):
        """Seconds of user and system time of the whole process, of ended threads too: its POSIX CPU clock."""
        time.sleep(0.005)  # what a thread ran since the kernel's last tick counts when it sleeps
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def memory(self, what="RssAnon"):
        with open(f"/proc/{self.process.pid}/status") as file:
            for row in file:
                if row.startswith(what + ":"):
                    return int(row.split()[1])
        raise Failed(f"no {what}")

    def drive(self, requests, connections=32, accept=None):
        wire.drive(self.address(), requests, connections, accept or (lambda data: data[9:12] == b"200" or not self.framed),
                   self.framed)

    def rows(self):
        return self.listed(self.line.text(self.list_request())[1])

    def settle(self, seconds=60, quiet=0.3):
        """Until the process costs under 3 % of a processor for a while."""
        def still():
            before = self.cpu()
            time.sleep(quiet)
            return self.cpu() - before < 0.03 * quiet
        end = time.monotonic() + seconds
        while not still() and time.monotonic() < end:
            pass

    def stop(self, number=signal.SIGTERM, seconds=120):
        """How long it took; the process is gone afterwards."""
        if not self.process or self.process.poll() is not None:
            return 0.0
        began = time.monotonic()
        self.line.close()
        os.kill(self.process.pid, number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        took = time.monotonic() - began
        self.end()
        return took

    def end(self):
        """Nothing of it runs any more."""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.log.close()
        if self in everyone:
            everyone.remove(self)


def end_all():
    for daemon in list(everyone):
        daemon.end()
