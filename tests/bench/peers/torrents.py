"""Torrents made for measuring: their bytes, their info-hashes, and payload that is not all zeros."""

import hashlib
import os
import random

PIECE = 16384
ZERO_PIECE = hashlib.sha1(bytes(PIECE)).digest()


def info(number):
    """The info dictionary of torrent `number`: one file of one piece of zeros."""
    name = b"torrent-%06d" % number
    return b"d6:lengthi%de4:name%d:%s12:piece lengthi%de6:pieces20:%se" % (PIECE, len(name), name, PIECE, ZERO_PIECE)


def torrent_file(number):
    return b"d4:info%se" % info(number)


def info_hash(number):
    return hashlib.sha1(info(number)).hexdigest()


class Payload:
    """Files below `folder` and the torrents of them: [(bytes of the .torrent, info-hash)], all naming one tracker."""

    def __init__(self, folder, tracker, torrents):
        """`torrents`: for each its name, its piece length, and its files [(name, size)] ([("", size)] for one file)."""
        self.folder, self.torrents, self.size = folder, [], 0
        source = random.Random(6).randbytes(1 << 20)
        for at, (name, piece, files) in enumerate(torrents):
            hashes, left, rest = [], b"", []
            for index, (file, size) in enumerate(files):
                path = os.path.join(folder, name, file) if file else os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as out:
                    offset = 0
                    while offset < size:
                        # Each MiB and each file differs from the one before in its first bytes, so no piece is twice.
                        block = (b"%16d%16d%16d" % (at, index, offset) + source)[:min(size - offset, 1 << 20)]
                        out.write(block)
                        offset += len(block)
                        left += block
                        while len(left) >= piece:
                            hashes.append(hashlib.sha1(left[:piece]).digest())
                            left = left[piece:]
                rest.append(b"d6:lengthi%de4:pathl%d:%see" % (size, len(file), file.encode()))
                self.size += size
            if left:
                hashes.append(hashlib.sha1(left).digest())
            pieces = b"".join(hashes)
            what = b"5:filesl%se" % b"".join(rest) if files[0][0] else b"6:lengthi%de" % files[0][1]
            one = b"d%s4:name%d:%s12:piece lengthi%de6:pieces%d:%se" % (
                what, len(name), name.encode(), piece, len(pieces), pieces)
            self.torrents.append((b"d8:announce%d:%s4:info%se" % (len(tracker), tracker.encode(), one),
                                  hashlib.sha1(one).hexdigest()))
