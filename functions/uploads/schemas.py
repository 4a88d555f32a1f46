"""The JSON of uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.platform.field_types import JobId, Time

if TYPE_CHECKING:
    from typing import Self

    from functions.uploads.model import Ticket


class UploadRequest(Struct, frozen=True):
    """A file to upload: its name, with folders if it has any, and its size in bytes.

    With `replace`, it may replace a film whose name differs only in the extension.
    """

    name: Annotated[str, Meta(min_length=1, max_length=512)]
    size: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    replace: bool = False
    title: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(
            description="The id of the announced title that the file belongs to; empty if it belongs to none. Without "
            "it, a file named like one announced title belongs to that.",
        ),
    ] = None
    mark: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9a-f]{8}$")] | None,
        Meta(description="The end of the upload's id: the same for the same file only, whose upload then continues."),
    ] = None


class CancelledUpload(Struct, frozen=True):
    """An upload that will not be completed."""

    blob: Annotated[str, Meta(min_length=1, max_length=512, description="The name of the blob, as in its ticket.")]
    upload: Annotated[
        str,
        Meta(
            pattern=r"^[0-9a-f]{12}-[0-9a-f]{8}$",
            description="The id of the upload, as in the metadata; nothing happens if the blob is that of another.",
        ),
    ]


class EncodeStarted(Struct, frozen=True):
    """The job that encodes a film again."""

    job_id: JobId


class AnnouncedTitle(Struct, frozen=True):
    """An announced title that has no film yet."""

    id: str
    name: str
    year: int | None


class UploadTicket(Struct, frozen=True):
    """Permission to write one blob until `expires_at`."""

    upload_url: Annotated[str, Meta(description="Where to put the file, by Azure's Put Blob or Put Block List.")]
    blob: Annotated[str, Meta(description="The name of the blob: that of the file, or of the announced title's film.")]
    title_id: str
    expires_at: Time
    replaces: Annotated[bool, Meta(description="Whether there is a blob with that name already.")]
    existing: Annotated[
        str | None, Meta(description="The film that this title has, if its name differs only in the extension.")
    ]
    upload_id: Annotated[
        str, Meta(description="If not empty, blocks may be committed as they arrive, with an `upload` that begins so.")
    ]
    version: Annotated[
        str | None,
        Meta(
            description="The ETag of the blob with that name, for `If-Match`; null if there is none, for "
            "`If-None-Match: *`. Without these headers, the upload replaces any version."
        ),
    ]
    announced: Annotated[
        list[AnnouncedTitle],
        Meta(description="Announced titles whose film this may be; request the ticket again with `title` to say so."),
    ]

    @classmethod
    def of(cls, ticket: Ticket) -> Self:
        """Return a ticket as the API shows it."""
        return cls(
            upload_url=ticket.upload_url,
            blob=ticket.blob,
            title_id=ticket.title_id,
            expires_at=ticket.expires_at,
            replaces=ticket.replaces,
            existing=ticket.existing,
            upload_id=ticket.upload_id,
            version=ticket.version,
            announced=[AnnouncedTitle(title.id, title.details.name, title.details.year) for title in ticket.announced],
        )
