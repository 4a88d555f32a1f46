"""Build EBML elements manually, so that tests control every field of a Matroska file (RFC 8794, RFC 9559)."""

from __future__ import annotations


def element(kind: int, *parts: bytes, length: bytes | None = None) -> bytes:
    """Return an element; its length has eight bytes, unless `length` replaces it."""
    content = b"".join(parts)
    head = kind.to_bytes((kind.bit_length() + 7) // 8)
    return head + (length or (1 << 56 | len(content)).to_bytes(8)) + content


def number(kind: int, value: int) -> bytes:
    """Return an element with an unsigned integer."""
    return element(kind, value.to_bytes(4))
