"""The keys of encrypted films: derived from a setting, the film's job and nothing else, so they are stored nowhere.

A job has the id of its key. The id is derived together with the key, and so says which of several secrets the key was
derived from. It is not secret; the key is, and must never be logged, stored or written into a manifest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.platform.errors import SettingMissing

if TYPE_CHECKING:
    from functions.platform.settings import Settings

SECRET_CHARACTERS = 32
ALWAYS, NEVER = "always", "never"

KEY_FILE = "film.key"
"""The address of the key in the playlists in storage. There is no such file: the API replaces the address."""

_BYTES = 16
_INFO = "notflix film key "


class FilmKeyMissing(SettingMissing):
    """No secret in FILM_KEYS is the one with which a film was encrypted."""


@dataclass(frozen=True, slots=True)
class FilmKey:
    """The key of a film for AES-128 and its id, of 16 bytes each."""

    key_id: bytes
    key: bytes = field(repr=False)

    def iv(self, track: str) -> bytes:
        """Return the constant initialization vector of a track; like every IV, it is not secret."""
        return track_iv(self.key_id.hex(), track)


class FilmKeys:
    """Derives keys from the setting FILM_KEYS: new ones from the first secret, existing ones from any of them.

    A secret must have at least SECRET_CHARACTERS characters.
    """

    def __init__(self, secrets: str = "", *, encrypts: str = NEVER) -> None:
        """Raises SettingMissing unless `encrypts`, the setting ENCRYPT_FILMS, is `always` or `never`."""
        if encrypts not in (ALWAYS, NEVER):
            raise SettingMissing(f"ENCRYPT_FILMS must be {ALWAYS} or {NEVER}, not {encrypts!r}.")
        self._secrets = tuple(secret.strip() for secret in secrets.split(",") if secret.strip())
        self._encrypts = encrypts == ALWAYS

    def new_key_id(self, job_id: str) -> str | None:
        """Return the id of the key for a new job, in hexadecimal; None if films are not encrypted.

        Raises SettingMissing if they are, but there is no valid secret.
        """
        if not self._encrypts:
            return None
        if not self._secrets or min(map(len, self._secrets)) < SECRET_CHARACTERS:
            raise SettingMissing(
                f"ENCRYPT_FILMS needs FILM_KEYS: each key in it must have at least {SECRET_CHARACTERS} characters; "
                "`openssl rand -hex 32` makes one."
            )
        return _derived(self._secrets[0], job_id).key_id.hex()

    def key_of(self, job_id: str, key_id: str) -> FilmKey:
        """Return the key of a job by its id. Raises FilmKeyMissing."""
        for secret in self._secrets:
            derived = _derived(secret, job_id)
            if derived.key_id.hex() == key_id:
                return derived
        raise FilmKeyMissing(
            f"The film of job {job_id} was encrypted with a key that FILM_KEYS lacks. Add the key to it, or encode the "
            "film again."
        )


def film_keys_of(settings: Settings) -> FilmKeys:
    """Return the keys for these settings. Raises SettingMissing."""
    return FilmKeys(settings.film_keys, encrypts=settings.encrypt_films)


NO_KEYS = FilmKeys()
"""The keys of a product that does not encrypt films."""


def track_iv(key_id: str, track: str) -> bytes:
    """Return the initialization vector of a track, from the id of the film's key in hexadecimal."""
    return hashlib.sha256(f"{key_id} {track}".encode()).digest()[:_BYTES]


def _derived(secret: str, job_id: str) -> FilmKey:
    # imported here, because most processes never derive a key
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), 2 * _BYTES, None, f"{_INFO}{job_id}".encode()).derive(secret.encode())
    return FilmKey(derived[:_BYTES], derived[_BYTES:])
