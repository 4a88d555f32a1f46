"""Reset the composition root between tests."""

from __future__ import annotations

from contextlib import suppress

from functions import bootstrap
from functions.platform.lazy import lazy


def forget_all() -> None:
    """Close the clients that `bootstrap` has created, and drop everything it has created."""
    for factory in vars(bootstrap).values():
        if isinstance(factory, lazy):
            for value in factory.made():
                with suppress(AttributeError):
                    value.close()
            factory.cache_clear()
    bootstrap.resources.close()
    vars(bootstrap.resources).clear()
    bootstrap.resources.__init__()  # type: ignore[misc]
