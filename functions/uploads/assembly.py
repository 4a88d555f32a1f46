"""How the parts of uploads fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.uploads.repository import BlobUploads, MongoArrivals
from functions.uploads.service import Uploads

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue
    from functions.encoding.service import EncodeService
    from functions.platform.resources import Resources


def assemble(resources: Resources, catalogue: Catalogue, encodes: EncodeService) -> Uploads:
    """Return the uploads."""
    settings = resources.settings()
    store = BlobUploads(resources.blob_service(), resources.signer(), front=settings.blob_url)
    return Uploads(
        store,
        MongoArrivals(resources.mongo_database()["arrivals"]),
        catalogue,
        encodes,
        lambda messages: resources.queues().send_all(messages),
        resources.now,
        largest_gb=settings.max_upload_gb,
    )
