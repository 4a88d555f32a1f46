"""The loopback ports of one copy of the product, and which process listens on a port."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
MOST_ENCODERS = 8
_LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port as an offset from NOTFLIX_PORT_BASE."""

    base: int

    @property
    def site(self) -> int:
        """Return the port of the site."""
        return self.base

    @property
    def site_origin(self) -> str:
        """Return the address of the site; it has a host name, because browsers refuse passkeys for IP addresses."""
        return f"http://localhost:{self.site}"

    @property
    def api(self) -> int:
        """Return the port of the API host."""
        return self.base + 1

    def encoder(self, index: int) -> int:
        """Return the port of the encoder host `index`, counted from 0, below MOST_ENCODERS."""
        return self.base + 2 + index

    @property
    def blob(self) -> int:
        """Return the port of the blob service."""
        return self.base + 10

    @property
    def queue(self) -> int:
        """Return the port of the queue service."""
        return self.base + 11

    @property
    def table(self) -> int:
        """Return the port of the table service."""
        return self.base + 12

    @property
    def storage_events(self) -> int:
        """Return the port at which the storage emulator tells the function hosts of new messages and blobs."""
        return self.base + 13

    @property
    def mongo(self) -> int:
        """Return the port of the Mongo wire protocol."""
        return self.base + 20

    @property
    def mysql(self) -> int:
        """Return the port of MariaDB."""
        return self.base + 21

    @property
    def redis(self) -> int:
        """Return the port of Redis."""
        return self.base + 22

    @property
    def bolt(self) -> int:
        """Return the port of the graph's Bolt protocol."""
        return self.base + 23

    @property
    def arcade_http(self) -> int:
        """Return the port of the graph's HTTP interface, which reports when it is ready."""
        return self.base + 24

    @property
    def omdb(self) -> int:
        """Return the port of the OMDb simulator."""
        return self.base + 30

    @property
    def paypal(self) -> int:
        """Return the port of the PayPal simulator."""
        return self.base + 31

    @property
    def mail(self) -> int:
        """Return the port of the mail server."""
        return self.base + 32


def is_free(port: int) -> bool:
    """Return whether a server could listen on the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder_of(port: int) -> str:
    """Return the process that listens on `port` as "name (process 123)", or "another program" if /proc hides it."""
    inodes = {
        fields[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in map(str.split, Path(table).read_text().splitlines()[1:])
        if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port
    }
    sockets = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # the process has ended, or belongs to another user
            continue
    return "another program"
