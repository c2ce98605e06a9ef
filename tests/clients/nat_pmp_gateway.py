#!/usr/bin/python3
"""A gateway that speaks NAT-PMP (RFC 6886) and maps what it is asked for; it forwards nothing. For a network namespace."""

import socket
import struct
import time

EXTERNAL = socket.inet_aton("25.0.0.1")
started = time.monotonic()
with socket.socket(type=socket.SOCK_DGRAM) as gateway:
    gateway.bind(("0.0.0.0", 5351))
    print("listening", flush=True)
    while True:
        asked, whom = gateway.recvfrom(64)
        since = int(time.monotonic() - started)
        if len(asked) >= 2 and asked[:2] == b"\0\0":
            gateway.sendto(struct.pack("!BBHI4s", 0, 128, 0, since, EXTERNAL), whom)
        elif len(asked) >= 12 and asked[0] == 0 and asked[1] in (1, 2):
            _, kind, _, inside, outside, lifetime = struct.unpack("!BBHHHI", asked[:12])
            outside = (outside or inside) if lifetime else 0
            gateway.sendto(struct.pack("!BBHIHHI", 0, 128 + kind, 0, since, inside, outside, lifetime), whom)
