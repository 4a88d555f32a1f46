"""Files beside a film in `uploads`: `film.json` describes it, `film.jpg` and `film.backdrop.jpg` picture it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from functions.catalogue.model import Details, Rating
from functions.platform.errors import Malformed
from functions.platform.identifiers import UploadKind, read_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.storage.blob import ContainerClient

MAX_JSON_BYTES = 256 * 1024
MAX_PICTURE_BYTES = 20 * 1024 * 1024

_LISTS = ("genres", "directors", "writers", "actors", "languages", "countries", "ratings")

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


def _split(value: object) -> object:
    """Take "Drama, Comedy" for ["Drama", "Comedy"]: people write both."""
    return [part for part in map(str.strip, value.split(",")) if part] if isinstance(value, str) else value


Texts = Annotated[list[Text], BeforeValidator(_split), Field(max_length=100)]


class _Rating(BaseModel):
    source: Text
    value: Text


class _Film(BaseModel):
    """The form of `film.json`; every field may be left out, an unknown one is passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)

    title: Text | None = None
    year: Annotated[int, Field(ge=1870, le=2200)] | None = None
    kind: Literal["movie", "series", "episode"] | None = None
    series: Text | None = None
    season: Annotated[int, Field(ge=0, le=9999)] | None = None
    episode: Annotated[int, Field(ge=0, le=9999)] | None = None
    imdb_id: Annotated[str, StringConstraints(pattern=r"^tt\d{5,10}$")] | None = None
    plot: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)] | None = None
    genres: Texts | None = None
    directors: Texts | None = None
    writers: Texts | None = None
    actors: Texts | None = None
    languages: Texts | None = None
    countries: Texts | None = None
    rated: Text | None = None
    released: Text | None = None
    runtime_min: Annotated[int, Field(ge=1, le=100_000)] | None = None
    awards: Text | None = None
    ratings: Annotated[list[_Rating], Field(max_length=20)] | None = None
    imdb_rating: Annotated[float, Field(ge=0, le=10)] | None = None
    imdb_votes: Annotated[int, Field(ge=0)] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What `film.json` says: fields of `Details`, only those that it gives."""

    fields: dict[str, Any]

    @property
    def imdb_id(self) -> str | None:
        """Return the film's id at IMDb if it is given."""
        given = self.fields.get("imdb_id")
        return given if isinstance(given, str) else None

    @property
    def whole(self) -> bool:
        """Say whether it describes the film, rather than only telling which one it is."""
        return any(self.fields.get(name) for name in ("plot", "genres", "directors", "writers", "actors"))

    def over(self, details: Details) -> Details:
        """Return `details` with all that is given here in its place."""
        return replace(details, **self.fields)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """What lies beside a film; `reason` says why its description cannot be used."""

    description: Description | None = None
    reason: str | None = None
    poster: bytes | None = None
    backdrop: bytes | None = None


class SidecarStore(Protocol):
    """Where sidecars lie."""

    def beside(self, stem: str) -> Sidecars:
        """Return what lies beside the film of that stem."""


def read_description(data: bytes) -> Description:
    """Return what a `film.json` says; raise ValueError with a sentence naming the first field that is wrong."""
    try:
        film = _Film.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    given: dict[str, Any] = film.model_dump(exclude_none=True)
    if "title" in given:
        given["name"] = given.pop("title")
    if "ratings" in given:
        given["ratings"] = [Rating(**rating) for rating in given["ratings"]]
    return Description({name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def read_edit(body: Mapping[str, object]) -> dict[str, Any]:
    """Return the fields of `Details` that an edit sets; null clears one. Raise Malformed for anything else."""
    allowed = {field.name for field in fields(Details)}
    if not body or not set(body) <= allowed:
        unknown = ", ".join(sorted(set(body) - allowed))
        raise Malformed(f"A title has no field {unknown}." if unknown else "There is nothing to change.")
    cleared = {name for name, value in body.items() if value is None}
    if "name" in cleared:
        raise Malformed("A title must have a name.")
    given = {("title" if name == "name" else name): value for name, value in body.items() if value is not None}
    try:
        read = read_description(json.dumps(given).encode()).fields
    except ValueError as error:
        raise Malformed(f"{error}.") from None
    return {**{name: () if name in _LISTS else None for name in cleared}, **read}


class BlobSidecars:
    """Sidecars in the container `uploads`."""

    def __init__(self, uploads: ContainerClient) -> None:
        self._uploads = uploads

    def beside(self, stem: str) -> Sidecars:
        """Return what lies beside the film; what is too large is as good as absent, with the reason."""
        found: dict[UploadKind, bytes] = {}
        reasons: list[str] = []
        for blob in self._uploads.list_blobs(name_starts_with=f"{stem}."):
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
                reasons.append(f"{stem}.json cannot be used: {error}.")
        return Sidecars(
            description, " ".join(reasons) or None, found.get(UploadKind.POSTER), found.get(UploadKind.BACKDROP)
        )
