"""The functions of uploads: a blob trigger that opens titles and jobs, its repair, and a route that issues tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import Conflict, NotFound
from functions.platform.triggers import OWNER, SliceApp
from functions.uploads.reference import BlobReference

if TYPE_CHECKING:
    from functions.platform.field_types import TitleId
    from functions.uploads.schemas import CancelledUpload, EncodeStarted, UploadRequest, UploadTicket

app = SliceApp(bootstrap, "functions.uploads.schemas")


@app.blob("uploads/{name}", reference=BlobReference)
def start_title(blob: BlobReference) -> None:
    """Open the title and the encode job of a film, or describe the title that a sidecar belongs to."""
    bootstrap.uploads().start_upload(blob.name)


@app.lost_blobs("uploads")
def start_title_poison(blob: str) -> None:
    """Start an upload for which `start_title` failed in all attempts; retry until the stores are available."""
    bootstrap.uploads().start_upload(blob)


@app.timer("30 * * * * *")
def reconcile_work() -> None:
    """Start uploads whose event was lost; request encode steps that have become due or whose message was lost."""
    try:
        bootstrap.uploads().start_missed_uploads()
    finally:  # an upload that cannot be started must not keep jobs from being repaired
        bootstrap.encodes().give_up_stopped()
        bootstrap.encodes().repair_jobs()
        bootstrap.encodes().verify_due()
        bootstrap.encodes().announce_pause()


@app.post("uploads", caller=OWNER, status=201, raises=[NotFound, Conflict], subject="blob")
def create_upload(body: UploadRequest) -> UploadTicket:
    """Return a ticket to upload a film or a file that belongs to one."""
    from functions.uploads.schemas import UploadTicket

    uploads = bootstrap.uploads()
    ticket = uploads.issue_ticket(
        body.name, size=body.size, replace_film=body.replace, for_title=body.title, mark=body.mark
    )
    return UploadTicket.of(ticket)


@app.post("uploads/cancel", caller=OWNER, subject="blob")
def cancel_upload(body: CancelledUpload) -> CancelledUpload:
    """End the job of an upload that is not complete; it continues if the file is uploaded again."""
    bootstrap.uploads().cancel_upload(body.blob, upload_id=body.upload)
    return body


@app.post("titles/{id}/encode", caller=OWNER, status=202, raises=[NotFound, Conflict])
def encode_title_again(id: TitleId) -> EncodeStarted:
    """Encode the film of a title again from its upload; the present film plays until the new one is ready."""
    from functions.uploads.schemas import EncodeStarted

    return EncodeStarted(bootstrap.uploads().encode_again(id))
