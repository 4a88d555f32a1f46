"""Opening a title: its addresses, the SAS and its lifetime, the playable part, and the refusal of unplayable titles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from azure.storage.blob import BlobServiceClient, UserDelegationKey

from functions import bootstrap
from functions.billing.model import Entitlement
from functions.catalogue.model import PlayableSubtitles, Status
from functions.platform.blob_signing import Signer
from functions.platform.errors import EntitlementRequired, NotFound, NotPlayable
from functions.platform.settings import Settings
from functions.platform.viewer import Viewer
from functions.playback import triggers
from functions.playback.assembly import PlaybackParts
from functions.playback.keys import SasKeys, correlation_of, expiry_of
from functions.playback.model import StreamRequest
from functions.playback.service import PlaybackService, Subtitles
from functions.uploads.repository import BlobUploads
from tests.support.api import call
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import NOON, Clock
from tests.support.owners import AS_ADMINISTRATOR, AS_VIEWER, FakeAccess
from tests.support.owners import VIEWER as VIEWER_OF_SESSION
from tests.support.playback import (
    LAPTOP,
    LIFETIME,
    PHONE,
    TELEVISION,
    Demand,
    Keys,
    MemoryPlaylists,
    MemoryStreams,
    make_playlists,
    make_streams,
)

if TYPE_CHECKING:
    from functions.catalogue.model import Title
    from functions.playback.streams import Streams

VIEWER = Viewer("5" * 32, "ada@example.org")
CONNECTION = (
    "DefaultEndpointsProtocol=http;AccountName=films;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/films;"
)


@dataclass
class Progress:
    """The progress of an encode."""

    percent: float = 40.0
    front_s: float = 24.0
    uploaded_percent: float | None = None


@dataclass
class Encodes:
    """Jobs by id."""

    jobs: dict[str, Progress] = field(default_factory=dict)

    def progress(self, job_id: str) -> Progress | None:
        return self.jobs.get(job_id)


@dataclass
class Entitlements:
    """Entitles all viewers or none."""

    entitled: bool = True

    def of(self, viewer: Viewer) -> Entitlement:
        return Entitlement(self.entitled, "subscription" if self.entitled else "none")


@dataclass(frozen=True)
class Start:
    """The position where a viewer resumes."""

    resume_s: float
    ticket: str | None


@dataclass
class Usage:
    """A position to resume from, and tickets that show which title was opened."""

    resume_s: float = 0.0
    opened: list[tuple[str, str, float, str]] = field(default_factory=list)

    def open(self, user_id: str, title_id: str, *, duration_s: float, ticket: str = "") -> Start:
        self.opened.append((user_id, title_id, duration_s, ticket))
        return Start(self.resume_s, f"ticket-of-{title_id}")


def opener(
    *titles: Title,
    entitled: bool = True,
    usage: Usage | None = None,
    streams: Streams | None = None,
    demand: Demand | None = None,
    finds_intros: bool = True,
    **jobs: Progress,
) -> PlaybackService:
    catalogue = World().with_titles(titles).catalogue
    streams = streams or make_streams()
    parts = (catalogue, Encodes(dict(jobs)), demand or Demand(), Entitlements(entitled), usage or Usage(), Keys())
    playlists = make_playlists(streams=streams)
    return PlaybackService(*parts, playlists, streams, lambda: NOON, finds_intros=finds_intros)


def test_a_ready_title_opens_whole() -> None:
    playback = make_playback(
        "job", complete=True, thumbnails=True, chapters=True, subtitles=(PlayableSubtitles("s0", "en", "English"),)
    )
    session = opener(make_title("film", name="Film", playback=playback)).open_title("film", VIEWER, LAPTOP)
    assert (session.status, session.front_s, session.percent, session.resume_s) == ("ready", 120.0, 100.0, 0.0)
    assert session.uploaded_percent is None
    assert session.manifest_url == "http://blobs/title-film/job/manifest.mpd"
    assert session.hls_url == "http://blobs/title-film/job/master.m3u8"
    assert session.thumbnails_url == "http://blobs/title-film/job/thumbnails.vtt"
    assert session.chapters_url == "http://blobs/title-film/job/chapters.vtt"
    assert session.subtitles == (Subtitles("en", "English", "http://blobs/title-film/job/s0.vtt"),)
    assert (session.title_id, session.job_id, session.name) == ("film", "job", "Film")
    assert (session.duration_s, session.expires_at) == (120.0, NOON + LIFETIME)
    assert session.sas == "sig=title-film&at=1200"


def test_a_title_that_still_encodes_opens_as_far_as_it_is() -> None:
    title = make_title("film", status=Status.ENCODING, playback=make_playback("job"))
    session = opener(title, job=Progress()).open_title("film", VIEWER, LAPTOP)
    assert (session.status, session.front_s, session.percent, session.uploaded_percent) == (
        "encoding",
        24.0,
        40.0,
        None,
    )


def test_a_title_that_is_still_uploaded_says_how_much_of_it_has_arrived() -> None:
    title = make_title("film", status=Status.ENCODING, playback=make_playback("job"))
    session = opener(title, job=Progress(percent=0.0, uploaded_percent=61.5)).open_title("film", VIEWER, LAPTOP)
    assert (session.percent, session.uploaded_percent) == (0.0, 61.5)


def test_a_title_whose_job_is_unknown_opens_without_anything_that_can_be_watched() -> None:
    title = make_title("film", status=Status.ENCODING, playback=make_playback("job"))
    session = opener(title).open_title("film", VIEWER, LAPTOP)
    assert (session.front_s, session.percent, session.thumbnails_url, session.chapters_url) == (0.0, 0.0, None, None)


def test_native_players_get_the_playlists_of_the_title_that_was_opened() -> None:
    streams = make_streams()
    texts = {("title-film", "job/master.m3u8"): "#EXTM3U\n", ("title-other", "job/master.m3u8"): "#EXTM3U other\n"}
    playlists = make_playlists(MemoryPlaylists(texts), streams=streams)
    catalogue = World().with_titles([make_title("film", playback=make_playback("job", complete=True))]).catalogue
    parts = (catalogue, Encodes(), Demand(), Entitlements(), Usage(), Keys(), playlists, streams, lambda: NOON)
    opened = PlaybackService(*parts).open_title("film", VIEWER, LAPTOP)
    _, ticket, name = opened.hls_ticket_url.split("/")
    assert playlists.read(ticket, name) == "#EXTM3U\n"
    (stream,) = streams.list_streams(VIEWER.user_id)
    assert (stream.title_id, stream.device, stream.session_id) == ("film", LAPTOP.name, LAPTOP.session_id)


def test_the_viewer_who_opens_a_title_must_be_entitled_and_nobody_else() -> None:
    asked: list[Viewer] = []

    class Noting(Entitlements):
        """Notes whose entitlement is read."""

        def of(self, viewer: Viewer) -> Entitlement:
            asked.append(viewer)
            return super().of(viewer)

    service = opener(make_title("film", playback=make_playback("job", complete=True)))
    service._entitlements = Noting()
    service.open_title("film", VIEWER, LAPTOP)
    assert asked == [VIEWER]


def test_an_earlier_version_opens_whole_while_a_new_one_encodes() -> None:
    title = make_title("film", status=Status.READY, playback=make_playback("old", complete=True))
    assert opener(title, new=Progress()).open_title("film", VIEWER, LAPTOP).percent == 100.0


@pytest.mark.parametrize("status", [Status.ANNOUNCED, Status.ENCODING, Status.FAILED, Status.READY])
def test_a_title_without_a_picture_is_not_playable(status: Status) -> None:
    with pytest.raises(NotPlayable, match="film"):
        opener(make_title("film", status=status)).open_title("film", VIEWER, LAPTOP)


def test_a_failed_title_is_not_playable_though_a_part_of_it_was() -> None:
    with pytest.raises(NotPlayable):
        opener(make_title("film", status=Status.FAILED, playback=make_playback())).open_title("film", VIEWER, LAPTOP)


def test_a_withdrawn_title_is_not_found() -> None:
    with pytest.raises(NotFound):
        opener(make_title("film", status=Status.WITHDRAWN)).open_title("film", VIEWER, LAPTOP)


def test_without_entitlement_nothing_opens_and_no_key_is_made() -> None:
    service = opener(make_title("film", name="Film", playback=make_playback("job", complete=True)), entitled=False)
    service._keys = None  # type: ignore[assignment]
    with pytest.raises(EntitlementRequired, match="Film"):
        service.open_title("film", VIEWER, LAPTOP)


def test_a_session_that_reaches_a_log_shows_neither_key_nor_ticket() -> None:
    session = opener(make_title("film", playback=make_playback("job", complete=True))).open_title(
        "film", VIEWER, LAPTOP
    )
    shown = f"{session!r} {session}"
    assert "sig=" not in shown and "ticket-of" not in shown and session.hls_ticket_url.split("/")[1] not in shown


def test_a_title_opens_where_its_viewer_stopped() -> None:
    usage = Usage(resume_s=42.0)
    session = opener(make_title("film", playback=make_playback("job", complete=True)), usage=usage).open_title(
        "film", VIEWER, LAPTOP, ticket="ticket before"
    )
    assert (session.resume_s, session.usage_ticket) == (42.0, "ticket-of-film")
    assert usage.opened == [(VIEWER.user_id, "film", 120.0, "ticket before")]


def test_who_is_not_entitled_leaves_no_trace_in_usage() -> None:
    usage = Usage()
    with pytest.raises(EntitlementRequired):
        opener(make_title("film", playback=make_playback()), entitled=False, usage=usage).open_title(
            "film", VIEWER, LAPTOP
        )
    assert usage.opened == []


@pytest.mark.parametrize(
    ("now", "ends"),
    [("12:00:00", "14:00:00"), ("12:00:01", "14:00:00"), ("12:59:59", "14:00:00"), ("13:00:00", "15:00:00")],
)
def test_a_key_ends_with_the_bucket_after_its_own(now: str, ends: str) -> None:
    at = datetime.fromisoformat(f"2026-11-24T{now}+00:00")
    assert expiry_of(at, timedelta(minutes=60)) == datetime.fromisoformat(f"2026-11-24T{ends}+00:00")


@pytest.mark.parametrize("minute", [0, 3, 7, 8, 14, 22.5, 59.9])
def test_a_key_lives_for_a_quarter_of_an_hour_at_most_and_half_of_that_at_least(minute: float) -> None:
    with BlobServiceClient.from_connection_string(CONNECTION) as service:
        keys = SasKeys(Signer(service), minutes=Settings(storage="", mongo_url="").playback_sas_minutes)
        now = NOON + timedelta(minutes=minute)
        life = keys.expires_at(now) - now
        assert timedelta(minutes=7.5) <= life <= timedelta(minutes=15)


def test_keys_of_one_bucket_are_equal_and_only_read_one_container() -> None:
    with BlobServiceClient.from_connection_string(CONNECTION) as service:
        keys = SasKeys(Signer(service), minutes=120)
        ends = keys.expires_at(NOON)
        assert ends == keys.expires_at(NOON + timedelta(minutes=59)) < keys.expires_at(NOON + timedelta(minutes=60))
        first = keys.read_key("title-film", ends, stream_id="mine")
        assert first == keys.read_key("title-film", ends, stream_id="mine")
        assert first.sas != keys.read_key("title-other", ends, stream_id="mine").sas
        query = parse_qs(first.sas)
        assert (query["sp"], query["sr"], query["se"]) == (["r"], ["c"], ["2026-11-24T14:00:00Z"])
        assert keys.url("title-film/job") == "http://127.0.0.1:10000/films/title-film/job"
        assert "sig" not in repr(first) and first.sas not in repr(first)


def test_films_are_read_by_the_front_before_storage_if_there_is_one() -> None:
    with BlobServiceClient.from_connection_string(CONNECTION) as service:
        keys = SasKeys(Signer(service), minutes=120, front="https://films.azurefd.net/blobs/")
        assert keys.url("title-film/job") == "https://films.azurefd.net/blobs/title-film/job"
        uploads = BlobUploads(service, Signer(service), front="https://films.azurefd.net/blobs")
        address = uploads.write_address("a film.mkv", until=NOON)
        assert address.startswith("https://films.azurefd.net/blobs/uploads/a%20film.mkv?")


class Delegating:
    """A blob service that is accessed by identity."""

    account_name = "films"
    url = "https://films.blob.core.windows.net/"
    credential = None

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, datetime]] = []

    def get_user_delegation_key(self, begins: datetime, ends: datetime) -> UserDelegationKey:
        self.asked.append((begins, ends))
        key: Any = UserDelegationKey()  # type: ignore[no-untyped-call]
        key.signed_oid = key.signed_tid = "00000000-0000-0000-0000-000000000000"
        key.signed_start, key.signed_expiry = f"{begins:%Y-%m-%dT%H:%M:%SZ}", f"{ends:%Y-%m-%dT%H:%M:%SZ}"
        key.signed_service, key.signed_version, key.value = "b", "2025-01-05", "a2V5"
        made: UserDelegationKey = key
        return made


def test_without_an_account_key_a_delegation_key_signs_and_is_asked_for_once_a_bucket() -> None:
    service: Any = Delegating()
    keys = SasKeys(Signer(service), minutes=120)
    ends = keys.expires_at(NOON)
    first = keys.read_key("title-film", ends, stream_id="mine")
    assert first == keys.read_key("title-film", keys.expires_at(NOON + timedelta(minutes=5)), stream_id="mine")
    assert parse_qs(first.sas)["spr"] == ["https"] and "skoid" in parse_qs(first.sas)
    keys.read_key("title-film", ends, stream_id="another")
    assert service.asked == [(datetime(2026, 11, 24, 11, 45, tzinfo=UTC), datetime(2026, 11, 24, 14, tzinfo=UTC))]


def test_a_key_of_the_identity_names_its_stream_unless_a_cdn_has_to_share_it() -> None:
    service: Any = Delegating()
    ends = NOON + timedelta(hours=1)

    def sas(stream_id: str, front: str = "") -> dict[str, list[str]]:
        keys = SasKeys(Signer(service), minutes=120, front=front)
        return parse_qs(keys.read_key("title-film", ends, stream_id=stream_id).sas)

    mine, other = sas("mine"), sas("other")
    assert mine["scid"] == [str(correlation_of("mine"))] != other["scid"] and mine["sig"] != other["sig"]
    shared = sas("mine", "https://films.azurefd.net/blobs")
    assert shared == sas("other", "https://films.azurefd.net/blobs") and "scid" not in shared


@pytest.fixture
def playing(monkeypatch: pytest.MonkeyPatch) -> MemoryStreams:
    """Connect the functions to a catalogue with one playable and one announced film; return the store of streams."""
    titles = (
        make_title("film", name="Ringfall", playback=make_playback("job", complete=True)),
        make_title("other", name="Nine Waves", playback=make_playback("job", complete=True)),
        make_title("soon", status=Status.ANNOUNCED),
    )
    store = MemoryStreams(Clock())
    streams = make_streams(store)
    positions: Any = None
    parts = PlaybackParts(opener(*titles, streams=streams), make_playlists(streams=streams), streams, positions)
    monkeypatch.setattr(bootstrap, "playback", lambda: parts)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setenv("AzureWebJobsStorage", CONNECTION)
    monkeypatch.setenv("MONGO_URL", "mongodb://unused")
    return store


def ask_to_play(title_id: str, body: object = None, headers: dict[str, str] = AS_VIEWER) -> tuple[int, Any]:
    return call(
        triggers.open_playback, f"titles/{title_id}/playback", route={"id": title_id}, headers=headers, body=body
    )


@pytest.mark.usefixtures("playing")
def test_the_function_answers_as_documented() -> None:
    assert ask_to_play("film", headers={})[0] == 401
    status, body = ask_to_play("film")
    assert (status, body["expires_at"]) == (200, "2026-11-24T13:00:00Z")
    status, body = ask_to_play("soon")
    assert (status, body["error"]) == (409, "not_playable")
    assert ask_to_play("x")[0] == 404
    assert ask_to_play("film", {"usage_ticket": 7})[0] == 422
    assert ask_to_play("film", {"stream_ticket": 7})[0] == 422


def test_an_account_sees_where_it_watches_and_stops_a_device(playing: MemoryStreams) -> None:
    as_viewer = {**AS_VIEWER, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    ticket = ask_to_play("film", headers=as_viewer)[1]["stream_ticket"]
    other = ask_to_play("other", headers=as_viewer)[1]["stream_ticket"]
    status, listed = call(triggers.list_streams, "streams", headers=AS_VIEWER)
    assert status == 200 and listed["limit"] == 3
    shown = [(one["title"], one["device"], one["here"]) for one in listed["streams"]]
    assert sorted(shown) == [("Nine Waves", "Firefox on Linux", True), ("Ringfall", "Firefox on Linux", True)]
    assert "session" not in repr(listed)
    (film,) = (one["stream_id"] for one in listed["streams"] if one["title"] == "Ringfall")

    def stop(stream_id: str, headers: dict[str, str] = as_viewer) -> int:
        return call(triggers.stop_stream, f"streams/{stream_id}", route={"id": stream_id}, headers=headers)[0]

    assert stop(film, AS_ADMINISTRATOR) == 404  # another account
    assert stop(film) == 204
    assert stop(film) == 404
    status, body = ask_to_play("film", {"stream_ticket": ticket})
    assert (status, body["error"]) == (409, "stream_stopped") and "Firefox on Linux" in body["detail"]
    assert call(triggers.leave_stream, "streams/left", body={"stream_ticket": other})[0] == 204
    assert call(triggers.leave_stream, "streams/left", body={"stream_ticket": "forged"})[0] == 401
    assert playing.streams_of(VIEWER_OF_SESSION.user_id) == []


def test_more_streams_than_allowed_are_refused_with_who_watches_where(playing: MemoryStreams) -> None:
    for device in (LAPTOP, PHONE, TELEVISION):
        request = StreamRequest(device.name, device, "film", "Ringfall")
        playing.open_stream(VIEWER_OF_SESSION.user_id, request, limit=3, lifetime=LIFETIME)
    status, body = ask_to_play("film")
    assert (status, body["error"]) == (409, "too_many_streams")
    for device in (LAPTOP, PHONE, TELEVISION):
        assert f"Ringfall on {device.name}, since 12:00 UTC" in body["detail"]
    assert ask_to_play("film", headers=AS_ADMINISTRATOR)[0] == 200  # another account
