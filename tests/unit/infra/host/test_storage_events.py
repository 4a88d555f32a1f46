"""The log lines of the storage emulator wake the listeners of the queues that they name."""

from __future__ import annotations

import asyncio

from infra.local.host.storage_events import StorageEvents


def test_lines_wake_their_listeners_and_each_connection_wakes_all() -> None:
    seen: list[str] = []

    async def scenario() -> None:
        again = asyncio.Event()

        async def emulator(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if "queue orders" in seen:
                again.set()
            else:
                writer.write(b"queue orders\ncontainer uploads\n")
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(emulator, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        handlers = {kind: lambda name, kind=kind: seen.append(f"{kind} {name}") for kind in ("queue", "container")}
        events = StorageEvents(f"127.0.0.1:{port}", handlers, missed=lambda: seen.append("missed"))
        reading = asyncio.create_task(events.run())
        async with asyncio.timeout(20):
            await again.wait()
        reading.cancel()
        server.close()

    asyncio.run(scenario())
    assert seen[:4] == ["missed", "queue orders", "container uploads", "missed"]
