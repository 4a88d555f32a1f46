"""Types of a handler's parameters and answer, resolved when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

AUTHENTICATED = ("request", "session", "viewer", "owner")
"""The parameters that are not converted from the request."""


def resolved_annotations(handler: Callable[..., Any], schemas: str) -> dict[str, Any]:
    """Return the handler's annotations, evaluated with the names in its slice's schemas and the shared field types."""
    from functions.platform import field_types

    names = {**vars(field_types), **(vars(import_module(schemas)) if schemas else {})}
    return {
        parameter: eval(annotation, {**handler.__globals__, **names})
        for parameter, annotation in handler.__annotations__.items()
        if parameter not in AUTHENTICATED
    }
