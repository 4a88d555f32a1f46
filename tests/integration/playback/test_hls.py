"""A native HLS client plays a film through the functions host and the real stores; all other access fails.

The client is ffmpeg, not a browser. Like Safari, it gets the address of one playlist and follows the addresses in it.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions import bootstrap
from functions.catalogue.model import PlayableSubtitles, Status
from functions.platform.blob_signing import Signer
from functions.platform.film_keys import FilmKeys
from functions.platform.identifiers import container_for, title_id_for
from functions.platform.signed_tokens import SignedTokens
from functions.playback.hls import PURPOSE
from functions.playback.keys import SasKeys
from tests.integration.host.running import REPOSITORY, RunningHost
from tests.support.catalogue import make_playback
from tests.support.owners import OPERATOR_KEY
from tests.support.paypal import running_simulator
from tests.support.shelved import CUE, GRID, JOB, Shelf, make_film
from tests.support.viewers import (
    PASSWORD,
    as_owner,
    confirmed,
    let_in,
    log_in_again,
    make_viewer,
    revoke_grants,
)
from tests.support.waiting import eventually
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobServiceClient

    from tests.integration.conftest import Stack
    from tests.support.paypal import PayPal
    from tests.support.viewers import SomeViewer

TIMEOUT_S = 20
FILM_KEYS = "f" * 32
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class House:
    """The API with four titles, one of which is still being encoded, and a viewer who may watch them."""

    host: RunningHost
    blobs: BlobServiceClient
    shelf: Shelf
    film: str
    other: str
    growing: str
    encrypted: str
    viewer: SomeViewer
    signing_key: str
    paypal: PayPal
    mysql_url: str

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.host.port}"

    @property
    def endpoints(self) -> dict[str, str]:
        return {"api": self.api, "api_key": OPERATOR_KEY}

    def opened(self, title_id: str, viewer: SomeViewer | None = None) -> dict[str, Any]:
        """Open a title as the page does; return the session with the address for its player."""
        answer = (viewer or self.viewer).ask("POST", f"titles/{title_id}/playback")
        assert answer.status_code == 200, answer.text
        session: dict[str, Any] = answer.json()
        return {**session, "address": f"{self.api}/api/{session['hls_ticket_url']}"}

    def sealed(self, title_id: str, *, until: datetime) -> str:
        """Return the address of a ticket that expires at a given time."""
        tokens = SignedTokens(self.signing_key, lambda: datetime.now(UTC))
        content = tokens.verify(PURPOSE, self.opened(title_id)["hls_ticket_url"].split("/")[1])
        ticket = tokens.sign(PURPOSE, content, until=until)
        return f"{self.api}/api/hls/{ticket}/master.m3u8"


@pytest.fixture(scope="module")
def house(stack: Stack) -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="notflix-hls-"))
    host = RunningHost(stack.environment["AzureWebJobsStorage"], folder / "host.log")
    webhooks = f"http://127.0.0.1:{host.port}/api/paypal/webhooks"
    with pytest.MonkeyPatch.context() as patch, running_simulator(folder / "paypal", webhook_url=webhooks) as paypal:
        environment = {
            **stack.environment,
            "MONGO_DATABASE": f"test_{uuid.uuid4().hex[:12]}",
            "OPERATOR_KEY": OPERATOR_KEY,
            "FILM_KEYS": FILM_KEYS,
            "PAYPAL_URL": paypal.url,
            "PAYPAL_CLIENT_ID": paypal.client_id,
            "PAYPAL_CLIENT_SECRET": paypal.client_secret,
            "PAYPAL_WEBHOOK_ID": paypal.webhook_id,
            "PAYPAL_CA": str(folder / "paypal" / "root.pem"),
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        forget_all()
        try:
            film = make_film(folder)
            shelf = Shelf(host.blobs, folder, film)
            whole, other, growing = (_title(complete=complete) for complete in (True, True, False))
            keys = FilmKeys(FILM_KEYS, encrypts="always")
            encrypted = _title(complete=True, key_id=keys.new_key_id(JOB))
            titles = (whole, other, growing, encrypted)
            shelf.put(encrypted, keys=keys)
            shelf.put(whole)
            shelf.put(other)
            shelf.put(growing, segments=2)
            host.start(app="function_app", root=REPOSITORY, **environment)
            endpoints = {"api": f"http://127.0.0.1:{host.port}", "api_key": OPERATOR_KEY}
            viewer = let_in(endpoints, make_viewer(endpoints))
            key, mysql_url = environment["SIGNING_KEY"], stack.endpoints["mysql"]
            yield House(host, host.blobs, shelf, *titles, viewer, key, paypal, mysql_url)
        finally:
            for title_id in titles:
                host.blobs.delete_container(container_for(title_id))
            bootstrap.resources.mongo().drop_database(bootstrap.resources.settings().mongo_database)
            forget_all()
            host.close()
            shutil.rmtree(folder)


def _title(*, complete: bool, key_id: str | None = None) -> str:
    """Add a title with the film to the catalogue."""
    stem = f"{uuid.uuid4().hex[:8]}/Evening"
    title_id = title_id_for(f"{stem}.mkv")
    bootstrap.catalogue().open_title(title_id, stem=stem, status=Status.ENCODING)
    subtitles = (PlayableSubtitles("t0", "en", "English"),)
    playback = make_playback(JOB, duration_s=13.125, subtitles=subtitles, key_id=key_id)
    bootstrap.catalogue().mark_playable(title_id, playback, complete=complete)
    return title_id


def get(address: str) -> requests.Response:
    """Request an address as a native player does, without any additional headers."""
    return requests.get(address, timeout=TIMEOUT_S)


def beside(address: str, name: str) -> str:
    """Return the absolute form of a relative address in the playlist at `address`."""
    return f"{address.rpartition('/')[0]}/{name}"


def addresses_in(playlist: str) -> list[str]:
    """Return every address in a playlist, in order."""
    return re.findall(r'URI="([^"]+)"', playlist) + [
        line for line in playlist.splitlines() if line and not line.startswith("#")
    ]


def test_a_viewer_walks_from_the_session_to_every_piece_of_the_film(house: House) -> None:
    session = house.opened(house.film)
    master = get(session["address"])
    assert (master.status_code, master.headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
    assert master.headers["Cache-Control"] == "no-store"
    playlists = addresses_in(master.text)
    assert sorted(playlists) == ["a0.m3u8", "t0.m3u8", "v180.m3u8", "v54.m3u8", "v90.m3u8"]
    pieces = []
    for name in playlists:
        playlist = get(beside(session["address"], name))
        assert (playlist.status_code, playlist.headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
        pieces += addresses_in(playlist.text)
    folder = session["manifest_url"].rpartition("/")[0]
    assert {piece.partition("?") for piece in pieces} == {
        (piece.partition("?")[0], "?", session["sas"]) for piece in pieces
    }
    assert all(piece.startswith(f"{folder}/") for piece in pieces)
    assert len(pieces) == 4 * (1 + GRID.segments) + 1
    assert {get(piece).status_code for piece in pieces} == {200}
    assert get(f"{folder}/t0.vtt?{session['sas']}").text == CUE


@pytest.mark.parametrize("track", ["v:0", "a:0"])
@pytest.mark.parametrize("kind", ["film", "encrypted"])
def test_a_native_client_plays_the_whole_film_from_its_one_address(house: House, kind: str, track: str) -> None:
    """An encrypted film is decrypted with the key that the client gets from the API."""
    viewer = let_in(house.endpoints, make_viewer(house.endpoints))  # an account may watch three titles at a time
    address = house.opened(getattr(house, kind), viewer)["address"]
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-i", address]
    copied = [*command, "-map", f"0:{track}", "-f", "framecrc", "pipe:1"]
    done = subprocess.run(copied, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    frames = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    if track == "v:0":
        assert len(frames) == GRID.frames
    else:
        assert len(frames) >= 13 * 48_000 // 1024


def test_a_native_client_finds_rungs_sound_and_length(house: House) -> None:
    address = house.opened(house.film)["address"]
    asked = ["-show_entries", "format=duration:stream=codec_type,width", "-of", "json", address]
    done = subprocess.run(["ffprobe", "-v", "error", *asked], capture_output=True, text=True, check=False, timeout=60)
    found = json.loads(done.stdout)
    assert {stream.get("width") for stream in found["streams"] if stream["codec_type"] == "video"} == {320, 160, 96}
    assert "audio" in {stream["codec_type"] for stream in found["streams"]}
    assert float(found["format"]["duration"]) == pytest.approx(13.125, abs=0.1)


def test_a_title_that_still_encodes_plays_as_it_grows(house: House) -> None:
    address = house.opened(house.growing)["address"]
    rung = beside(address, "v180.m3u8")
    before = get(rung).text
    house.shelf.put(house.growing, segments=3)
    after = get(rung).text
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in before and "ENDLIST" not in after
    assert after.startswith(before), "what was listed has changed"
    assert len(addresses_in(after)) == len(addresses_in(before)) + 1
    assert {get(piece).status_code for piece in addresses_in(after)} == {200}


def test_storage_gives_no_segment_without_its_own_living_key(house: House) -> None:
    segment = addresses_in(get(beside(house.opened(house.film)["address"], "v180.m3u8")).text)[-1]
    bare, _, sas = segment.partition("?")
    outdated = SasKeys(Signer(house.blobs), minutes=60).read_key(
        container_for(house.film), datetime.now(UTC) - DAY, stream_id="old"
    )
    altered = sas.replace("sp=r", "sp=rw")
    assert get(segment).status_code == 200
    for wrong in (house.opened(house.other)["sas"], outdated.sas, altered):
        assert get(f"{bare}?{wrong}").status_code == 403
    assert get(bare).status_code == 403
    assert requests.put(segment, data=b"x", headers={"x-ms-blob-type": "BlockBlob"}, timeout=10).status_code == 403
    assert get(f"{bare.rpartition('/')[0]}?restype=container&comp=list&{sas}").status_code in {403, 404}


def test_a_dead_or_forged_ticket_gives_no_playlist(house: House) -> None:
    now = datetime.now(UTC)
    assert get(house.sealed(house.film, until=now + timedelta(minutes=1))).status_code == 200
    dead = get(house.sealed(house.film, until=now - timedelta(seconds=1)))
    assert (dead.status_code, dead.json()["error"]) == (401, "unauthenticated")
    address = house.opened(house.film)["address"]
    ticket = address.split("/")[-2]
    assert get(address.replace(ticket, f"{ticket[:-2]}xx")).status_code == 401
    session = house.opened(house.film)
    assert get(f"{house.api}/api/hls/{session['usage_ticket']}/master.m3u8").status_code == 401


def test_a_ticket_reads_its_own_title_only(house: House) -> None:
    other = get(beside(house.opened(house.other)["address"], "v180.m3u8")).text
    assert container_for(house.film) not in other
    assert all(container_for(house.other) in piece for piece in addresses_in(other))
    address = house.opened(house.film)["address"]
    ways = (
        f"..%2F..%2F{container_for(house.other)}%2F{JOB}%2Fmaster.m3u8",
        f"%2e%2e/{container_for(house.other)}/master.m3u8",
        "..%5Cmaster.m3u8",
        "manifest.mpd",
        "v180%2Finit.mp4",
        "none.m3u8",
    )
    for way in ways:
        prepared = requests.Request("GET", address).prepare()
        # set after `prepare`, which would normalize the address
        prepared.url = beside(address, way)
        with requests.Session() as client:
            assert client.send(prepared, timeout=TIMEOUT_S).status_code == 404, way


def test_who_is_not_let_in_gets_neither_key_nor_ticket(house: House) -> None:
    stranger = make_viewer({"api": house.api})
    answer = stranger.ask("POST", f"titles/{house.film}/playback")
    assert answer.status_code == 402
    assert set(answer.json()) == {"error", "detail"}


def end_access(house: House, viewer: SomeViewer, end: str) -> None:
    """End the access of a viewer in one of the possible ways."""
    match end:
        case "log-out":
            ended = viewer.ask("DELETE", "sessions")
        case "log-out everywhere":
            ended = viewer.ask("DELETE", "sessions?everywhere=true")
        case "deletion":
            ended = viewer.ask("DELETE", "me", {"password": PASSWORD})
        case "another password":
            ended = viewer.ask("PUT", "me/password", {"current": PASSWORD, "new": f"{PASSWORD} 2"})
        case "revocation":
            ended = revoke_grants(house.endpoints, viewer)
        case "refund":
            ended = viewer.ask("GET", "subscription")
            house.paypal.control("POST", f"subscriptions/{ended.json()['subscription_id']}/refund")
            eventually(lambda: not viewer.entitlement()["entitled"])
    assert ended.ok, ended.text


def subscriber(house: House) -> SomeViewer:
    """Return a viewer who has paid for a month."""
    offer = {"name": f"Monthly {uuid.uuid4().hex[:8]}", "price": "7.99", "currency": "EUR"}
    plan = as_owner(house.endpoints, "POST", "plans", offer).json()
    viewer = confirmed(make_viewer(house.endpoints), mysql_url=house.mysql_url)
    checkout = viewer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()
    house.paypal.control("POST", f"subscriptions/{checkout['subscription_id']}/approve")
    eventually(lambda: viewer.entitlement()["entitled"])
    return viewer


@pytest.mark.parametrize(
    "end", ["log-out", "log-out everywhere", "deletion", "another password", "revocation", "refund"]
)
def test_no_key_is_renewed_and_no_ticket_works_once_access_has_ended(house: House, end: str) -> None:
    viewer = subscriber(house) if end == "refund" else let_in(house.endpoints, make_viewer(house.endpoints))
    opened = viewer.ask("POST", f"titles/{house.encrypted}/playback").json()
    address = f"{house.api}/api/{opened['hls_ticket_url']}"
    film_key = f"{house.api}/api/film-keys/{opened['hls_ticket_url'].split('/')[1]}"
    assert get(address).status_code == 200
    assert get(film_key).content.hex() in opened["clear_keys"].values()
    end_access(house, viewer, end)
    renewal = {"usage_ticket": opened["usage_ticket"], "stream_ticket": opened["stream_ticket"]}
    refused = viewer.ask("POST", f"titles/{house.encrypted}/playback", renewal)
    if end in ("revocation", "refund"):
        assert refused.status_code == 402
    else:
        assert refused.status_code == 401
        assert get(address).status_code == get(film_key).status_code == 401
    # a SAS cannot be revoked: it works until it expires, at most 15 minutes after it was issued
    assert get(f"{opened['hls_url']}?{opened['sas']}").status_code == 200
    left = datetime.fromisoformat(opened["expires_at"]) - datetime.now(UTC)
    assert left <= timedelta(minutes=15)


def test_a_fourth_device_plays_after_another_was_stopped(house: House) -> None:
    endpoints = {"api": house.api, "api_key": OPERATOR_KEY}
    first = let_in(endpoints, make_viewer(endpoints))
    devices = [first, *(log_in_again(first) for _ in range(3))]

    def play(viewer: SomeViewer, **renewal: str) -> requests.Response:
        return viewer.ask("POST", f"titles/{house.film}/playback", renewal or None)

    opened = [play(device) for device in devices[:3]]
    assert [answer.status_code for answer in opened] == [200, 200, 200]
    refused = play(devices[3])
    assert (refused.status_code, refused.json()["error"]) == (409, "too_many_streams")
    listed = devices[3].ask("GET", "streams").json()
    assert (listed["limit"], len(listed["streams"])) == (3, 3)
    assert [one["here"] for one in devices[1].ask("GET", "streams").json()["streams"]].count(True) == 1
    mine = next(one for one in devices[0].ask("GET", "streams").json()["streams"] if one["here"])
    assert devices[3].ask("DELETE", f"streams/{mine['stream_id']}").status_code == 204
    assert play(devices[3]).status_code == 200
    stopped = play(devices[0], stream_ticket=opened[0].json()["stream_ticket"])
    assert (stopped.status_code, stopped.json()["error"]) == (409, "stream_stopped")
    assert get(f"{house.api}/api/{opened[0].json()['hls_ticket_url']}").status_code == 401
    # a page that closes frees its place without a login session
    left = {"stream_ticket": opened[1].json()["stream_ticket"]}
    assert requests.post(f"{house.api}/api/streams/left", data=json.dumps(left), timeout=TIMEOUT_S).status_code == 204
    assert play(devices[0]).status_code == 200


def test_neither_log_nor_catalogue_holds_a_key(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="functions")
    caplog.set_level(logging.INFO)
    session = house.opened(house.film)
    ticket = session["hls_ticket_url"].split("/")[1]
    bootstrap.publisher().publish()
    text = bootstrap.playback().playlists.read(ticket, "v180.m3u8")
    assert session["sas"] in text
    site = house.blobs.get_container_client("$web")
    names = [name for name in site.list_blob_names(name_starts_with="catalogue/") if name.endswith(".json")]
    published = "".join(site.download_blob(name).readall().decode() for name in names)
    assert house.film in published
    shown = get(f"{house.api}/api/titles/{house.film}").text
    for said in (published, shown, house.host.log, caplog.text):
        assert "sig=" not in said and "hls/" not in said and ticket not in said
