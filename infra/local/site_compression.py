"""Content negotiation of the local site server: text is sent compressed, as a content delivery network sends it.

The build of the site stores brotli and gzip beside each of its files (`site.css.br`, `site.css.gz`); what the functions
write is compressed with gzip when it is first requested.
"""

from __future__ import annotations

import gzip

STORED_SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""The suffix of a compressed file's name for each content coding; the best coding comes first."""

LEAST_BYTES = 1024
_TEXT = ("text/", "application/json", "application/xml", "application/atom+xml", "image/svg+xml")


def is_compressible(kind: str, size: int) -> bool:
    """Return whether a file with this media type and size in bytes is worth compressing."""
    return size >= LEAST_BYTES and kind.startswith(_TEXT)


def accepted_codings(accept_encoding: str) -> list[str]:
    """Return the content codings of ours that an `Accept-Encoding` header accepts (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.strip().partition(";")
        try:
            weights[name.strip()] = float(parameter.partition("=")[2] or 1) if parameter else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    rest = weights.get("*", 0.0)
    return [coding for coding in STORED_SUFFIXES if weights.get(coding, rest) > 0]


def compressed(content: bytes) -> bytes:
    """Return content compressed with gzip; the same content always gives the same bytes."""
    return gzip.compress(content, compresslevel=6, mtime=0)
