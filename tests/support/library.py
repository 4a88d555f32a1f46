"""Add playable titles to a running product without encoding them, and let viewers watch them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy
from pymongo import MongoClient

from functions.catalogue.repository import MongoTitles
from tests.support.catalogue import make_playback, make_title
from tests.support.viewers import soon

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.catalogue.model import Title
    from tests.support.viewers import SomeViewer

DURATION_S = 120.0


@contextmanager
def titles_of(endpoints: Mapping[str, str]) -> Iterator[MongoTitles]:
    """Yield the title store of a running product."""
    with MongoClient[dict[str, Any]](endpoints["mongo"], tz_aware=True) as client:
        yield MongoTitles(client["notflix"])


def stock(endpoints: Mapping[str, str], *titles: Title) -> None:
    """Add titles to the catalogue, publish them, and wait until their pages exist."""
    with titles_of(endpoints) as kept:
        for title in titles:
            assert kept.add(title)
    publish(endpoints)
    for title in titles:
        soon(lambda title=title: _page(endpoints, title.id).ok)  # type: ignore[misc]


def playable(title_id: str, **changes: Any) -> Title:
    """Return a title that can be opened but has no segments."""
    return make_title(title_id, playback=make_playback(complete=True, duration_s=DURATION_S), **changes)


def publish(endpoints: Mapping[str, str]) -> None:
    """Enqueue the publication of the catalogue, as every change of a title does."""
    with QueueServiceClient.from_connection_string(endpoints["storage_connection"]) as service:
        queue = service.get_queue_client("publish-catalogue", message_encode_policy=TextBase64EncodePolicy())
        queue.send_message(json.dumps({}))


def watch_whole(viewer: SomeViewer, title_id: str) -> None:
    """Open a title, send a heartbeat at its end, as if the viewer had watched all of it, and leave the page."""
    opened = viewer.ask("POST", f"titles/{title_id}/playback")
    assert opened.ok, opened.text
    beat = {"ticket": opened.json()["usage_ticket"], "sequence": 1, "position_s": DURATION_S, "watched_s": DURATION_S}
    assert viewer.ask("PUT", f"usage/{title_id}", beat).status_code == 204
    left = {"stream_ticket": opened.json()["stream_ticket"]}
    assert viewer.ask("POST", "streams/left", left).status_code == 204


def similar(endpoints: Mapping[str, str], title_id: str) -> dict[str, str]:
    """Return the titles similar to a title, with the reason for each."""
    answer = requests.get(f"{endpoints['api']}/api/titles/{title_id}/similar", timeout=30)
    assert answer.ok, answer.text
    return {title["id"]: title["reason"]["words"] for title in answer.json()["titles"]}


def shelves(viewer: SomeViewer) -> dict[str, dict[str, str]]:
    """Return a viewer's shelves by heading; each contains titles with their reasons."""
    answer = viewer.ask("GET", "recommendations")
    assert answer.ok, answer.text
    return {
        shelf["heading"]: {title["id"]: title["reason"]["words"] for title in shelf["titles"]}
        for shelf in answer.json()["shelves"]
    }


def _page(endpoints: Mapping[str, str], title_id: str) -> requests.Response:
    return requests.get(f"{endpoints['site']}/catalogue/titles/{title_id}.json", timeout=30)
