"""Reset the composition roots between tests."""

from __future__ import annotations

from contextlib import suppress

from functions import (
    bootstrap,
    bootstrap_av1,
    bootstrap_captions,
    bootstrap_intros,
    bootstrap_renditions,
    bootstrap_studio,
)
from functions.platform.lazy import lazy

ROOTS = (bootstrap_studio, bootstrap_av1, bootstrap_captions, bootstrap_intros, bootstrap_renditions, bootstrap)
"""The composition roots; `bootstrap`, which the others use, is the last."""


def forget_all() -> None:
    """Close the clients that the composition roots have created, and drop everything they have created."""
    for factory in (each for root in ROOTS for each in vars(root).values()):
        if isinstance(factory, lazy):
            for value in factory.made():
                with suppress(AttributeError):
                    value.close()
            factory.cache_clear()
    bootstrap.resources.close()
    vars(bootstrap.resources).clear()
    bootstrap.resources.__init__()  # type: ignore[misc]
