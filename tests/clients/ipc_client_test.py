"""Calls every operation of IPCClient and holds every answer against the contract. Run by ipc_client_test.sh."""

import asyncio
import json
import os
import pathlib
import shutil
import sys
import time

import ccbt_ipc_client as ipc

STATES = {"starting", "downloading", "seeding", "paused", "stopped", "error", "checking", "metadata", "queued"}
PRIORITIES = {"paused", "low", "normal", "high", "maximum"}
UNKNOWN = "0123456789abcdef0123456789abcdef01234567"


class World:
    """Where all is, what was called, what was wrong."""

    def __init__(self, work, info_hash, other_hash):
        self.work, self.info_hash, self.other_hash = pathlib.Path(work), info_hash, other_hash
        self.payload = str(self.work / "payload.torrent")
        self.other = str(self.work / "other.torrent")
        self.answered, self.wrong, self.checks = set(), [], 0
        self.statuses = set()

    def daemon(self, name):
        state = self.work / name / "state"
        url = json.loads((state / "daemon.json").read_text())["url"]
        return ipc.IPCClient(url, (state / "api_key").read_text().strip(), heard=self.heard)

    def heard(self, method, route, status):
        self.statuses.add((method, route, status))

    def check(self, what, holds, seen=None):
        self.checks += 1
        if not holds:
            self.wrong.append(f"{what}: {seen!r}" if seen is not None else what)
            print(f"WRONG  {self.wrong[-1]}")

    async def call(self, client, name, *given, **named):
        """The answer of an operation; None where its route is not there yet."""
        try:
            said = await getattr(client, name)(*given, **named)
        except ipc.IPCError as error:
            self.check(f"{name}{given}", False, str(error))
            return None
        except ipc.WrongModel as error:
            self.check(f"{name}{given}", False, str(error))
            return None
        self.answered.add(name)
        return said

    async def refused(self, client, status, code, name, *given, field=None, **named):
        """An operation is answered with that error."""
        what = f"{name}{given} is refused with {status} {code}"
        try:
            said = await getattr(client, name)(*given, **named)
        except ipc.IPCError as error:
            self.check(what, (error.status, error.code) == (status, code), str(error))
            if field is not None:
                self.check(f"{what}, which names {field}", (error.details or {}).get("field") == field, error.details)
            return
        self.check(what, False, said)

    async def until(self, what, fact, seconds=40):
        """Asks again until `fact` holds."""
        end = time.monotonic() + seconds
        while not await fact():
            if time.monotonic() > end:
                self.check(f"in {seconds} s: {what}", False)
                return
            await asyncio.sleep(0.1)
        self.check(what, True)


# ---- what the client sends

