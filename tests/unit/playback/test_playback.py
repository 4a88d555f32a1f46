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
from functions.playback.keys import SasKeys, expiry_of
from functions.playback.service import PlaybackService
from functions.uploads.repository import BlobUploads
from tests.support.api import call
from tests.support.catalogue import NOON, World, make_playback, make_title
from tests.support.owners import AS_VIEWER, FakeAccess
from tests.support.playback import Keys, make_playlists

if TYPE_CHECKING:
    from functions.catalogue.model import Title

VIEWER = Viewer("5" * 32, "ada@example.org")
CONNECTION = (
    "DefaultEndpointsProtocol=http;AccountName=films;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/films;"
)


@dataclass
class Progress:
    """The progress of an encode."""

    percent: float = 40.0
    front_s: float = 24.0


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


def opener(*titles: Title, entitled: bool = True, usage: Usage | None = None, **jobs: Progress) -> PlaybackService:
    catalogue = World().with_titles(titles).catalogue
    parts = (catalogue, Encodes(dict(jobs)), Entitlements(entitled), usage or Usage(), Keys())
    return PlaybackService(*parts, make_playlists(), lambda: NOON)


def test_a_ready_title_opens_whole() -> None:
    playback = make_playback(
        "job", complete=True, thumbnails=True, subtitles=(PlayableSubtitles("s0", "en", "English"),)
    )
    session = opener(make_title("film", name="Film", playback=playback)).open_title("film", VIEWER)
    assert (session.status, session.front_s, session.percent, session.resume_s) == ("ready", 120.0, 100.0, 0.0)
    assert session.manifest_url == "http://blobs/title-film/job/manifest.mpd"
    assert session.hls_url == "http://blobs/title-film/job/master.m3u8"
    assert session.thumbnails_url == "http://blobs/title-film/job/thumbnails.vtt"
    assert [track.url for track in session.subtitles] == ["http://blobs/title-film/job/s0.vtt"]
    assert session.sas == "sig=title-film&at=1200"


def test_a_title_that_still_encodes_opens_as_far_as_it_is() -> None:
    title = make_title("film", status=Status.ENCODING, playback=make_playback("job"))
    session = opener(title, job=Progress()).open_title("film", VIEWER)
    assert (session.status, session.front_s, session.percent) == ("encoding", 24.0, 40.0)


def test_an_earlier_version_opens_whole_while_a_new_one_encodes() -> None:
    title = make_title("film", status=Status.READY, playback=make_playback("old", complete=True))
    assert opener(title, new=Progress()).open_title("film", VIEWER).percent == 100.0


@pytest.mark.parametrize("status", [Status.ANNOUNCED, Status.ENCODING, Status.FAILED, Status.READY])
def test_a_title_without_a_picture_is_not_playable(status: Status) -> None:
    with pytest.raises(NotPlayable, match="film"):
        opener(make_title("film", status=status)).open_title("film", VIEWER)


def test_a_failed_title_is_not_playable_though_a_part_of_it_was() -> None:
    with pytest.raises(NotPlayable):
        opener(make_title("film", status=Status.FAILED, playback=make_playback())).open_title("film", VIEWER)


def test_a_withdrawn_title_is_not_found() -> None:
    with pytest.raises(NotFound):
        opener(make_title("film", status=Status.WITHDRAWN)).open_title("film", VIEWER)


def test_without_entitlement_nothing_opens_and_no_key_is_made() -> None:
    service = opener(make_title("film", name="Film", playback=make_playback("job", complete=True)), entitled=False)
    service._keys = None  # type: ignore[assignment]
    with pytest.raises(EntitlementRequired, match="Film"):
        service.open_title("film", VIEWER)


def test_a_session_that_reaches_a_log_shows_neither_key_nor_ticket() -> None:
    session = opener(make_title("film", playback=make_playback("job", complete=True))).open_title("film", VIEWER)
    shown = f"{session!r} {session}"
    assert "sig=" not in shown and "ticket-of" not in shown and session.hls_ticket_url.split("/")[1] not in shown


def test_a_title_opens_where_its_viewer_stopped() -> None:
    usage = Usage(resume_s=42.0)
    session = opener(make_title("film", playback=make_playback("job", complete=True)), usage=usage).open_title(
        "film", VIEWER, "ticket before"
    )
    assert (session.resume_s, session.usage_ticket) == (42.0, "ticket-of-film")
    assert usage.opened == [(VIEWER.user_id, "film", 120.0, "ticket before")]


def test_who_is_not_entitled_leaves_no_trace_in_usage() -> None:
    usage = Usage()
    with pytest.raises(EntitlementRequired):
        opener(make_title("film", playback=make_playback()), entitled=False, usage=usage).open_title("film", VIEWER)
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
        life = keys.read_key("title-film", now).expires_at - now
        assert timedelta(minutes=7.5) <= life <= timedelta(minutes=15)


def test_keys_of_one_bucket_are_equal_and_only_read_one_container() -> None:
    with BlobServiceClient.from_connection_string(CONNECTION) as service:
        keys = SasKeys(Signer(service), minutes=120)
        first = keys.read_key("title-film", NOON)
        assert first == keys.read_key("title-film", NOON + timedelta(minutes=59))
        assert first != keys.read_key("title-film", NOON + timedelta(minutes=60))
        assert first.sas != keys.read_key("title-other", NOON).sas
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
    first = keys.read_key("title-film", NOON)
    assert first == keys.read_key("title-film", NOON + timedelta(minutes=5))
    assert parse_qs(first.sas)["spr"] == ["https"] and "skoid" in parse_qs(first.sas)
    assert service.asked == [(datetime(2026, 11, 24, 11, 45, tzinfo=UTC), datetime(2026, 11, 24, 14, tzinfo=UTC))]


def test_the_function_answers_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    title = make_title("film", playback=make_playback("job", complete=True))
    service = opener(title, make_title("soon", status=Status.ANNOUNCED))
    monkeypatch.setattr(bootstrap, "playback", lambda: PlaybackParts(service, make_playlists()))
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    assert call(triggers.open_playback, "titles/film/playback", route={"id": "film"})[0] == 401
    session = AS_VIEWER
    status, body = call(triggers.open_playback, "titles/film/playback", route={"id": "film"}, headers=session)
    assert (status, body["expires_at"]) == (200, "2026-11-24T13:00:00Z")
    status, body = call(triggers.open_playback, "titles/soon/playback", route={"id": "soon"}, headers=session)
    assert (status, body["error"]) == (409, "not_playable")
    assert call(triggers.open_playback, "titles/x/playback", route={"id": "x"}, headers=session)[0] == 404
    odd: dict[str, Any] = {"route": {"id": "film"}, "headers": session, "body": {"usage_ticket": 7}}
    assert call(triggers.open_playback, "titles/film/playback", **odd)[0] == 422
