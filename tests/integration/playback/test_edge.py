"""Films behind a CDN: one copy is cached for all viewers, and only those who may watch can read it.

The edge is nginx with the rules of each CDN; the keys are those that playback issues, and storage is the real one.
"""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from azure.storage.blob import BlobServiceClient, ContentSettings

from functions.encoding.storage import IMMUTABLE, KINDS, REVALIDATED
from functions.platform.blob_signing import Signer
from functions.playback.keys import SasKeys
from tests.support.edge import SEGMENTS_S, running_edge, why_missing
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

pytestmark = pytest.mark.skipif(bool(why_missing()), reason=why_missing())

TOKEN_KEY = "a-key-of-a-pull-zone"
JOB = "0123456789ab"
RUNGS = ("v1080", "v360")
SEGMENTS = 20
VIEWERS = 200
AT_ONCE = 12
GOAL = 0.95
SHORT_S = 2
"""How long Front Door's rule keeps a segment in the tests that wait for it."""

LATE_S = 15.0
"""How much longer a busy machine may keep it: the time counts from when nginx receives it from storage."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of the edge to a request."""

    status: int
    body: bytes
    cache: str


def seconds_from_now(seconds: int) -> datetime:
    """Return a time when a key can expire: keys have no fractions of a second."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)


@dataclass(frozen=True)
class Edge:
    """An edge, the keys that playback issues for it, and two titles behind it, in the containers `film` and `other`."""

    address: str
    keys: SasKeys
    film: str
    other: str

    def key(self, container: str = "", *, until: datetime | None = None) -> str:
        """Return the query of a key for a title; for the film unless another container is named."""
        return self.keys.read_key(container or self.film, until or seconds_from_now(600), stream_id="").sas

    def get(self, path: str, query: str = "", connection: HTTPConnection | None = None) -> Answer:
        client = connection or HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE_S)
        client.request("GET", f"{path}?{query}" if query else path)
        response = client.getresponse()
        answer = Answer(response.status, response.read(), response.headers.get("X-Cache", ""))
        if connection is None:
            client.close()
        return answer

    def segment(self, container: str = "", name: str = "v360/s00000.m4s") -> str:
        """Return the path of a segment."""
        return f"/{container or self.film}/{JOB}/{name}"


@pytest.fixture(scope="module")
def films(stack: Stack) -> Iterator[tuple[BlobServiceClient, str, str]]:
    """Store two titles; return the client and the names of their containers."""
    names = [f"title-edge-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    with BlobServiceClient.from_connection_string(stack.settings.storage) as service:
        for container in names:
            client = service.create_container(container)
            for rung in RUNGS:
                for number in range(SEGMENTS):
                    name = f"{JOB}/{rung}/s{number:05d}.m4s"
                    settings = ContentSettings(content_type=KINDS[".m4s"], cache_control=IMMUTABLE)
                    client.upload_blob(name, f"{container} {name}".encode() * 40, content_settings=settings)
            manifest = ContentSettings(content_type=KINDS[".mpd"], cache_control=REVALIDATED)
            client.upload_blob(f"{JOB}/manifest.mpd", b"<MPD/>", content_settings=manifest)
        yield service, names[0], names[1]
        for container in names:
            service.delete_container(container)


@pytest.fixture(params=["bunny", "front_door"])
def edge(request: pytest.FixtureRequest, films: tuple[BlobServiceClient, str, str], tmp_path: Path) -> Iterator[Edge]:
    """Return an edge with an empty cache."""
    with started(request.param, films, tmp_path) as edge:
        yield edge


@contextmanager
def started(
    rule: str, films: tuple[BlobServiceClient, str, str], folder: Path, *, segments_s: int = SHORT_S
) -> Iterator[Edge]:
    """Run an edge with the rule of a CDN."""
    service, film, other = films
    token_key = TOKEN_KEY if rule == "bunny" else ""
    with running_edge(folder, service.url, rule=rule, token_key=token_key, segments_s=segments_s) as address:
        yield Edge(address, SasKeys(Signer(service), minutes=15, front=address, token_key=token_key), film, other)


@pytest.fixture
def verifies(edge: Edge) -> bool:
    """Return whether the edge itself verifies the right of a request."""
    return "token=" in edge.key()


def opened_until_it_expires(edge: Edge, path: str, *, tolerated_s: float) -> None:
    """Read a file with a key that expires soon; it must be readable until then, and then no longer than tolerated.

    A busy machine may answer for the first time only after the key has expired; then a later key is used.
    """
    for lasts_s in (3, 10, 30, 100):
        until = seconds_from_now(lasts_s)
        key, answered_in_time = edge.key(until=until), 0
        while True:
            asked = datetime.now(UTC)
            status = edge.get(path, key).status
            if datetime.now(UTC) < until - timedelta(seconds=0.5):
                assert status == 200
                answered_in_time += 1
            if status == 403:
                break
            assert asked < until + timedelta(seconds=tolerated_s)
            time.sleep(0.1)
        if answered_in_time:
            return
    pytest.fail("no key was used before it expired")


@pytest.mark.parametrize("rule", ["bunny", "front_door"])
def test_viewers_share_the_cache(rule: str, films: tuple[BlobServiceClient, str, str], tmp_path: Path) -> None:
    """200 viewers open the film within a time bucket and its successor, and watch it in two resolutions."""
    with started(rule, films, tmp_path, segments_s=SEGMENTS_S) as edge:
        hits = hit_ratio(edge, datetime.now(UTC))
    print(f"hit ratio of {VIEWERS} viewers with {rule}: {hits:.4f}")
    assert hits >= GOAL


def hit_ratio(edge: Edge, begins: datetime) -> float:
    """Send the viewers' requests; return the share that was answered from the cache."""

    def watch(number: int) -> list[Answer]:
        expires_at = edge.keys.expires_at(begins + timedelta(minutes=7.5) * (number // 2 % 2))
        key = edge.keys.read_key(edge.film, expires_at, stream_id=f"stream {number}").sas
        connection = HTTPConnection(urlsplit(edge.address).netloc, timeout=PATIENCE_S)
        names = [f"{RUNGS[(number + place // 7) % 2]}/s{place:05d}.m4s" for place in range(SEGMENTS)]
        answers = [edge.get(edge.segment(name=name), key, connection) for name in names]
        connection.close()
        return answers

    with ThreadPoolExecutor(AT_ONCE) as viewers:
        answers = [answer for watched in viewers.map(watch, range(VIEWERS)) for answer in watched]
    assert {answer.status for answer in answers} == {200}
    assert {answer.body.split()[0].decode() for answer in answers} == {edge.film}
    return sum(answer.cache == "HIT" for answer in answers) / len(answers)


def test_nobody_reads_without_a_right(edge: Edge) -> None:
    path, key = edge.segment(), edge.key()
    assert edge.get(path).status != 200
    assert edge.get(path, key).status == 200
    eventually(lambda: edge.get(path, key).cache == "HIT")
    assert edge.get(path).status != 200, "although the segment is in the cache"


def test_nobody_reads_with_the_right_to_another_title(edge: Edge) -> None:
    for path in (edge.segment(edge.other), edge.segment(edge.other, "v360/s00001.m4s")):
        assert edge.get(path, edge.key(edge.film)).status == 403
        assert edge.get(path, edge.key(edge.other)).status == 200
        assert edge.get(path, edge.key(edge.film)).status == 403, "although the segment is in the cache"
    climbing = f"/{edge.film}/{JOB}/%2e%2e/%2e%2e/{edge.other}/{JOB}/v360/s00000.m4s"
    assert edge.get(climbing, edge.key(edge.film)).status != 200


def test_nobody_reads_after_the_right_has_expired(edge: Edge, verifies: bool) -> None:
    path = edge.segment()
    opened_until_it_expires(edge, path, tolerated_s=LATE_S)
    if verifies:
        assert edge.get(path, edge.key()).cache == "HIT", "the segment itself is still in the cache"


def test_an_expired_right_opens_a_cached_segment_for_a_short_time_at_most(edge: Edge, verifies: bool) -> None:
    """Front Door does not read the SAS; its copy of a segment expires instead, although the header says a year."""
    path = edge.segment(name="v1080/s00003.m4s")
    opened_until_it_expires(edge, path, tolerated_s=1 if verifies else SHORT_S + LATE_S)


def test_a_token_cannot_be_changed(edge: Edge, verifies: bool, films: tuple[BlobServiceClient, str, str]) -> None:
    if not verifies:
        pytest.skip("this CDN verifies no token")
    path = edge.segment()
    assert edge.get(path, edge.key()).status == 200
    fields = dict(parse_qsl(edge.key()))
    changes = (
        {"expires": str(int(fields["expires"]) + 3600)},
        {"token_path": "/"},
        {"token_path": f"/{edge.film}"},
        {"token_ignore_params": "false"},
        {"token": fields["token"][:-2] + ("BA" if fields["token"].endswith("AA") else "AA")},
        {"token": ""},
    )
    for change in changes:
        assert edge.get(path, urlencode({**fields, **change})).status == 403, change
    strangers = SasKeys(Signer(films[0]), minutes=15, front=edge.address, token_key="another key")
    other = Edge(edge.address, strangers, edge.film, edge.other)
    assert edge.get(path, other.key()).status == 403


def test_a_request_without_a_valid_sas_spoils_nothing(edge: Edge) -> None:
    """Whoever may watch could send a token without a SAS, which storage refuses; the refusal must not be cached."""
    path = edge.segment(name="v360/s00007.m4s")
    broken = edge.key().replace("sig=", "sig=AAAA")
    assert edge.get(path, broken).status == 403
    assert edge.get(path, edge.key()).status == 200


def test_manifests_are_always_read_from_storage(edge: Edge, films: tuple[BlobServiceClient, str, str]) -> None:
    service, film, _ = films
    path, key = f"/{film}/{JOB}/manifest.mpd", edge.key()
    assert edge.get(path, key).body == b"<MPD/>"
    blob = service.get_blob_client(film, f"{JOB}/manifest.mpd")
    settings = ContentSettings(content_type=KINDS[".mpd"], cache_control=REVALIDATED)
    blob.upload_blob(b"<MPD>longer</MPD>", overwrite=True, content_settings=settings)
    try:
        assert edge.get(path, key).body == b"<MPD>longer</MPD>"
    finally:
        blob.upload_blob(b"<MPD/>", overwrite=True, content_settings=settings)
