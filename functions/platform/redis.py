"""Redis: the client, and the translation of its driver's errors into those of the application."""

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
    """Return a client that decodes responses to strings; the client connects at its first command.

    If a connection broke while idle, the next command opens a new connection and retries once, without a delay.
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
    """Translate failures to reach the server into StoreUnavailable."""
    try:
        with _bulkhead.place():
            yield
    except (RedisError, OSError) as error:
        # the driver's message contains no command or value, only the failure of the connection or the script
        raise StoreUnavailable(f"Redis does not answer ({type(error).__name__}); try again in a moment.") from error
