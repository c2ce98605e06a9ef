#!/usr/bin/env python3
"""Two daemons, a tracker and a mixed load, for as long as is asked; then everything has to be where it began.

    soak.py BUILDDIR WORKDIR TRACKER-PORT [--minutes N] [--seed N]

Run by soak.sh, which knows what is left at the end. Exits with 1 where memory, descriptors or threads of a daemon are
not what they were at the beginning, or an answer was wrong."""

import argparse
import os
import pathlib
import random
import sys
import threading
import time

from daemons import Daemon, Wrong
from deeds import DEEDS, Pool

MEMORY_BOUND_KIB = 24 * 1024  # what allocators keep of what was freed: see docs/security-tests.md
POOL_THREADS = 2  # libtorrent keeps a thread or two of its disk pool, as it was used last; they have no names to tell them by
GROWTH_BOUND_KIB = 8 * 1024   # of the second half over the first


class Soak:
    def __init__(self, asked):
        self.work = pathlib.Path(asked.work)
        self.random = random.Random(asked.seed)
        self.counts, self.lock, self.wrong = {}, threading.Lock(), []
        self.began = time.monotonic()
        self.going, self.removing = threading.Event(), threading.Lock()
        self.pool = Pool(self.work, f"http://127.0.0.1:{asked.tracker}/announce")
        settings = f"""
limits.state_files_per_minute = 600
security.ip_filter.enable_ip_filter = true
security.ip_filter.filter_files = ["{self.work}/list.p2p"]
"""
        self.pool.write_filter(100_000, 0)
        program = os.path.join(asked.build, "ccbtd")
        self.one = Daemon(program, self.work / "one", "127.0.0.2", settings)
        self.other = Daemon(program, self.work / "other", "127.0.0.3", settings)

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + n

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.0f} s  {text}", flush=True)

    # ---- the load

    def is_warm(self):
        """What is kept up to a bound is at its bound: the log of events is the largest."""
        return all(daemon.metric("ccbt_event_log_events") >= 10_000 for daemon in (self.one, self.other))

    def load(self, seconds, restarts_every=None, until_warm=False):
        """All deeds at once, each again and again in a thread of its own; the other daemon is restarted meanwhile, and
        each second time killed."""
        self.going.set()
        hands = []
        for name, (deed, many) in DEEDS.items():
            for _ in range(many):
                hands.append(threading.Thread(target=self.again, args=(name, deed, self.random.getrandbits(32)), daemon=True))
        for hand in hands:
            hand.start()
        until, next_line = time.monotonic() + seconds, time.monotonic() + min(60, seconds / 2)
        next_restart = time.monotonic() + (restarts_every or 2 * seconds)
        while time.monotonic() < until and not self.wrong:
            time.sleep(0.2)
            if until_warm and time.monotonic() + 1 > until and not self.is_warm():
                until += 5
            if time.monotonic() >= next_line:
                next_line += 60
                self.tell()
            if time.monotonic() >= next_restart and time.monotonic() + restarts_every < until:
                next_restart += restarts_every
                hard = self.other.starts % 2 == 0
                self.other.stop(hard)
                self.other.start()
                self.count("kills -9" if hard else "restarts")
        self.going.clear()
        for hand in hands:
            hand.join(120)
            if hand.is_alive():
                self.wrong.append(f"{hand.name} does not come to its end")

    def again(self, name, deed, seed):
        chance = random.Random(seed)
        while self.going.is_set():
            try:
                deed(self, chance)
            except Exception as error:  # whatever it is, it is wrong
                self.wrong.append(f"{name}: {error!r}")
                return

    def tell(self):
        for daemon in (self.one, self.other):
            s = daemon.standing()
            began = time.monotonic()
            rows = daemon.get("/status")["num_torrents"]
            took = time.monotonic() - began
            self.say(f"{daemon.folder.name:5}  RSS {s['rss'] / 1024:6.1f} MiB, anonymous {s['anon'] / 1024:6.1f} MiB, {s['fds']:3} descriptors, "
                     f"{s['threads']:3} threads, store {s['store'] / 1024:5.1f} MiB, {rows:4} torrents, /status {1000 * took:5.1f} ms")
        self.say("done   " + ", ".join(f"{n} {what}" for what, n in sorted(self.counts.items())))

    # ---- the end, and the beginning

    def come_to_rest(self, like=None):
        """No torrent, no client; then what each takes, once it is as before, or stays as it is."""
        for daemon in (self.one, self.other):
            rows = [row["info_hash"] for row in daemon.get("/torrents")["torrents"]]
            if rows:
                daemon.ask("POST", "/torrents/batch/remove", {"info_hashes": rows, "remove_data": False})
            for kind in ("blacklist", "whitelist"):
                for ip in daemon.get(f"/security/{kind}")["ips"]:
                    daemon.ask("DELETE", f"/security/{kind}/{ip}")
        began = still_since = time.monotonic()
        last = {}
        while True:
            now, quiet = {}, True
            for daemon in (self.one, self.other):
                # Who asks is one connection, and the one before may not be gone yet.
                quiet = quiet and daemon.metric("ccbt_api_connections") <= 2 and daemon.metric("ccbt_event_watchers") == 0
                time.sleep(0.1)
                now[daemon.folder.name] = daemon.standing()
            held = {name: (s["fds"], s["threads"]) for name, s in now.items()}
            if held != last or not quiet:
                last, still_since = held, time.monotonic()
            still = time.monotonic() - still_since
            is_like = like is not None and quiet and all(now[n][k] <= like[n][k] for n in now for k in ("fds", "threads"))
            # libtorrent looks once a minute which of its threads have nothing to do.
            if (is_like and still > 2) or still > self.still_for or time.monotonic() - began > 240:
                return now
            time.sleep(0.5)

    def compare(self, what, began, ended, bound):
        good = True
        for name, end in ended.items():
            begin = began[name]
            grown = end["anon"] - begin["anon"]
            fits = end["fds"] <= begin["fds"] and (self.smoke or end["threads"] <= begin["threads"] + POOL_THREADS and grown <= bound)
            good = good and fits
            self.say(f"{what}: {name:5} descriptors {begin['fds']} -> {end['fds']}, threads {begin['threads']} -> {end['threads']}, "
                     f"anonymous memory {begin['anon'] / 1024:.1f} -> {end['anon'] / 1024:.1f} MiB (at most +{bound / 1024:.0f}), "
                     f"RSS {begin['rss'] / 1024:.1f} -> {end['rss'] / 1024:.1f} MiB: {'ok' if fits else 'NOT AS IT BEGAN'}")
        return good

    def run(self, minutes):
        self.smoke = minutes < 1  # too short for memory and threads: told, not judged
        seconds, restarts_every = 60 * minutes, 3 if self.smoke else 20 if minutes < 5 else 60
        self.still_for = 2
        cold = self.come_to_rest()
        self.load(seconds / 2 if self.smoke else max(20, seconds * 0.1), until_warm=not self.smoke)
        self.still_for = 2 if self.smoke else 10 if minutes < 2 else 75
        began = self.come_to_rest()
        self.compare("warm, told alone", cold, began, MEMORY_BOUND_KIB)
        self.load(seconds / 2 if self.smoke else seconds * 0.45, restarts_every)
        end = middle = self.come_to_rest(began)
        good = self.compare("after one half  ", began, middle, MEMORY_BOUND_KIB)
        if not self.smoke:
            self.load(seconds * 0.45, restarts_every)
            end = self.come_to_rest(began)
        self.say("done   " + ", ".join(f"{n} {what}" for what, n in sorted(self.counts.items())))
        good = self.compare("after the other ", began, end, MEMORY_BOUND_KIB) and good
        good = self.compare("growth of a half", middle, end, GROWTH_BOUND_KIB) and good
        for daemon in (self.one, self.other):
            daemon.stop()
        for line in self.wrong:
            self.say(f"WRONG  {line}")
        for name, (_, _) in DEEDS.items():
            if not self.counts.get(name):
                self.wrong.append(f"never done: {name}")
                self.say(f"WRONG  never done: {name}")
        return good and not self.wrong


def main():
    words = argparse.ArgumentParser()
    words.add_argument("build")
    words.add_argument("work")
    words.add_argument("tracker", type=int)
    words.add_argument("--minutes", type=float, default=20)
    words.add_argument("--seed", type=int, default=int(time.time()))
    asked = words.parse_args()
    print(f"soak: {asked.minutes:g} minutes, seed {asked.seed}", flush=True)
    soak = Soak(asked)
    try:
        good = soak.run(asked.minutes)
    except Wrong as error:
        print(f"soak: {error}", flush=True)
        good = False
    print("soak: all is where it began" if good else "soak: FAILED", flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
