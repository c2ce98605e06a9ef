"""A client with the habits of the Python ccBitTorrent project's own IPC client, written from the contract's tables.

Its habits are what this daemon has to live with, unmodified: optional fields are sent as null, bodies are
application/json, a POST without a body comes as aiohttp sends one (Content-Length: 0, application/octet-stream), DELETE
has no body, the WebSocket carries its key in the query, answers are read into models that take no other type.
"""

import asyncio
import json
import urllib.parse

import aiohttp

API_BASE_PATH = "/api/v1"
API_KEY_HEADER = "X-CCBT-API-Key"

# ---- models: "name: type" a field, "?" behind a type that may be null, "[x]" a list, "{x}" an object of x by name

MODELS = {
    "StatusResponse": "status:str pid:int uptime:float version:str num_torrents:int ipc_url:str",
    "TorrentAdded": "info_hash:str status:str",
    "Said": "status:str",
    "TorrentStatusResponse": "info_hash:str name:str status:str progress:float download_rate:float upload_rate:float "
    "num_peers:int num_seeds:int total_size:int downloaded:int uploaded:int is_private:bool",
    "TorrentListResponse": "torrents:[TorrentStatusResponse]",
    "PeerInfo": "ip:str port:int download_rate:float upload_rate:float choked:bool client:str?",
    "PeerListResponse": "info_hash:str peers:[PeerInfo] count:int",
    "RateLimitsSet": "set:bool",
    "Announced": "announced:bool",
    "StateExported": "exported:bool path:str",
    "StateImported": "state:RestoredState",
    "RestoredState": "version:str torrents:{TorrentStatusResponse}",
    "CheckpointResumed": "info_hash:str",
    "FileInfo": "index:int name:str size:int selected:bool priority:str progress:float attributes:str?",
    "FileListResponse": "info_hash:str files:[FileInfo]",
    "FilesSelected": "status:str file_indices:[int]",
    "FilePrioritySet": "status:str file_index:int priority:str",
    "FilesVerified": "status:str info_hash:str verified_files:[str] failed_files:[str] total_files:int "
    "verified_count:int failed_count:int",
    "QueueEntry": "info_hash:str queue_position:int priority:str status:str allocated_down_kib:float "
    "allocated_up_kib:float",
    "QueuePriorities": "paused:int low:int normal:int high:int maximum:int",
    "QueueStatistics": "total_torrents:int active_downloading:int active_seeding:int queued:int paused:int "
    "by_priority:QueuePriorities",
    "QueueListResponse": "entries:[QueueEntry] statistics:QueueStatistics",
    "QueueChanged": "status:str info_hash:str",
    "QueueMoved": "status:str info_hash:str new_position:int",
    "NATMapping": "protocol:str internal_port:int external_port:int source:str expires_at:float?",
    "NATStatusResponse": "enabled:bool method:str? external_ip:str? mapped_port:int? mappings:[NATMapping]",
    "NATDiscovered": "status:str result:bool",
    "NATMappingMade": "protocol:str internal_port:int external_port:int source:str",
    "NATMapped": "status:str result:NATMappingMade",
    "NATUnmapped": "status:str result:bool",
    "NATRefreshed": "status:str result:any",
    "ExternalIPResponse": "external_ip:str? method:str?",
    "ExternalPortResponse": "internal_port:int external_port:int? protocol:str",
    "ScrapeResult": "info_hash:str seeders:int leechers:int completed:int last_scrape_time:float scrape_count:int",
    "ScrapeListResponse": "results:[ScrapeResult]",
    "AddressListResponse": "ips:[str] count:int",
    "AddressAdded": "added:bool",
    "AddressRemoved": "removed:bool",
    "IPFilterLoaded": "loaded:bool",
    "IPFilterCounts": "total_rules:int ipv4_ranges:int ipv6_ranges:int matches:int blocks:int allows:int "
    "last_update:float?",
    "IPFilterStatsResponse": "enabled:bool total_rules:int blocked_count:int allowed_count:int stats:IPFilterCounts",
    "GlobalStats": "num_torrents:int num_active:int num_paused:int num_seeding:int download_rate:float "
    "upload_rate:float average_progress:float",
    "GlobalStatsResponse": "num_torrents:int num_active:int num_paused:int total_download_rate:float "
    "total_upload_rate:float total_downloaded:int total_uploaded:int stats:GlobalStats",
    "ProtocolInfo": "enabled:bool status:str details:any",
    "ConfigUpdated": "status:str restart_required:bool config:any",
    "WebSocketEvent": "type:str timestamp:float data:any",
    "ErrorResponse": "error:str code:str details:any?",
}
PLAIN = {"str": str, "int": int, "float": float, "bool": bool}


