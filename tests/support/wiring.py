"""The composition root in tests: everything it has made is forgotten, so that the next test makes its own."""

from __future__ import annotations

from contextlib import suppress

from functions import bootstrap
from functions.once import once


def forget_all() -> None:
    """Close the clients that `bootstrap` has made, and forget all that it has made."""
    for factory in vars(bootstrap).values():
        if isinstance(factory, once):
            for made in factory._made:
                with suppress(AttributeError):
                    made.close()
            factory.cache_clear()
