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
from functions.platform.identifiers import container_for, title_id_for
from functions.platform.signed_tokens import SignedTokens
from functions.playback.keys import SasKeys
from tests.integration.host.running import REPOSITORY, RunningHost
from tests.support.catalogue import make_playback
from tests.support.owners import OPERATOR_KEY
from tests.support.shelved import CUE, GRID, JOB, Shelf, make_film
from tests.support.viewers import let_in, make_viewer
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobServiceClient

    from tests.integration.conftest import Stack
    from tests.support.viewers import SomeViewer

TIMEOUT_S = 20
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class House:
    """The API with three titles, one of which is still being encoded, and a viewer who may watch them."""

    host: RunningHost
    blobs: BlobServiceClient
    shelf: Shelf
    film: str
    other: str
    growing: str
    viewer: SomeViewer
    signing_key: str

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.host.port}"

    def opened(self, title_id: str) -> dict[str, Any]:
        """Open a title as the page does; return the session with the address for its player."""
        answer = self.viewer.ask("POST", f"titles/{title_id}/playback")
        assert answer.status_code == 200, answer.text
        session: dict[str, Any] = answer.json()
        return {**session, "address": f"{self.api}/api/{session['hls_ticket_url']}"}

    def sealed(self, title_id: str, *, until: datetime) -> str:
        """Return the address of a ticket that expires at a given time."""
        content = {"title_id": title_id, "job_id": JOB, "at": int((until - timedelta(hours=1)).timestamp())}
        ticket = SignedTokens(self.signing_key, lambda: datetime.now(UTC)).sign("hls", content, until=until)
        return f"{self.api}/api/hls/{ticket}/master.m3u8"


@pytest.fixture(scope="module")
def house(stack: Stack) -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="notflix-hls-"))
    names = {"MONGO_DATABASE": f"test_{uuid.uuid4().hex[:12]}", "OPERATOR_KEY": OPERATOR_KEY}
    environment = {**stack.environment, **names}
    host = RunningHost(stack.environment["AzureWebJobsStorage"], folder / "host.log")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        forget_all()
        try:
            film = make_film(folder)
            shelf = Shelf(host.blobs, folder, film)
            whole, other, growing = (_title(complete=complete) for complete in (True, True, False))
            shelf.put(whole)
            shelf.put(other)
            shelf.put(growing, segments=2)
            host.start(app="function_app", root=REPOSITORY, **environment)
            endpoints = {"api": f"http://127.0.0.1:{host.port}", "api_key": OPERATOR_KEY}
            viewer = let_in(endpoints, make_viewer(endpoints))
            yield House(host, host.blobs, shelf, whole, other, growing, viewer, environment["SIGNING_KEY"])
        finally:
            for title_id in (whole, other, growing):
                host.blobs.delete_container(container_for(title_id))
            bootstrap.resources.mongo().drop_database(bootstrap.resources.settings().mongo_database)
            forget_all()
            host.close()
            shutil.rmtree(folder)


def _title(*, complete: bool) -> str:
    """Add a title with the film to the catalogue."""
    stem = f"{uuid.uuid4().hex[:8]}/Evening"
    title_id = title_id_for(f"{stem}.mkv")
    bootstrap.catalogue().open_title(title_id, stem=stem, status=Status.ENCODING)
    playback = make_playback(JOB, duration_s=13.125, subtitles=(PlayableSubtitles("t0", "en", "English"),))
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
def test_a_native_client_plays_the_whole_film_from_its_one_address(house: House, track: str) -> None:
    address = house.opened(house.film)["address"]
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
    outdated = SasKeys(Signer(house.blobs), minutes=60).read_key(container_for(house.film), datetime.now(UTC) - DAY)
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
