"""Identifiers that are derived from an upload: its role, title id, job id and container.

The same blob always results in the same title id, and the same blob and ETag in the same job id, so a repeated event
changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


class UploadKind(StrEnum):
    """The role of a blob in `uploads`."""

    FILM = "film"
    METADATA = "metadata"
    POSTER = "poster"
    BACKDROP = "backdrop"
    SUBTITLES = "subtitles"


@dataclass(frozen=True, slots=True)
class Upload:
    """A blob in `uploads`, described by its name.

    `language` is the code in the name of subtitles, or "und"; `flags` are the words of SUBTITLE_FLAGS in it. A trailer
    is a film whose stem has the ending of trailers.
    """

    blob: str
    stem: str
    kind: UploadKind
    language: str = "und"
    flags: tuple[str, ...] = ()

    @property
    def trailed_stem(self) -> str | None:
        """Return the stem of the film that a trailer, or a sidecar of a trailer, belongs to; None for all others."""
        return trailed_stem(self.stem)


SUBTITLE_FLAGS = {"forced", "foreign", "sdh", "cc", "hi", "hoh", "commentary", "default"}
"""Words in the name of a subtitle file that say what it is for; other media servers use the same words."""

_IMAGES = {".jpg", ".jpeg", ".png", ".webp"}
_SUBTITLES = {".srt", ".vtt", ".ass", ".ssa"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_MOST_WORDS = 3
_TRAILER = re.compile(r"(.*[^/])[-.]trailer", re.IGNORECASE | re.DOTALL)
"""The stem of a trailer, as other media servers have it: `film-trailer` or `film.trailer`."""


def read_name(blob: str) -> Upload:
    """Return the role of a blob: a film such as `film.mkv`, or a sidecar of it.

    Sidecars are `film.json`, `film.jpg`, `film.backdrop.jpg`, and subtitles such as `film.en.srt`, `film.en.ass` and
    `film.en.forced.srt`.
    """
    ending = PurePosixPath(blob.rpartition("/")[2]).suffix
    suffix, stem = ending.lower(), blob.removesuffix(ending)
    head, _, tail = stem.rpartition(".")
    if suffix == ".json":
        return Upload(blob, stem, UploadKind.METADATA)
    if suffix in _IMAGES:
        if head and tail.lower() == "backdrop":
            return Upload(blob, head, UploadKind.BACKDROP)
        return Upload(blob, head if head and tail.lower() == "poster" else stem, UploadKind.POSTER)
    if suffix in _SUBTITLES:
        parts = stem.split(".")
        for count in range(min(_MOST_WORDS, len(parts) - 1), 0, -1):
            head = ".".join(parts[:-count])
            if head and (found := _subtitles(blob, head, parts[-count:])):
                return found
        return Upload(blob, stem, UploadKind.SUBTITLES)
    return Upload(blob, stem, UploadKind.FILM)


def companion(blob: str, *, film: str) -> Upload | None:
    """Return `blob` as a sidecar of the film with the stem `film`, or None if it does not belong to this film.

    The blob's name alone is ambiguous: in `The.Big.Sea.srt`, which belongs to `The.Big.Sea.mkv`, `Sea` is no language.
    """
    upload = read_name(blob)
    if upload.kind is UploadKind.FILM:
        return None
    if upload.kind is UploadKind.SUBTITLES and blob.startswith(f"{film}."):
        return _subtitles(blob, film, blob[len(film) + 1 :].split(".")[:-1])
    return upload if upload.stem == film else None


def film_stems(blob: str) -> tuple[str, ...]:
    """Return the stems of the films that subtitles may belong to: `film.de` and `film` for `film.de.srt`."""
    head, stems = blob.rpartition(".")[0], []
    while head and companion(blob, film=head):
        stems.append(head)
        head = head.rpartition(".")[0]
    return tuple(stems)


def _subtitles(blob: str, film: str, words: list[str]) -> Upload | None:
    """Return subtitles of a film if the words after its stem are at most one language and flags, or else None.

    "hi" is Hindi, but after a language it means "hearing impaired".
    """
    language, flags = "", []
    for word in words:
        if word.lower() in SUBTITLE_FLAGS and (language or word.lower() != "hi"):
            flags.append(word.lower())
        elif not language and _LANGUAGE.fullmatch(word):
            language = word
        else:
            return None
    return Upload(blob, film, UploadKind.SUBTITLES, language or "und", tuple(flags))


def trailed_stem(stem: str) -> str | None:
    """Return the stem of the film that a trailer with the stem `stem` belongs to, or None if it is no trailer."""
    found = _TRAILER.fullmatch(stem)
    return found[1] if found else None


def title_id_for(blob: str) -> str:
    """Return the id of the title that a blob in `uploads` belongs to."""
    return title_id_of(read_name(blob).stem)


def trailer_id_of(stem: str) -> str:
    """Return the id of the trailer of the film with a stem."""
    return title_id_of(f"{stem}-trailer")


def title_id_of(stem: str) -> str:
    """Return the title id: a readable slug of the stem, and six hex digits that distinguish equal slugs.

    All spellings of a trailer's name result in the same id.
    """
    film = trailed_stem(stem)
    if film is not None:
        stem = f"{film}-trailer"
    plain = unicodedata.normalize("NFKD", PurePosixPath(stem).name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "film"
    return f"{slug}-{hashlib.sha256(stem.encode()).hexdigest()[:6]}"


def job_id_for(blob: str, etag: str) -> str:
    """Return the job id, twelve hex digits, of one version of one blob."""
    return hashlib.sha256(f"{blob}\n{etag.strip('"')}".encode()).hexdigest()[:12]


INTERMEDIATES = "intermediates"
"""The private container of what encodes read instead of an upload. No viewer gets a key for it."""


def container_for(title_id: str) -> str:
    """Return the private container of the title's segments and manifests."""
    return f"title-{title_id}"
