"""The simulator of OMDb in the tests' own process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.local.simulators.omdb.app import OmdbSimulator
from tests.support.asgi_server import bound_socket, serving_app

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running_omdb() -> Iterator[str]:
    """Run the simulator, and yield the URL for `OMDB_URL`."""
    with bound_socket() as (bound, url), serving_app(OmdbSimulator().app(), bound):
        yield f"{url}/"
