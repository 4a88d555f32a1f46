"""Redis: the one client, and its driver's errors as errors that the application answers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 2
_bulkhead = Bulkhead("Redis")


def connect(url: str) -> Redis:
    """Return a client that decodes answers to text; it connects at its first command.

    A connection that broke while idle is replaced once within a command, without a pause.
    """
    if not url:
        raise StoreUnavailable("The setting REDIS_URL is not set; set it to the URL of a Redis server.")
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )


@contextmanager
def answering() -> Iterator[None]:
    """Translate every failure to reach the server into StoreUnavailable."""
    try:
        with _bulkhead.place():
            yield
    except (RedisError, OSError) as error:
        # the driver's message holds no command and no value, only what happened to the connection or the script
        raise StoreUnavailable(f"Redis does not answer ({type(error).__name__}); try again in a moment.") from error
