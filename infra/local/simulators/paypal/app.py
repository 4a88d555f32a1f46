"""The simulator as a web application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from infra.local.simulators.paypal.api import api_routes
from infra.local.simulators.paypal.control import Control
from infra.local.simulators.paypal.pages import Pages
from infra.local.simulators.paypal.routes import operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.local.simulators.paypal.simulator import Simulator


def create_app(simulator: Simulator) -> Starlette:
    """Return the ASGI application; it starts the simulator and stops it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        simulator.start()
        try:
            yield
        finally:
            await run_in_threadpool(simulator.stop)

    pages = Pages(simulator)
    control = Control(simulator, pages.message)
    routes = [*pages.routes(), *control.routes(), *api_routes(simulator, operations)]
    return Starlette(routes=routes, lifespan=lifespan)
