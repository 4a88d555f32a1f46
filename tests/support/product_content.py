"""What a running product contains, in a form in which two products can be compared: answers, files, and the graph."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import requests
from azure.storage.blob import BlobServiceClient

from functions.platform.time import to_text
from functions.recommendations.bolt import Bolt
from infra.local.stores.credentials import load_or_make
from tests.support.graph import content_of
from tests.support.homes import SPAN
from tests.support.viewers import PASSWORD, as_owner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.support.graph import Content
    from tests.support.product import Product

OWNERS = (
    *("jobs", "catalogue/titles", "subscriptions", "paypal/events", "plans/all", "grants"),
    *("administrators", "audit?limit=100", "pages"),
)
VIEWERS = (
    *("me", "subscription", "payments", "list", "ratings", "usage"),
    *("me/emails", "me/second-factors", "me/logins?limit=100"),
)
EVERYBODY = ("titles", "plans")
HISTORIES = ("owner audit?limit=100", "viewer me/logins?limit=100")
"""Answers to which later requests add entries."""

CHANGES_WITH_EACH_LOGIN = ("session_expires_at",)
CHANGES_WITH_VERIFICATION = ("verification", "verifying", "updated_at")
CHANGES_WITH_EACH_COPY = ("version", "updated_at")
"""Of an owner's page: the ETag of its file, and when that was written."""

SITE = "$web"
COMPRESSED = (".br", ".gz")
CHANGES_WITH_EACH_BUILD = re.compile(r'"(?:generated_at|version)": ?"[^"]*"')
"""In the site's files: when one was written, and the digest of the others, which contain the product's addresses."""


def answers(product: Product, email: str, *, until: datetime) -> dict[str, Any]:
    """Return the API's answers to the owner, to the viewer (who logs in with the password) and to everybody.

    Of the login history and the audit log, only entries until that time are returned.
    """
    endpoints = product.endpoints
    found: dict[str, Any] = {}
    for path in OWNERS:
        found[f"owner {path}"] = _answer(as_owner(endpoints, "GET", path))
    credentials = {"email": email, "password": PASSWORD}
    session = _answer(requests.post(f"{endpoints['api']}/api/sessions", json=credentials, timeout=30))
    headers = {"Authorization": f"Bearer {session['token']}"}
    for path in VIEWERS:
        found[f"viewer {path}"] = _answer(requests.get(f"{endpoints['api']}/api/{path}", headers=headers, timeout=30))
    for path in EVERYBODY:
        found[path] = _answer(requests.get(f"{endpoints['api']}/api/{path}", timeout=30))
    for path in HISTORIES:
        ((name, entries),) = ((name, each) for name, each in found[path].items() if isinstance(each, list))
        found[path] = {name: [entry for entry in entries if entry["at"] <= to_text(until)]}
    found["owner pages"] = [_without(page, CHANGES_WITH_EACH_COPY) for page in found["owner pages"]["pages"]]
    text = _without_ports(product, json.dumps(found))
    compared: dict[str, Any] = json.loads(text, object_hook=lambda each: _without(each, CHANGES_WITH_EACH_LOGIN))
    return compared


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return a line for each name under which two contents differ."""
    names = sorted(one.keys() | other.keys())
    return [f"{name}: {one.get(name)!r} / {other.get(name)!r}" for name in names if one.get(name) != other.get(name)]


def without_verification(job: dict[str, Any]) -> dict[str, Any]:
    """Return a job without what its verification changes; each product verifies the film at its own time."""
    kept = _without(job, CHANGES_WITH_VERIFICATION)
    return {**kept, "cost": _without(job["cost"], ("encode_microusd",))}


def stored_files(product: Product) -> dict[str, str]:
    """Return the SHA-256 and type of every blob in `uploads`, the site and the containers of titles, by path.

    The files of the site contain the addresses of the product, so their ports are replaced by their offsets. Of
    compressed copies, only the type is returned.
    """
    found = {}
    with BlobServiceClient.from_connection_string(product.endpoints["storage_connection"]) as service:
        for container in service.list_containers():
            if container.name in ("uploads", SITE) or container.name.startswith("title-"):
                client = service.get_container_client(container.name)
                for blob in client.list_blobs():
                    is_copy = container.name == SITE and blob.name.endswith(COMPRESSED)
                    content = b"" if is_copy else client.download_blob(blob.name).readall()
                    if container.name == SITE:
                        text = CHANGES_WITH_EACH_BUILD.sub("", content.decode("latin-1"))
                        content = _without_ports(product, text).encode("latin-1")
                    digest = hashlib.sha256(content).hexdigest()
                    found[f"{container.name}/{blob.name}"] = f"{digest} {blob.content_settings.content_type}"
    return found


def graph_of(product: Product) -> Content:
    """Return the content of the graph."""
    password = load_or_make(product.home.secrets_file).neo4j
    with closing(Bolt(product.endpoints["bolt"], "neo4j", password)) as bolt:
        return content_of(bolt)


def _answer(answer: requests.Response) -> dict[str, Any]:
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _without(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: each for name, each in fields.items() if name not in names}


def _without_ports(product: Product, text: str) -> str:
    base = product.home.ports.base
    for offset in range(SPAN):
        text = re.sub(rf"(127\.0\.0\.1|localhost):{base + offset}\b", f"port {offset}", text)
    return text
