"""The JSON of uploads."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from functions.platform.field_types import Time


class UploadRequest(Struct, frozen=True):
    """A file to upload: its name, with folders if it has any, and its size in bytes."""

    name: Annotated[str, Meta(min_length=1, max_length=512)]
    size: Annotated[int, Meta(ge=0, le=1 << 53)] = 0


class UploadTicket(Struct, frozen=True):
    """Permission to write one blob until `expires_at`."""

    upload_url: Annotated[str, Meta(description="Where to put the file, by Azure's Put Blob or Put Block List.")]
    blob: str
    title_id: str
    expires_at: Time
    replaces: Annotated[bool, Meta(description="Whether there is a blob with that name already.")]
