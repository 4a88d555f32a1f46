"""Files beside a film in `uploads`: its description `film.json`, its poster `film.jpg`, and `film.backdrop.jpg`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from functions.catalogue.schemas import SidecarForm
from functions.platform.blob_errors import blobs_answering
from functions.platform.decoding import decode_json
from functions.platform.errors import Malformed
from functions.platform.identifiers import UploadKind, read_name
from functions.platform.validation import sentence_of

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from functions.catalogue.model import Details

MAX_JSON_BYTES = 256 * 1024
MAX_PICTURE_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Description:
    """The content of `film.json`: the fields of `Details` that the file contains."""

    fields: dict[str, Any]

    @property
    def imdb_id(self) -> str | None:
        """Return the film's IMDb id, or None if the file has none."""
        given = self.fields.get("imdb_id")
        return given if isinstance(given, str) else None

    @property
    def whole(self) -> bool:
        """Return whether the file describes the film, rather than only identifying it."""
        return any(self.fields.get(name) for name in ("plot", "genres", "directors", "writers", "actors"))

    def over(self, details: Details) -> Details:
        """Return `details` with its values replaced by those that the file contains."""
        return replace(details, **self.fields)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """The sidecars of a film; `reason` says which sidecar cannot be used, and why."""

    description: Description | None = None
    reason: str | None = None
    poster: bytes | None = None
    backdrop: bytes | None = None


def read_description(data: bytes) -> Description:
    """Return the content of a `film.json`. Raises ValueError with a sentence about the first invalid field."""
    try:
        given = decode_json(data, SidecarForm).values()
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(sentence_of(error)) from None
    except Malformed as error:
        raise ValueError(error.detail) from None
    if "title" in given:
        given["name"] = given.pop("title")
    return Description({name: value for name, value in given.items() if value not in (None, ())})


class BlobSidecars:
    """Sidecars in the container `uploads`."""

    def __init__(self, uploads: ContainerClient) -> None:
        self._uploads = uploads

    def beside(self, stem: str) -> Sidecars:
        found: dict[UploadKind, bytes] = {}
        reasons: list[str] = []
        with blobs_answering():
            there = self._uploads.list_blobs(name_starts_with=f"{stem}.")
            for blob in sorted(
                there, key=lambda each: each.last_modified
            ):  # so the newest poster is the one that is used
                upload = read_name(blob.name)
                if upload.stem != stem or upload.kind not in (
                    UploadKind.METADATA,
                    UploadKind.POSTER,
                    UploadKind.BACKDROP,
                ):
                    continue
                limit = MAX_JSON_BYTES if upload.kind is UploadKind.METADATA else MAX_PICTURE_BYTES
                if blob.size > limit:
                    reasons.append(f"{blob.name} is larger than {limit // 1024} KiB.")
                else:
                    found[upload.kind] = self._uploads.download_blob(blob.name).readall()
        description = None
        if UploadKind.METADATA in found:
            try:
                description = read_description(found[UploadKind.METADATA])
            except ValueError as error:
                reasons.append(f"{stem}.json cannot be used: {error}")
        return Sidecars(
            description, " ".join(reasons) or None, found.get(UploadKind.POSTER), found.get(UploadKind.BACKDROP)
        )

    def store_poster(self, stem: str, jpeg: bytes) -> None:
        with blobs_answering():
            self._uploads.upload_blob(f"{stem}.jpg", jpeg, overwrite=True)
