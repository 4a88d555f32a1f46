"""The functions of uploads: a blob trigger that opens titles and jobs, and a route that issues upload tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.triggers import OWNER, SliceApp
from functions.uploads.reference import BlobReference

if TYPE_CHECKING:
    from functions.uploads.schemas import UploadRequest, UploadTicket

app = SliceApp(bootstrap, "functions.uploads.schemas")


@app.blob("uploads/{name}", reference=BlobReference)
def start_title(blob: BlobReference) -> None:
    """Open title and encode job of a film, or describe the title that a sidecar belongs to."""
    bootstrap.uploads().start_upload(blob.name)


@app.lost_blobs("uploads")
def start_title_poison(blob: str) -> None:
    """Start an upload for which `start_title` failed in all attempts; retry until the stores are available."""
    bootstrap.uploads().start_upload(blob)


@app.timer("30 * * * * *")
def reconcile_uploads() -> None:
    """Start the uploads whose event was lost."""
    bootstrap.uploads().start_missed_uploads()


@app.post("uploads", caller=OWNER, status=201)
def create_upload(body: UploadRequest) -> UploadTicket:
    """Return a ticket to upload a film or a file that belongs to one."""
    import msgspec

    from functions.uploads.schemas import UploadTicket

    ticket = bootstrap.uploads().issue_ticket(body.name, size=body.size)
    return msgspec.convert(ticket, UploadTicket, from_attributes=True)
