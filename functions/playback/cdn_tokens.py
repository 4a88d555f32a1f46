"""Tokens with which a CDN verifies at its edge that a viewer may read a title, before it looks into its cache.

The format is that of Bunny's token authentication with HMAC-SHA256 (docs.bunny.net/cdn/security/token-authentication).
The token covers the folder of a title and an expiry, and ignores other parameters of the query. One of these is the
SAS, which the CDN passes to storage and leaves out of its cache key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

from itsdangerous.encoding import base64_encode

if TYPE_CHECKING:
    from datetime import datetime

IGNORE = "token_ignore_params=true"


def token_query(key: str, folder: str, *, until: datetime) -> str:
    """Return the query that permits reading everything below a folder until a time.

    `folder` is the path of the folder at the CDN, which begins and ends with a slash: without the final slash, the
    token would also be valid for folders whose names begin with the same text.
    """
    expires = int(until.timestamp())
    signed = f"{folder}{expires}{IGNORE}&token_path={folder}"
    digest = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return (
        f"token=HS256-{base64_encode(digest).decode()}&{IGNORE}&token_path={quote(folder, safe='')}&expires={expires}"
    )
