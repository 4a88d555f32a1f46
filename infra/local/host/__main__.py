"""`python -m infra.local.host`: serve one app until a signal arrives."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import contextlib
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from infra.local.host.app import Host
from infra.local.host.config import load_config
from infra.local.host.connections import Connection
from infra.local.host.errors import StartupError
from infra.local.host.log import set_up_logging
from infra.local.quiet_server import QuietServer

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

REPOSITORY = Path(__file__).resolve().parents[3]


class Server(QuietServer):
    """An HTTP server that does not handle signals, because the host handles them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do not capture signals."""
        yield


def main() -> int:
    """Run the host; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.host", description="A local host for Azure Functions.")
    parser.add_argument(
        "--app", default="function_app", help="module of the app, beside host.json (default: %(default)s)"
    )
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="folder of host.json (default: this repository)")
    parser.add_argument("--port", type=int, default=7071, help="loopback port (default: %(default)s)")
    parser.add_argument(
        "--lease", type=int, default=30, metavar="S", help="how long a message is hidden; renewed after a third of it"
    )
    parser.add_argument(
        "--grace", type=float, default=10, metavar="S", help="how long a stop waits for running functions"
    )
    options = parser.parse_args()
    set_up_logging()
    try:
        asyncio.run(serve(options.root.resolve(), options.app, options.port, options.lease, options.grace))
    except StartupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Exception:  # a listener failed; the process must end too, even if threads still run
        log.exception("The host cannot continue.")
        return 1
    return 0


async def serve(root: Path, app: str, port: int, lease_s: int, grace_s: float) -> None:
    """Serve the app until SIGTERM or SIGINT; raise StartupError, or the exception of a listener."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with _listening(port) as listening:
        host = Host(root, app, load_config(root, app, os.environ), port=port, lease_s=lease_s)
        await host.start()
        config = uvicorn.Config(
            host.front,
            lifespan="off",
            interface="asgi3",
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # clients must not be able to claim another address
            server_header=False,
            timeout_graceful_shutdown=max(1, round(grace_s)),
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        failed = asyncio.create_task(host.failed())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        log.info("Stopping.")
        failure = failed.exception() if failed.done() else None
        failed.cancel()
        server.stop()
        await asyncio.gather(serving, host.stop(grace_s))
        if failure is not None:
            raise failure


def _listening(port: int) -> socket.socket:
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise StartupError(f"Cannot listen on port {port}: {os.strerror(error.errno or 0)}.") from None
    # Connections inherit this option. Without it, the body of a response waits 40 ms until its head is acknowledged;
    # asyncio sets it only on sockets that it created itself.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


if __name__ == "__main__":
    code = main()
    atexit._run_exitfuncs()  # the app's exit handlers: `os._exit` would skip them, and the real worker runs them
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        code
    )  # a thread of a function that exceeds the grace period cannot be stopped and must not keep the process alive
