"""The upload functions: a blob that arrives opens its title and job, and a ticket lets one arrive."""

import json

import azure.functions as func

from functions import bootstrap
from functions.platform.errors import Malformed
from functions.platform.http import answer, bearer, endpoint, json_object, operator_key
from functions.uploads.reference import BlobReference

STORAGE = "AzureWebJobsStorage"

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.function_name("start_title")
@blueprint.blob_trigger("blob", path="uploads/{name}", connection=STORAGE, source=func.BlobSource.EVENT_GRID)
@blueprint.queue_output("plan", "plan-encode", STORAGE)
@blueprint.queue_output("describe", "fetch-metadata", STORAGE)
def start_title(blob: BlobReference, plan: func.Out[str], describe: func.Out[str]) -> None:
    """Open title and encode job of a film, or describe the title that a sidecar belongs to."""
    arrival = bootstrap.uploads().arrived(blob.name)
    if arrival is None:
        return
    if arrival.describe:
        describe.set(json.dumps({"title_id": arrival.title_id, "stem": arrival.stem}))
    if arrival.job_id:
        plan.set(json.dumps({"job_id": arrival.job_id}))


@blueprint.function_name("create_upload")
@blueprint.route("uploads", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def create_upload(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a ticket for a file: {"name", "size"}."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    body = json_object(req)
    name, size = body.get("name"), body.get("size", 0)
    if not isinstance(name, str) or not isinstance(size, int) or size < 0:
        raise Malformed('The body must be {"name": the file\'s name, "size": its bytes}.')
    limit_gb = bootstrap.resources.settings().max_upload_gb
    if size > limit_gb << 30:
        raise Malformed(f"{name} has {size / (1 << 30):.1f} GB; MAX_UPLOAD_GB allows {limit_gb} GB.")
    ticket = bootstrap.uploads().ticket(name)
    body = {
        "upload_url": ticket.upload_url,
        "blob": ticket.blob,
        "title_id": ticket.title_id,
        "expires_at": ticket.expires_at.isoformat(),
        "replaces": ticket.replaces,
    }
    return answer(body, status=201)
