"""The credentials of the local stores and the keys of the function hosts, created at first start.

They are in `secrets.json`, which only its owner can read. A credential that a later version adds is created when it is
missing; existing credentials are never changed, because the stores already use them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from infra.local.home import CannotRun, write_private

if TYPE_CHECKING:
    from pathlib import Path


def _password() -> str:
    return secrets.token_hex(16)


def _storage_key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """One password per store and user, and one key per host. Passwords are hexadecimal and need no URL encoding."""

    mysql_root: str = field(default_factory=_password)
    mysql_users: str = field(default_factory=_password)
    redis: str = field(default_factory=_password)
    mongo: str = field(default_factory=_password)
    arcade_root: str = field(default_factory=_password)
    neo4j: str = field(default_factory=_password)
    storage_account: str = field(default_factory=lambda: f"notflix{secrets.token_hex(3)}")
    storage_key: str = field(default_factory=_storage_key)
    signing_key: str = field(default_factory=lambda: secrets.token_hex(32))
    second_factor_key: str = field(default_factory=lambda: secrets.token_hex(32))
    film_key: str = field(default_factory=lambda: secrets.token_hex(32))
    operator_key: str = field(default_factory=_password)
    master_key: str = field(default_factory=_password)
    blobs_key: str = field(default_factory=_password)
    paypal: str = field(default_factory=_password)

    def mysql_password(self, name: str) -> str:
        """Return the password of a database's MySQL user, derived from one secret."""
        return hmac.new(self.mysql_users.encode(), name.encode(), hashlib.sha256).hexdigest()[:32]


def load_or_make(path: Path) -> Credentials:
    """Return the credentials in `path` after creating missing ones; raise CannotRun if the file is damaged."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        credentials = Credentials(**{each.name: kept[each.name] for each in fields(Credentials) if each.name in kept})
    except FileNotFoundError:
        kept, credentials = {}, Credentials()
    except (ValueError, TypeError) as error:
        raise CannotRun(f"{path} is damaged ({error}); restore it, or delete the whole folder to start over.") from None
    if (complete := {**kept, **asdict(credentials)}) != kept:
        write_private(path, json.dumps(complete, indent=2) + "\n")
    return credentials
