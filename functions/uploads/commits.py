"""The metadata of an upload that is committed in steps: what the Studio writes with each list of blocks.

`upload` is the id of the upload. Until it is whole, `front` is the number of bytes from the beginning of the file that
the blob has, and `whole` the size of the file. What follows the front in the blob is the end of the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.uploads.ports import StoredUpload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NAMES = ("upload", "front", "whole")

TICKET_DIGITS = 12
"""The length of that part of an upload's id which comes from its ticket; the rest identifies the file."""

_ID = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")
_NUMBER = re.compile(r"[0-9]{1,15}")


def stored_upload(etag: str, size: int, uploaded_at: datetime, metadata: Mapping[str, str] | None) -> StoredUpload:
    """Return a blob as an upload; metadata that nobody but a faulty client can have written counts as none."""
    upload_id, front, whole = ((metadata or {}).get(name, "") for name in NAMES)
    if not _ID.fullmatch(upload_id):
        return StoredUpload(etag, size, uploaded_at)
    if not front:
        return StoredUpload(etag, size, uploaded_at, upload_id)
    is_sound = _NUMBER.fullmatch(front) and _NUMBER.fullmatch(whole) and 0 < int(front) <= size < int(whole)
    if not is_sound:
        return StoredUpload(etag, size, uploaded_at)
    return StoredUpload(etag, size, uploaded_at, upload_id, int(front), int(whole))
