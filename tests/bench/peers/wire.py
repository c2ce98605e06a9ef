"""Requests made ahead and sent over raw sockets, so that the driver costs little beside what it measures."""

import collections
import selectors
import socket
import time


class Refused(Exception):
    pass


def http(method, path, headers=(), body=b"", host="127.0.0.1"):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def whole(data):
    """Where the HTTP answer at the front of `data` ends: (head length, its end), or None while it is not whole."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return None
    fields = bytes(data[:head]).lower()
    head += 4
    status = fields[9:12]
    if status in (b"304", b"204"):
        return head, head
    at = fields.find(b"\r\ncontent-length:")
    if at >= 0:
        end = head + int(fields[at + 17:].split(b"\r\n", 1)[0])
        return (head, end) if len(data) >= end else None
    if b"\r\ntransfer-encoding: chunked" in fields:
        return (head, len(data)) if data.endswith(b"0\r\n\r\n") else None
    raise Refused(f"an answer without a length: {fields[:200]!r}")


def body_of(data, head, end):
    if b"\r\ntransfer-encoding: chunked" not in bytes(data[:head]).lower():
        return bytes(data[head:end])
    out, at = b"", head
    while True:
        line = data.index(b"\r\n", at)
        size = int(bytes(data[at:line]).split(b";")[0], 16)
        if size == 0:
            return out
        out += data[line + 2:line + 2 + size]
        at = line + 4 + size


def dial(address):
    if isinstance(address, str):
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.settimeout(600)
    end.connect(address)
    return end


class Line:
    """One connection, one request at a time. `framed` False: an answer ends with its connection (SCGI)."""

    def __init__(self, address, framed=True):
        self.address, self.framed, self.socket = address, framed, None

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def ask(self, request):
        """The whole answer and where its body starts."""
        if not self.socket:
            self.socket = dial(self.address)
        self.socket.sendall(request)
        data = bytearray()
        while True:
            more = self.socket.recv(1 << 20)
            data += more
            if not self.framed:
                if not more:
                    self.close()
                    return data, data.find(b"\r\n\r\n") + 4
                continue
            if not more:
                raise Refused("the daemon closed the connection")
            found = whole(data)
            if found:
                return data, found[0]

    def text(self, request):
        data, head = self.ask(request)
        return int(data[9:12]) if self.framed else 200, body_of(data, head, len(data))


def drive(address, requests, connections, accept, framed=True, seconds=600):
    """Sends every request, over so many connections with one in flight each; `accept` is asked of each answer."""
    late = time.monotonic() + seconds
    waiting = collections.deque(requests)
    poll = selectors.DefaultSelector()

    def send(end):
        request = waiting.popleft()
        end.setblocking(True)
        end.sendall(request)
        end.setblocking(False)

    for _ in range(min(connections, len(waiting))):
        end = dial(address)
        send(end)
        poll.register(end, selectors.EVENT_READ, bytearray())
    refused = None
    while poll.get_map():
        if time.monotonic() > late:
            raise Refused(f"{len(waiting) + len(poll.get_map())} of {len(requests)} not answered within {seconds} s")
        for key, _ in poll.select(10):
            end, data = key.fileobj, key.data
            more = end.recv(1 << 20)
            data += more
            if framed and not whole(data):
                if not more:
                    refused = "the daemon closed the connection"
                    waiting.clear()
                else:
                    continue
            if not framed and more:
                continue
            if not refused and not accept(data):
                refused = bytes(data[:400])
                waiting.clear()
            if waiting and framed:
                data.clear()
                send(end)
                continue
            poll.unregister(end)
            end.close()
            if waiting:
                end = dial(address)
                send(end)
                poll.register(end, selectors.EVENT_READ, bytearray())
    poll.close()
    if refused:
        raise Refused(refused)
