"""The names under which assets are published: `js/home.0123456789ab.js`, with the hash of the content.

Their sources have no hash in their names. A published name always means the same bytes: a release adds files and never
replaces one, so everybody may keep them, and pages that were opened before a release still find their own.
"""

from __future__ import annotations

import hashlib
import re

_HASHED = re.compile(r"\.(?P<hash>[0-9a-f]{12})\.[a-z0-9]+(?:\.br|\.gz)?$")


def hashed_name(name: str, content: bytes) -> str:
    """Return the name under which an asset is published."""
    stem, _, extension = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{extension}"


def hash_in(name: str) -> str:
    """Return the hash in the name of an asset, or of an asset's compressed form; "" if there is none."""
    found = _HASHED.search(name)
    return found["hash"] if found else ""