async def habits(w):
    asked = []

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = [int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")]
        asked.append((head.decode(), await reader.readexactly(length[0] if length else 0)))
        body = b'{"status": "x", "info_hash": "y"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                     b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with ipc.IPCClient(f"http://127.0.0.1:{port}", "k" * 64) as client:
        await client.pause_torrent(UNKNOWN)
        await client.add_torrent("/x.torrent")
        await client.remove_torrent(UNKNOWN)
    server.close()
    await server.wait_closed()
    w.check("a POST without a body is aiohttp's", "Content-Length: 0\r\n" in asked[0][0] and
            "Content-Type: application/octet-stream\r\n" in asked[0][0], asked[0])
    w.check("absent fields are sent as null", json.loads(asked[1][1]) ==
            {"path_or_magnet": "/x.torrent", "output_dir": None, "resume": False}, asked[1])
    w.check("a body is application/json", "Content-Type: application/json\r\n" in asked[1][0], asked[1])
    w.check("DELETE has no body", "Content-Type" not in asked[2][0] and asked[2][1] == b"", asked[2])


# ---- the daemon

async def daemon(w, seeder):
    said = await w.call(seeder, "get_status")
    if said:
        w.check("status is running", said.status == "running", said)
        w.check("pid is a process", said.pid > 1 and os.path.exists(f"/proc/{said.pid}"), said)
        w.check("uptime passes", said.uptime > 0, said)
        w.check("a version", said.version[0].isdigit(), said)
        w.check("ipc_url is where it answers", said.ipc_url == seeder.base_url, said)
    w.check("is_daemon_running", await seeder.is_daemon_running())
    nobody = ipc.IPCClient("http://127.0.0.1:1", "k")
    w.check("no daemon is not running", not await nobody.is_daemon_running())
    await nobody.close()

    text = await w.call(seeder, "get_metrics")
    w.check("metrics are Prometheus text", text is not None and "# TYPE ccbt" in text, (text or "")[:200])

    async with ipc.IPCClient(seeder.base_url, "wrong", heard=w.heard) as stranger:
        for name, given in (("get_status", ()), ("list_torrents", ()), ("pause_torrent", (UNKNOWN,)),
                            ("add_torrent", ("x",)), ("remove_torrent", (UNKNOWN,)), ("get_blacklist", ())):
            await w.refused(stranger, 401, "AUTH_REQUIRED", name, *given)


async def config(w, client):
    said = await w.call(client, "get_config")
    if said is not None:
        sections = {"network", "discovery", "disk", "limits", "queue", "nat", "security", "proxy", "observability",
                    "daemon"}
        w.check("config has every section", sections <= set(said), sorted(said))
        w.check("config is nested", isinstance(said.get("security", {}).get("ip_filter"), dict), said.get("security"))
        w.check("limits are integers", type(said["limits"]["global_down_kib"]) is int, said["limits"])
    said = await w.call(client, "update_config", {"limits": {"global_up_kib": 900000}})
    if said:
        w.check("config is updated", said.status == "updated" and said.restart_required is False, said)
        w.check("config answers what holds", said.config["limits"]["global_up_kib"] == 900000, said.config)
        again = await w.call(client, "get_config")
        w.check("config keeps it", again["limits"]["global_up_kib"] == 900000, again["limits"])
    bad = ({"limits": {"global_up_kib": -1}}, "limits.global_up_kib"), ({"queue": {"max_active_torrents": "x"}},
                                                                        "queue.max_active_torrents")
    for changes, field in bad:
        await w.refused(client, 400, "CONFIG_UPDATE_FAILED", "update_config", changes, field=field)


async def protocols(w, client):
    for name in ("get_xet_protocol", "get_ipfs_protocol"):
        said = await w.call(client, name)
        if said:
            w.check(f"{name} tells it as it is", (said.enabled, said.status) == (False, "not_available"), said)


# ---- torrents

def check_row(w, row, info_hash):
    w.check("a row's hash", row.info_hash == info_hash, row)
    w.check("a row's status", row.status in STATES, row)
    w.check("a row's progress", 0.0 <= row.progress <= 1.0, row)
    w.check("a row's counts", min(row.num_peers, row.num_seeds, row.total_size, row.downloaded, row.uploaded) >= 0, row)
    w.check("a row's rates", min(row.download_rate, row.upload_rate) >= 0.0, row)
    w.check("a row's name", row.name != "", row)


async def torrents(w, seeder, downloader):
    said = await w.call(seeder, "add_torrent", w.payload)
    w.check("added to the seeder", said == {"info_hash": w.info_hash, "status": "added"}, said)

    async def seeds():
        return (await seeder.get_torrent_status(w.info_hash)).status == "seeding"

    await w.until("the seeder seeds", seeds)
    await downloader.add_torrent(w.payload)

    async def whole():
        row = await downloader.get_torrent_status(w.info_hash)
        check_row(w, row, w.info_hash)
        return row.status == "seeding" and row.progress == 1.0

    await w.until("the downloader has it all", whole)
    files = w.work / "downloader/files/payload"
    for name in ("a.bin", "b.bin", "c.bin"):
        w.check(f"{name} is the same", (files / name).read_bytes() ==
                (w.work / "seeder/files/payload" / name).read_bytes())

    row = await w.call(downloader, "get_torrent_status", w.info_hash.upper())
    if row:
        check_row(w, row, w.info_hash)
        w.check("its size", row.total_size == 3470001, row)
        w.check("its name", row.name == "payload", row)
        w.check("it was downloaded", row.downloaded >= 3470001, row)
    said = await w.call(downloader, "list_torrents")
    w.check("one row", said is not None and [r.info_hash for r in said.torrents] == [w.info_hash], said)

    said = await w.call(downloader, "pause_torrent", w.info_hash)
    w.check("paused", said == {"status": "paused"}, said)
    w.check("and so it says", (await downloader.get_torrent_status(w.info_hash)).status == "paused")
    await w.refused(downloader, 409, "ANNOUNCE_ERROR", "force_announce", w.info_hash)
    said = await w.call(downloader, "resume_torrent", w.info_hash)
    w.check("resumed", said == {"status": "resumed"}, said)

    said = await w.call(downloader, "set_rate_limits", w.info_hash, 4000, 5000.0)
    w.check("limits are set", said is not None and said.set is True, said)
    for down, up, field in ((-1, 0, "download_kib"), (0, 2097152, "upload_kib"), ("1", 0, "download_kib"),
                            (None, 0, "download_kib")):
        await w.refused(downloader, 400, "VALIDATION_ERROR", "set_rate_limits", w.info_hash, down, up, field=field)

    said = await w.call(downloader, "force_announce", w.info_hash)
    w.check("announced", said is not None and said.announced is True, said)

    errors = (
        (400, "ADD_TORRENT_ERROR", ("/no/such.torrent",)),
        (400, "ADD_TORRENT_ERROR", ("magnet:?xt=urn:btih:12",)),
        (400, "ADD_TORRENT_ERROR", (str(w.work / "seeder/ccbt.toml"),)),
        (403, "ADD_TORRENT_ERROR", (f"magnet:?xt=urn:btih:{UNKNOWN}", "/etc")),
        (409, "TORRENT_EXISTS", (w.payload,)),
        (400, "VALIDATION_ERROR", (None,)),
        (400, "VALIDATION_ERROR", (5,)),
    )
    for status, code, given in errors:
        await w.refused(downloader, status, code, "add_torrent", *given)
    of_a_torrent = {
        "get_torrent_status": (), "pause_torrent": (), "resume_torrent": (), "remove_torrent": (),
        "get_peers_for_torrent": (), "set_rate_limits": (1, 1), "force_announce": (), "get_torrent_files": (),
        "select_files": ([0],), "deselect_files": ([0],), "set_file_priority": (0, "high"), "verify_files": (),
        "pause_torrent_in_queue": (), "resume_torrent_in_queue": (), "scrape_torrent": (),
    }
    for name, given in of_a_torrent.items():
        await w.refused(downloader, 404, "TORRENT_NOT_FOUND", name, UNKNOWN, *given)
        await w.refused(downloader, 400, "INVALID_INFO_HASH", name, "nonsense", *given)


async def peers(w, seeder, downloader):
    """While something is on its way: the downloader gets the same data again, slowly."""
    said = await w.call(downloader, "get_peers_for_torrent", w.info_hash)
    if said:
        w.check("its peers are counted", said.count == len(said.peers) and said.info_hash == w.info_hash, said)
    await downloader.remove_torrent(w.info_hash)
    shutil.rmtree(w.work / "downloader/files/payload")

    async def let_go():
        return (await seeder.get_peers_for_torrent(w.info_hash)).count == 0

    # A second connection from one address is refused, and not tried again for a minute.
    await w.until("the seeder has let the downloader go", let_go)
    # Slowed by the seeder, before it begins: without a limit all is there before anybody can look.
    await seeder.set_rate_limits(w.info_hash, 0, 200)
    await downloader.add_torrent(w.payload)
    found = []

    async def connected():
        found[:] = (await downloader.get_peers_for_torrent(w.info_hash)).peers
        return bool(found)

    await w.until("the downloader has a peer", connected)
    if found:
        one = found[0]
        w.check("it is the seeder", one.ip == "127.0.0.2" and 0 < one.port < 65536, one)
        w.check("its rates", min(one.download_rate, one.upload_rate) >= 0.0, one)
    said = await w.call(seeder, "get_peers_for_torrent", w.info_hash)
    w.check("the seeder sees it too", said is not None and said.count == 1 and said.peers[0].ip == "127.0.0.3", said)
    await seeder.set_rate_limits(w.info_hash, 0, 0)

    async def whole():
        return (await downloader.get_torrent_status(w.info_hash)).status == "seeding"

    await w.until("without a limit it is soon there", whole)


async def state(w, downloader):
    said = await w.call(downloader, "export_session_state")
    if not said:
        return
    w.check("exported", said.exported is True and os.path.isfile(said.path), said)
    await w.refused(downloader, 403, "EXPORT_ERROR", "export_session_state", "/etc/state.json")
    point = json.loads(await downloader.ask("GET", "/torrents/{ih}/checkpoint", ih=w.info_hash))
    w.check("a checkpoint says whose it is", point["info_hash"] == w.info_hash and point["version"] == "1.0", point)

    removed = await w.call(downloader, "remove_torrent", w.info_hash)
    w.check("removed", removed == {"status": "removed"}, removed)
    await w.refused(downloader, 404, "TORRENT_NOT_FOUND", "get_torrent_status", w.info_hash)
    back = await w.call(downloader, "import_session_state", said.path)
    if back:
        w.check("imported", set(back.state.torrents) == {w.info_hash}, back)
        w.check("one", back.get("imported") == 1 and back.get("skipped") == 0 and back.get("failed") == [], back)
    files = w.work / "downloader/files"
    (files / "bad.json").write_text("{}")
    await w.refused(downloader, 422, "IMPORT_ERROR", "import_session_state", str(files / "bad.json"))
    await w.refused(downloader, 404, "IMPORT_ERROR", "import_session_state", str(files / "none.json"))
    await w.refused(downloader, 403, "IMPORT_ERROR", "import_session_state", "/etc/passwd")
    await w.refused(downloader, 400, "VALIDATION_ERROR", "import_session_state", None, field="path")

    await downloader.remove_torrent(w.info_hash)
    await w.refused(downloader, 400, "RESUME_ERROR", "resume_from_checkpoint", w.other_hash, point, w.payload)
    await w.refused(downloader, 404, "RESUME_ERROR", "resume_from_checkpoint", w.info_hash, point, "/no/such.torrent")
    await w.refused(downloader, 400, "INVALID_INFO_HASH", "resume_from_checkpoint", "nonsense", point, w.payload)
    said = await w.call(downloader, "resume_from_checkpoint", w.info_hash, point, w.payload)
    w.check("resumed from its checkpoint", said == {"info_hash": w.info_hash}, said)

    async def whole():
        return (await downloader.get_torrent_status(w.info_hash)).status == "seeding"

    await w.until("all of it is there", whole)
    row = await downloader.get_torrent_status(w.info_hash)
    w.check("and nothing was downloaded again", row.progress == 1.0, row)


# ---- files, queue, scrape

async def files(w, downloader):
    magnet = f"magnet:?xt=urn:btih:{UNKNOWN[::-1]}"
    added = await downloader.add_torrent(magnet)
    await w.refused(downloader, 409, "FILE_LIST_FAILED", "get_torrent_files", added.info_hash)
    await w.refused(downloader, 409, "FILE_VERIFY_FAILED", "verify_files", added.info_hash)
    await downloader.remove_torrent(added.info_hash)

    def listed(said):
        return [(f.index, f.name.split("/")[-1], f.size, f.selected, f.priority) for f in said.files]

    said = await w.call(downloader, "get_torrent_files", w.info_hash)
    if said:
        w.check("its files", said.info_hash == w.info_hash and listed(said) == [
            (0, "a.bin", 3000000, True, "normal"), (1, "b.bin", 70001, True, "normal"),
            (2, "c.bin", 400000, True, "normal")], said)
        w.check("their progress", all(f.progress == 1.0 for f in said.files), said)
    said = await w.call(downloader, "deselect_files", w.info_hash, [1])
    if said:
        w.check("deselected", (said.status, said.file_indices) == ("deselected", [1]), said)
        now = await downloader.get_torrent_files(w.info_hash)
        w.check("one is not wanted", [f.selected for f in now.files] == [True, False, True], now)
    said = await w.call(downloader, "select_files", w.info_hash, [1])
    if said:
        w.check("selected", (said.status, said.file_indices) == ("selected", [1]), said)
        now = await downloader.get_torrent_files(w.info_hash)
        w.check("all are wanted again", all(f.selected for f in now.files), now)
    said = await w.call(downloader, "set_file_priority", w.info_hash, 2, "HIGH")
    if said:
        w.check("a priority", (said.status, said.file_index, said.priority) == ("priority_set", 2, "high"), said)
        now = await downloader.get_torrent_files(w.info_hash)
        w.check("and it holds", now.files[2].priority == "high", now)
    await w.refused(downloader, 400, "FILE_SELECT_FAILED", "select_files", w.info_hash, [0, 3])
    await w.refused(downloader, 400, "FILE_DESELECT_FAILED", "deselect_files", w.info_hash, [0, 99])
    await w.refused(downloader, 400, "FILE_PRIORITY_FAILED", "set_file_priority", w.info_hash, 3, "low")
    await w.refused(downloader, 400, "VALIDATION_ERROR", "select_files", w.info_hash, None, field="file_indices")
    said = await w.call(downloader, "verify_files", w.info_hash)
    if said:
        below = str(w.work / "downloader/files/payload")
        w.check("verified", (said.status, said.info_hash, said.total_files, said.verified_count, said.failed_count) ==
                ("completed", w.info_hash, 3, 3, 0), said)
        w.check("by their paths", sorted(said.verified_files) == [f"{below}/{n}.bin" for n in "abc"] and
                said.failed_files == [], said)


async def queue(w, downloader):
    said = await w.call(downloader, "get_queue")
    if said:
        w.check("it is queued from its adding", [e.info_hash for e in said.entries] == [w.info_hash], said)
        w.check("an entry", said.entries[0].priority in PRIORITIES and said.entries[0].status != "", said)
        w.check("statistics", said.statistics.total_torrents == 1, said)
        w.check("by priority", said.statistics.by_priority["normal"] == 1, said)
    await downloader.add_torrent(w.other)

    async def order():
        return [e.info_hash for e in (await downloader.get_queue()).entries]

    said = await w.call(downloader, "move_in_queue", w.other_hash, 0)
    if said:
        w.check("moved", (said.status, said.info_hash, said.new_position) == ("moved", w.other_hash, 0), said)
        w.check("it is first", await order() == [w.other_hash, w.info_hash], await order())
    await w.refused(downloader, 400, "VALIDATION_ERROR", "move_in_queue", w.other_hash, -1, field="new_position")
    await w.refused(downloader, 404, "QUEUE_NOT_FOUND", "move_in_queue", UNKNOWN, 0)
    said = await w.call(downloader, "add_to_queue", w.other_hash, "High")
    if said:
        w.check("its priority", (said.status, said.info_hash) == ("added", w.other_hash), said)
        entry = [e for e in (await downloader.get_queue()).entries if e.info_hash == w.other_hash]
        w.check("is high", len(entry) == 1 and entry[0].priority == "high", entry)
    await w.refused(downloader, 404, "TORRENT_NOT_FOUND", "add_to_queue", UNKNOWN, "low")
    await w.refused(downloader, 400, "INVALID_INFO_HASH", "add_to_queue", "nonsense", "low")
    said = await w.call(downloader, "pause_torrent_in_queue", w.info_hash)
    if said:
        w.check("paused in the queue", (said.status, said.info_hash) == ("paused", w.info_hash), said)
        row = await downloader.get_torrent_status(w.info_hash)
        w.check("and it is paused", row.status == "paused", row)
    said = await w.call(downloader, "resume_torrent_in_queue", w.info_hash)
    w.check("resumed in the queue", said is None or (said.status, said.info_hash) == ("resumed", w.info_hash), said)
    said = await w.call(downloader, "remove_from_queue", w.other_hash)
    if said:
        w.check("out of the queue", (said.status, said.info_hash) == ("removed", w.other_hash), said)
        w.check("it is not in it", await order() == [w.info_hash], await order())
        await w.refused(downloader, 404, "QUEUE_NOT_FOUND", "remove_from_queue", w.other_hash)
    said = await w.call(downloader, "clear_queue")
    if said:
        w.check("cleared", said == {"status": "cleared"}, said)
        w.check("nothing is in it", await order() == [], await order())
        await downloader.add_to_queue(w.info_hash, "normal")
        w.check("and one is put back", await order() == [w.info_hash], await order())


async def scrape(w, downloader):
    await w.refused(downloader, 404, "SCRAPE_NOT_FOUND", "get_scrape_result", w.info_hash)
    said = await w.call(downloader, "scrape_torrent", w.info_hash, True)
    if said:
        w.check("its swarm", said.info_hash == w.info_hash and said.seeders >= 1 and said.leechers >= 0, said)
        w.check("counted", said.scrape_count >= 1 and abs(said.last_scrape_time - time.time()) < 60, said)
        again = await downloader.scrape_torrent(w.info_hash)
        w.check("kept", again.last_scrape_time == said.last_scrape_time, again)
        forced = await downloader.scrape_torrent(w.info_hash, True)
        w.check("asked anew", forced.scrape_count == said.scrape_count + 1, forced)
    said = await w.call(downloader, "get_scrape_result", w.info_hash)
    w.check("one result", said is None or said.info_hash == w.info_hash, said)
    said = await w.call(downloader, "list_scrape_results")
    w.check("all results", said is None or [r.info_hash for r in said.results] == [w.info_hash], said)
    await w.refused(downloader, 502, "SCRAPE_FAILED", "scrape_torrent", w.other_hash, True)


# ---- addresses

async def security(w, client):
    for kind in ("blacklist", "whitelist"):
        get, add, remove = f"get_{kind}", f"add_to_{kind}", f"remove_from_{kind}"
        for ip in ("25.1.2.3", "25.9.0.0/16", "2001:db8::7"):
            said = await w.call(client, add, ip, "a reason" if "/" in ip else None)
            w.check(f"{add} {ip}", said == {"added": True}, said)
        said = await w.call(client, get)
        if said:
            w.check(f"{kind} has them", set(said.ips) == {"25.1.2.3", "25.9.0.0/16", "2001:db8::7"} and said.count == 3,
                    said)
        for ip in ("25.1.2.3", "25.9.0.0%2F16", "2001:db8::7"):
            said = await w.call(client, remove, ip)
            w.check(f"{remove} {ip}", said == {"removed": True}, said)
        w.check(f"{kind} is empty", (await getattr(client, get)()) == {"ips": [], "count": 0, "entries": []})
        await w.refused(client, 400, "SECURITY_ERROR", add, "nobody")
        await w.refused(client, 400, "VALIDATION_ERROR", add, None, field="ip")
        await w.refused(client, 404, "SECURITY_ERROR", remove, "25.1.2.3")
        await w.refused(client, 400, "SECURITY_ERROR", remove, "nobody")


async def ip_filter(w, seeder, downloader):
    said = await w.call(downloader, "load_ip_filter")
    w.check("the filter is loaded", said is not None and said.loaded is True and said.get("rules") == 2, said)
    said = await w.call(downloader, "get_ip_filter_stats")
    if said:
        w.check("it is on", said.enabled is True and said.total_rules == 2 and said.stats.total_rules == 2, said)
        w.check("its ranges", (said.stats.ipv4_ranges, said.stats.ipv6_ranges) == (2, 0), said)
        w.check("its time", said.stats.last_update is not None, said)
    said = await w.call(seeder, "get_ip_filter_stats")
    if said:
        w.check("the seeder has none", said.enabled is False and said.total_rules == 0, said)
        w.check("and no time of it", said.stats.last_update is None, said)
    (w.work / "filter.p2p").rename(w.work / "away.p2p")
    await w.refused(downloader, 404, "SECURITY_ERROR", "load_ip_filter")
    (w.work / "filter.p2p").write_text("nothing that is a rule\n")
    await w.refused(downloader, 422, "SECURITY_ERROR", "load_ip_filter")
    (w.work / "away.p2p").replace(w.work / "filter.p2p")


# ---- the gateway

async def nat(w, off):
    said = await w.call(off, "get_nat_status")
    w.check("NAT is off", said == {"enabled": False, "method": None, "external_ip": None, "mapped_port": None,
                                   "mappings": []}, said)
    await w.refused(off, 404, "NAT_DISCOVER_FAILED", "discover_nat")
    await w.refused(off, 404, "NAT_MAP_FAILED", "map_nat_port", 6881)
    await w.refused(off, 404, "NAT_UNMAP_FAILED", "unmap_nat_port", 6881)
    await w.refused(off, 404, "NAT_REFRESH_FAILED", "refresh_nat_mappings")
    await w.refused(off, 404, "NAT_ERROR", "get_external_ip")
    await w.refused(off, 404, "NAT_ERROR", "get_external_port", 6881)
    await w.refused(off, 400, "INVALID_PORT", "get_external_port", 65536)
    await w.refused(off, 400, "INVALID_PORT", "get_external_port", "x")
    await w.refused(off, 400, "VALIDATION_ERROR", "map_nat_port", 70000, field="internal_port")
    await w.refused(off, 400, "VALIDATION_ERROR", "map_nat_port", 6881, None, "sctp", field="protocol")


async def gateway(w, natted):
    said = await w.call(natted, "discover_nat")
    w.check("a gateway is found", said == {"status": "discovered", "result": True}, said)
    said = await w.call(natted, "map_nat_port", 6881, 7000, "tcp")
    if said:
        one = said.result
        w.check("mapped", (said.status, one.protocol, one.internal_port, one.external_port, one.source) ==
                ("mapped", "tcp", 6881, 7000, "natpmp"), said)
    said = await w.call(natted, "map_nat_port", 6882, None, "udp")
    w.check("mapped at the gateway's choice", said is not None and said.result.external_port == 6882, said)
    said = await w.call(natted, "get_nat_status")
    if said:
        w.check("on, by NAT-PMP", (said.enabled, said.method, said.external_ip) == (True, "NAT-PMP", "25.0.0.1"), said)
        w.check("two mappings", sorted((m.protocol, m.internal_port, m.external_port) for m in said.mappings) ==
                [("tcp", 6881, 7000), ("udp", 6882, 6882)], said)
    said = await w.call(natted, "get_external_ip")
    w.check("its address", said == {"external_ip": "25.0.0.1", "method": "NAT-PMP"}, said)
    said = await w.call(natted, "get_external_port", 6881)
    w.check("its port", said == {"internal_port": 6881, "external_port": 7000, "protocol": "tcp"}, said)
    said = await w.call(natted, "get_external_port", 6881, "udp")
    w.check("not mapped is null", said == {"internal_port": 6881, "external_port": None, "protocol": "udp"}, said)
    said = await w.call(natted, "refresh_nat_mappings")
    w.check("refreshed", said is not None and said.status == "refreshed", said)
    for result in (True, False):
        said = await w.call(natted, "unmap_nat_port", 7000, "tcp")
        w.check("unmapped once", said == {"status": "unmapped", "result": result}, said)


# ---- totals, events

async def stats(w, downloader):
    said = await w.call(downloader, "get_global_stats")
    if said:
        rows = (await downloader.list_torrents()).torrents
        w.check("torrents are counted", said.num_torrents == said.stats.num_torrents == len(rows), said)
        w.check("and those that seed", said.stats.num_seeding >= 1, said)
        w.check("downloaded twice", said.total_downloaded >= 2 * 3470001, said)
        w.check("uploaded", said.total_uploaded >= 0 and said.stats.upload_rate >= 0.0, said)
        w.check("progress", 0.0 <= said.stats.average_progress <= 1.0, said)


async def sockets(w, seeder):
    for key in (None, "wrong"):
        async with ipc.IPCClient(seeder.base_url, key) as stranger:
            socket = await stranger.connect_websocket()
            said = await socket.receive(10)
            w.check(f"the key {key} is closed with 4001", (said.data, said.extra) == (4001, "Unauthorized"), said)
    async with ipc.IPCClient(seeder.base_url, seeder.api_key) as client:
        socket = await client.connect_websocket()
        await client.subscribe_events(["torrent_status_changed", "torrents_changed"])
        said = await client.receive_message()
        w.check("subscribed", said == {"action": "subscribed",
                                       "event_types": ["torrent_status_changed", "torrents_changed"]}, said)
        await client.unsubscribe_events(["torrents_changed"])
        said = await client.receive_message()
        w.check("unsubscribed", said is not None and said["action"] == "unsubscribed", said)
        await socket.send_json({"action": "ping"})
        w.check("ping is answered", await client.receive_message() == {"action": "pong"})
        for text in ('{"action": "dance"}', "no JSON", "[1]"):
            await socket.send_str(text)
            said = await client.receive_message()
            w.check(f"{text} is an error", said is not None and said["action"] == "error" and
                    type(said["error"]) is str, said)
        await socket.send_json({"action": "ping"})
        w.check("the connection stays", await client.receive_message() == {"action": "pong"})


class Watcher:
    """Everything that a connection without a subscription is told."""

    def __init__(self, client):
        self.client, self.events = client, []

    async def __aenter__(self):
        await self.client.connect_websocket()
        self.task = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await self.client.close()

    async def read(self):
        while (event := await self.client.receive_event(3600)) is not None:
            self.events.append(event)

    def has(self, kind, **data):
        return any(e.type == kind and all(e.data.get(k) == v for k, v in data.items()) for e in self.events)


async def everything(w):
    await habits(w)
    async with w.daemon("seeder") as seeder, w.daemon("downloader") as downloader, \
            Watcher(w.daemon("downloader")) as heard:
        w.answered.add("connect_websocket")
        await daemon(w, seeder)
        await config(w, downloader)
        await protocols(w, seeder)
        await torrents(w, seeder, downloader)
        await peers(w, seeder, downloader)
        await state(w, downloader)
        await files(w, downloader)
        await queue(w, downloader)
        await scrape(w, downloader)
        await security(w, downloader)
        await ip_filter(w, seeder, downloader)
        await nat(w, seeder)
        await stats(w, downloader)
        await sockets(w, seeder)
        natted = (w.work / "natted").exists()
        if natted:
            async with w.daemon("natted") as client:
                await gateway(w, client)
        said = await w.call(downloader, "shutdown")
        w.check("shutting down", said == {"status": "shutting_down"}, said)

        async def gone():
            return not await downloader.is_daemon_running() and heard.task.done()

        await w.until("it is gone", gone)
        for kind, data in (
                ("torrent_added", {"info_hash": w.info_hash, "name": "payload"}),
                ("torrent_completed", {"info_hash": w.info_hash}),
                ("torrent_status_changed", {"info_hash": w.info_hash, "status": "paused"}),
                ("torrent_removed", {"info_hash": w.info_hash}),
                ("security_blacklist_updated", {"ip": "25.1.2.3", "action": "added"}),
                ("security_blacklist_updated", {"ip": "25.1.2.3", "action": "removed"}),
                ("security_whitelist_updated", {"ip": "25.9.0.0/16", "action": "added"}),
                ("shutdown", {})):
            w.check(f"the event {kind} {data}", heard.has(kind, **data))
        if "update_config" in w.answered:
            w.check("the event config_updated", heard.has("config_updated"))
        w.check("no other kinds", {e.type for e in heard.events} <= {
            "torrent_added", "torrent_removed", "torrent_completed", "torrent_status_changed", "config_updated",
            "shutdown", "security_blacklist_updated", "security_whitelist_updated"})
        w.check("numbered upwards", [e["seq"] for e in heard.events] == sorted(e["seq"] for e in heard.events))

    expected = set(ipc.OPERATIONS)
    if not natted:
        expected -= {"discover_nat", "map_nat_port", "unmap_nat_port", "refresh_nat_mappings", "get_external_ip",
                     "get_external_port"}
    for name in sorted(expected - w.answered):
        w.check(f"{name} was answered with success", False)


def record(w):
    """For tools/conformance: what was asked, and with what end."""
    folder = os.environ.get("CONFORMANCE_RECORDS")
    if folder:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"ipc_client.{os.getpid()}"), "w", encoding="utf-8") as out:
            for method, route, status in sorted(w.statuses):
                out.write(f"{method} {route} {status} e2e.ipc_client\n")


def main():
    w = World(*sys.argv[1:4])
    asyncio.run(everything(w))
    record(w)
    print(f"{len(w.answered)} of {len(ipc.OPERATIONS)} operations answered; "
          f"{w.checks - len(w.wrong)} of {w.checks} checks hold")
    return 1 if w.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