class WrongModel(Exception):
    """An answer that the model does not take."""


class Model(dict):
    """An answer held against its model; its fields are attributes too."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def read_as(kind, value, where):
    """`value` as `kind` of the notation above; WrongModel where it is another."""
    if kind.endswith("?"):
        return None if value is None else read_as(kind[:-1], value, where)
    if kind == "any":
        if not isinstance(value, dict):
            raise WrongModel(f"{where}: {value!r} is no object")
        return value
    if kind[0] == "[":
        if not isinstance(value, list):
            raise WrongModel(f"{where}: {value!r} is no list")
        return [read_as(kind[1:-1], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if kind[0] == "{":
        if not isinstance(value, dict):
            raise WrongModel(f"{where}: {value!r} is no object")
        return {name: read_as(kind[1:-1], item, f"{where}.{name}") for name, item in value.items()}
    if kind in PLAIN:
        if type(value) is not PLAIN[kind]:  # a bool is no int, an int no float
            raise WrongModel(f"{where}: {value!r} is no {kind}")
        return value
    if not isinstance(value, dict):
        raise WrongModel(f"{where}: {value!r} is no {kind}")
    read = Model(value)
    for field in MODELS[kind].split():
        name, _, of = field.partition(":")
        if name not in value:
            raise WrongModel(f"{where}: a {kind} without {name}: {value!r}")
        read[name] = read_as(of, value[name], f"{where}.{name}")
    return read


class IPCError(Exception):
    """An error answer."""

    def __init__(self, status, answer):
        super().__init__(f"{status} {answer.get('code')}: {answer.get('error')}")
        self.status, self.code, self.details = status, answer["code"], answer["details"]


# ---- operations

OPERATIONS = {}  # name -> (method, route as the contract writes it)


def operation(method, route):
    """Notes what a function of the client asks."""

    def note(function):
        OPERATIONS[function.__name__] = (method, route)
        return function

    return note


class IPCClient:
    """One daemon's API. `heard` is called with (method, route, status) of each answer."""

    def __init__(self, base_url, api_key=None, timeout=30.0, heard=None):
        self.base_url = base_url.rstrip("/")
        self.api_key = api_key
        self.heard = heard or (lambda method, route, status: None)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session = None
        self._websocket = None
        self._socket_session = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        if self._websocket is not None:
            await self._websocket.close()
            self._websocket = None
        for session in (self._session, self._socket_session):
            if session is not None:
                await session.close()
        self._session = self._socket_session = None

    def _headers(self):
        return {API_KEY_HEADER: self.api_key} if self.api_key else {}

    def _ready(self):
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session

    async def ask(self, method, route, kind=None, body=None, query=None, base=API_BASE_PATH, **named):
        """Asks `route` with its {names} filled in; the answer as `kind`, or its text."""
        path = base + route.format(**named)
        more = {} if body is None else {"json": body}
        if query:
            more["params"] = query
        async with self._ready().request(method, self.base_url + path, headers=self._headers(), **more) as answer:
            text = await answer.text()
            self.heard(method, base + route, answer.status)
            if answer.status >= 400:
                assert answer.content_type == "application/json", answer.content_type
                raise IPCError(answer.status, read_as("ErrorResponse", json.loads(text), route))
            if kind is None:
                return text
            assert answer.content_type == "application/json", answer.content_type
            return read_as(kind, json.loads(text), route)

    # the daemon

    @operation("GET", "/status")
    async def get_status(self):
        return await self.ask("GET", "/status", "StatusResponse")

    async def is_daemon_running(self):
        try:
            return (await self.get_status()).status == "running"
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False

    @operation("GET", "/metrics")
    async def get_metrics(self):
        return await self.ask("GET", "/metrics")

    @operation("POST", "/shutdown")
    async def shutdown(self):
        return await self.ask("POST", "/shutdown", "Said")

    @operation("GET", "/session/stats")
    async def get_global_stats(self):
        return await self.ask("GET", "/session/stats", "GlobalStatsResponse")

    @operation("GET", "/config")
    async def get_config(self):
        return await self.ask("GET", "/config", "any")

    @operation("PUT", "/config")
    async def update_config(self, changes):
        return await self.ask("PUT", "/config", "ConfigUpdated", changes)

    @operation("GET", "/protocols/xet")
    async def get_xet_protocol(self):
        return await self.ask("GET", "/protocols/xet", "ProtocolInfo")

    @operation("GET", "/protocols/ipfs")
    async def get_ipfs_protocol(self):
        return await self.ask("GET", "/protocols/ipfs", "ProtocolInfo")

    # torrents

    @operation("POST", "/torrents/add")
    async def add_torrent(self, path_or_magnet, output_dir=None, resume=False):
        body = {"path_or_magnet": path_or_magnet, "output_dir": output_dir, "resume": resume}
        return await self.ask("POST", "/torrents/add", "TorrentAdded", body)

    @operation("DELETE", "/torrents/{info_hash}")
    async def remove_torrent(self, info_hash):
        return await self.ask("DELETE", "/torrents/{info_hash}", "Said", info_hash=info_hash)

    @operation("GET", "/torrents")
    async def list_torrents(self):
        return await self.ask("GET", "/torrents", "TorrentListResponse")

    @operation("GET", "/torrents/{info_hash}")
    async def get_torrent_status(self, info_hash):
        return await self.ask("GET", "/torrents/{info_hash}", "TorrentStatusResponse", info_hash=info_hash)

    @operation("POST", "/torrents/{info_hash}/pause")
    async def pause_torrent(self, info_hash):
        return await self.ask("POST", "/torrents/{info_hash}/pause", "Said", info_hash=info_hash)

    @operation("POST", "/torrents/{info_hash}/resume")
    async def resume_torrent(self, info_hash):
        return await self.ask("POST", "/torrents/{info_hash}/resume", "Said", info_hash=info_hash)

    @operation("GET", "/torrents/{info_hash}/peers")
    async def get_peers_for_torrent(self, info_hash):
        return await self.ask("GET", "/torrents/{info_hash}/peers", "PeerListResponse", info_hash=info_hash)

    @operation("POST", "/torrents/{info_hash}/rate-limits")
    async def set_rate_limits(self, info_hash, download_kib, upload_kib):
        body = {"download_kib": download_kib, "upload_kib": upload_kib}
        return await self.ask("POST", "/torrents/{info_hash}/rate-limits", "RateLimitsSet", body, info_hash=info_hash)

    @operation("POST", "/torrents/{info_hash}/announce")
    async def force_announce(self, info_hash):
        return await self.ask("POST", "/torrents/{info_hash}/announce", "Announced", info_hash=info_hash)

    @operation("POST", "/torrents/export-state")
    async def export_session_state(self, path=None):
        return await self.ask("POST", "/torrents/export-state", "StateExported", {"path": path})

    @operation("POST", "/torrents/import-state")
    async def import_session_state(self, path):
        return await self.ask("POST", "/torrents/import-state", "StateImported", {"path": path})

    @operation("POST", "/torrents/resume-checkpoint")
    async def resume_from_checkpoint(self, info_hash, checkpoint, torrent_path=None):
        body = {"info_hash": info_hash, "checkpoint": checkpoint, "torrent_path": torrent_path}
        return await self.ask("POST", "/torrents/resume-checkpoint", "CheckpointResumed", body)

    # files

    @operation("GET", "/torrents/{info_hash}/files")
    async def get_torrent_files(self, info_hash):
        return await self.ask("GET", "/torrents/{info_hash}/files", "FileListResponse", info_hash=info_hash)

    @operation("POST", "/torrents/{info_hash}/files/select")
    async def select_files(self, info_hash, file_indices):
        route = "/torrents/{info_hash}/files/select"
        return await self.ask("POST", route, "FilesSelected", {"file_indices": file_indices}, info_hash=info_hash)

    @operation("POST", "/torrents/{info_hash}/files/deselect")
    async def deselect_files(self, info_hash, file_indices):
        route = "/torrents/{info_hash}/files/deselect"
        return await self.ask("POST", route, "FilesSelected", {"file_indices": file_indices}, info_hash=info_hash)

    @operation("POST", "/torrents/{info_hash}/files/priority")
    async def set_file_priority(self, info_hash, file_index, priority):
        body = {"file_index": file_index, "priority": priority}
        route = "/torrents/{info_hash}/files/priority"
        return await self.ask("POST", route, "FilePrioritySet", body, info_hash=info_hash)

    @operation("GET", "/torrents/{info_hash}/files/verify")
    async def verify_files(self, info_hash):
        return await self.ask("GET", "/torrents/{info_hash}/files/verify", "FilesVerified", info_hash=info_hash)

    # the queue

    @operation("GET", "/queue")
    async def get_queue(self):
        return await self.ask("GET", "/queue", "QueueListResponse")

    @operation("POST", "/queue/add")
    async def add_to_queue(self, info_hash, priority):
        return await self.ask("POST", "/queue/add", "QueueChanged", {"info_hash": info_hash, "priority": priority})

    @operation("DELETE", "/queue/{info_hash}")
    async def remove_from_queue(self, info_hash):
        return await self.ask("DELETE", "/queue/{info_hash}", "QueueChanged", info_hash=info_hash)

    @operation("POST", "/queue/{info_hash}/move")
    async def move_in_queue(self, info_hash, new_position):
        body = {"new_position": new_position}
        return await self.ask("POST", "/queue/{info_hash}/move", "QueueMoved", body, info_hash=info_hash)

    @operation("POST", "/queue/clear")
    async def clear_queue(self):
        return await self.ask("POST", "/queue/clear", "Said")

    @operation("POST", "/queue/{info_hash}/pause")
    async def pause_torrent_in_queue(self, info_hash):
        return await self.ask("POST", "/queue/{info_hash}/pause", "QueueChanged", info_hash=info_hash)

    @operation("POST", "/queue/{info_hash}/resume")
    async def resume_torrent_in_queue(self, info_hash):
        return await self.ask("POST", "/queue/{info_hash}/resume", "QueueChanged", info_hash=info_hash)

    # the gateway

    @operation("GET", "/nat/status")
    async def get_nat_status(self):
        return await self.ask("GET", "/nat/status", "NATStatusResponse")

    @operation("POST", "/nat/discover")
    async def discover_nat(self):
        return await self.ask("POST", "/nat/discover", "NATDiscovered")

    @operation("POST", "/nat/map")
    async def map_nat_port(self, internal_port, external_port=None, protocol="tcp"):
        body = {"internal_port": internal_port, "external_port": external_port, "protocol": protocol}
        return await self.ask("POST", "/nat/map", "NATMapped", body)

    @operation("POST", "/nat/unmap")
    async def unmap_nat_port(self, port, protocol="tcp"):
        return await self.ask("POST", "/nat/unmap", "NATUnmapped", {"port": port, "protocol": protocol})

    @operation("POST", "/nat/refresh")
    async def refresh_nat_mappings(self):
        return await self.ask("POST", "/nat/refresh", "NATRefreshed")

    @operation("GET", "/nat/external-ip")
    async def get_external_ip(self):
        return await self.ask("GET", "/nat/external-ip", "ExternalIPResponse")

    @operation("GET", "/nat/external-port/{internal_port}")
    async def get_external_port(self, internal_port, protocol="tcp"):
        route = "/nat/external-port/{internal_port}"
        query = {"protocol": protocol}
        return await self.ask("GET", route, "ExternalPortResponse", query=query, internal_port=internal_port)

    # scrape

    @operation("POST", "/scrape/{info_hash}")
    async def scrape_torrent(self, info_hash, force=False):
        return await self.ask("POST", "/scrape/{info_hash}", "ScrapeResult", {"force": force}, info_hash=info_hash)

    @operation("GET", "/scrape")
    async def list_scrape_results(self):
        return await self.ask("GET", "/scrape", "ScrapeListResponse")

    @operation("GET", "/scrape/{info_hash}")
    async def get_scrape_result(self, info_hash):
        return await self.ask("GET", "/scrape/{info_hash}", "ScrapeResult", info_hash=info_hash)

    # the lists of addresses

    @operation("GET", "/security/blacklist")
    async def get_blacklist(self):
        return await self.ask("GET", "/security/blacklist", "AddressListResponse")

    @operation("GET", "/security/whitelist")
    async def get_whitelist(self):
        return await self.ask("GET", "/security/whitelist", "AddressListResponse")

    @operation("POST", "/security/blacklist")
    async def add_to_blacklist(self, ip, reason=None):
        return await self.ask("POST", "/security/blacklist", "AddressAdded", {"ip": ip, "reason": reason})

    @operation("POST", "/security/whitelist")
    async def add_to_whitelist(self, ip, reason=None):
        return await self.ask("POST", "/security/whitelist", "AddressAdded", {"ip": ip, "reason": reason})

    @operation("DELETE", "/security/blacklist/{ip}")
    async def remove_from_blacklist(self, ip):
        return await self.ask("DELETE", "/security/blacklist/{ip}", "AddressRemoved", ip=ip)

    @operation("DELETE", "/security/whitelist/{ip}")
    async def remove_from_whitelist(self, ip):
        return await self.ask("DELETE", "/security/whitelist/{ip}", "AddressRemoved", ip=ip)

    @operation("POST", "/security/ip-filter/load")
    async def load_ip_filter(self):
        return await self.ask("POST", "/security/ip-filter/load", "IPFilterLoaded")

    @operation("GET", "/security/ip-filter/stats")
    async def get_ip_filter_stats(self):
        return await self.ask("GET", "/security/ip-filter/stats", "IPFilterStatsResponse")

    # events

    @operation("GET", "/events")
    async def connect_websocket(self):
        """Without a key, or with a wrong one, the daemon closes what it opened."""
        if self._socket_session is None:
            self._socket_session = aiohttp.ClientSession()
        url = self.base_url.replace("http://", "ws://", 1) + API_BASE_PATH + "/events"
        if self.api_key:
            url += "?api_key=" + urllib.parse.quote(self.api_key)
        self._websocket = await self._socket_session.ws_connect(url)
        self.heard("GET", API_BASE_PATH + "/events", 101)
        return self._websocket

    async def subscribe_events(self, event_types):
        await self._websocket.send_json({"action": "subscribe", "data": {"event_types": event_types}})

    async def unsubscribe_events(self, event_types):
        await self._websocket.send_json({"action": "unsubscribe", "data": {"event_types": event_types}})

    async def receive_message(self, timeout=10.0):
        """The next text as JSON; None where the WebSocket was closed."""
        said = await self._websocket.receive(timeout)
        return json.loads(said.data) if said.type == aiohttp.WSMsgType.TEXT else None

    async def receive_event(self, timeout=10.0):
        """The next event; what else comes is passed over."""
        while (said := await self.receive_message(timeout)) is not None:
            if "type" in said:
                return read_as("WebSocketEvent", said, "event")
        return None
