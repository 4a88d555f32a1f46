"""Store the segments of one track in the title's container: checked and, if the film is encrypted, encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.formats.common_encryption import TrackCipher
from functions.encoding.formats.segments import read_init, read_segment
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.formats.segments import InitInfo, SegmentInfo
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import CopyMedia
    from functions.platform.film_keys import FilmKeys

_ENCRYPTED = ".encrypted"


class TrackStore:
    """Stores local files as `<job>/<track>/<name>`; the local files stay as they are."""

    def __init__(self, media: CopyMedia, job: EncodeJob, name: str, keys: FilmKeys) -> None:
        """Raises FilmKeyMissing if the film is encrypted, and its key is not known."""
        self._media = media
        self._container = container_for(job.title_id)
        self._prefix = f"{job.id}/{name}"
        self._cipher = _cipher_of(job, name, keys)

    def store_init(self, path: Path) -> InitInfo:
        """Store an init segment; return its content as stored. Raises MalformedSegment, CannotEncrypt."""
        stored = self._stored_form(path, is_init=True)
        init = read_init(stored)
        self._store(path.name, stored, path)
        return init

    def store_segment(self, path: Path, init: InitInfo) -> SegmentInfo:
        """Store a segment of the track of `init`; return its content as stored. Raises MalformedSegment, CannotEncrypt.

        An empty segment is not stored: EmptySegment is raised.
        """
        segment = read_segment(path, init)
        stored = self._stored_form(path, is_init=False)
        if stored != path:
            segment = read_segment(stored, init)
        self._store(path.name, stored, path)
        return segment

    def _stored_form(self, path: Path, *, is_init: bool) -> Path:
        if self._cipher is None:
            return path
        content = self._cipher.encrypted_init(path) if is_init else self._cipher.encrypted_segment(path)
        encrypted = path.with_name(f"{path.name}{_ENCRYPTED}")
        encrypted.write_bytes(content)
        return encrypted

    def _store(self, name: str, stored: Path, path: Path) -> None:
        self._media.store_file(self._container, f"{self._prefix}/{name}", stored)
        if stored != path:
            stored.unlink()


def _cipher_of(job: EncodeJob, name: str, keys: FilmKeys) -> TrackCipher | None:
    if job.key_id is None:
        return None
    key = keys.key_of(job.id, job.key_id)
    return TrackCipher(key.key, key_id=key.key_id, iv=key.iv(name))
