"""Creates the services of the uploads slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.uploads.repository import BlobUploads, MongoArrivals
from functions.uploads.service import Uploads

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue
    from functions.encoding.service import EncodeService
    from functions.platform.resources import Resources


def assemble(resources: Resources, catalogue: Catalogue, encodes: EncodeService) -> Uploads:
    """Return the service for uploads."""
    settings = resources.settings()
    # a CDN that verifies tokens only reads from storage, so browsers send uploads to storage itself
    front = "" if settings.cdn_token_key else settings.blob_url
    store = BlobUploads(resources.blob_service(), resources.signer(), front=front)
    return Uploads(
        store,
        MongoArrivals(resources.mongo_database()["arrivals"]),
        catalogue,
        encodes,
        lambda messages: resources.queues().send_all(messages),
        resources.now,
        largest_gb=settings.max_upload_gb,
        in_steps=settings.upload_patience_hours > 0,
    )
