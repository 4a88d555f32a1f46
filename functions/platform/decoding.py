"""Reads JSON and stored documents as types; safe in several threads, which msgspec alone is not.

msgspec describes a type when it is used first, and other threads see the description before it is complete. A thread
that uses the type at that moment crashes the process (msgspec 0.22.0, with Structs and dataclasses). So each type is
described once, by one thread at a time, before it is used.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_described: set[Any] = set()
_lock = Lock()


def convert[T](
    value: Any,
    kind: type[T],
    *,
    strict: bool = True,
    from_attributes: bool = False,
    dec_hook: Callable[[type, Any], Any] | None = None,
) -> T:
    """Return a value as a type; the options are those of `msgspec.convert`. Raises msgspec.ValidationError."""
    _describe(kind)
    return msgspec.convert(value, kind, strict=strict, from_attributes=from_attributes, dec_hook=dec_hook)


def decode_json[T](text: bytes | str, kind: type[T]) -> T:
    """Return JSON as a type. Raises msgspec.DecodeError, or its subclass ValidationError."""
    _describe(kind)
    return msgspec.json.decode(text, type=kind)


def _describe(kind: Any) -> None:
    """Let msgspec describe a type, and all types in it, unless it has."""
    if kind not in _described:
        with _lock:
            msgspec.msgpack.Decoder(kind)
            _described.add(kind)
