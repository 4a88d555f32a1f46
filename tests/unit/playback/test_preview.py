"""An owner sees pictures of a film without being counted as a viewer."""

from __future__ import annotations

from typing import Any

import pytest

from functions import bootstrap
from functions.catalogue.model import Status
from functions.platform.errors import NotFound, NotPlayable
from functions.playback import triggers
from functions.playback.assembly import PlaybackParts
from tests.support.api import call
from tests.support.catalogue import make_playback, make_title
from tests.support.clock import NOON
from tests.support.owners import ADMINISTRATOR as ADMINISTRATOR_OF_SESSION
from tests.support.owners import AS_ADMINISTRATOR, AS_OPERATOR, AS_VIEWER, FakeAccess
from tests.support.playback import LIFETIME, make_playlists, make_streams
from tests.unit.playback.test_playback import Usage, opener

FILM = make_playback("job", complete=True)


def test_preview_is_neither_a_viewing_nor_a_stream() -> None:
    usage, streams = Usage(), make_streams()
    preview = opener(make_title("film", playback=FILM), usage=usage, streams=streams).preview_title("film")
    assert preview.manifest_url == "http://blobs/title-film/job/manifest.mpd"
    assert (preview.sas, preview.expires_at) == ("sig=title-film&at=1200", NOON + LIFETIME)
    assert preview.duration_s == FILM.duration_s
    assert "sig=" not in repr(preview)
    assert usage.opened == []
    assert streams.list_streams(ADMINISTRATOR_OF_SESSION.user_id) == []


def test_owner_sees_the_pictures_of_a_draft() -> None:
    draft = make_title("film", playback=FILM, draft=True)
    assert opener(draft).preview_title("film").sas.startswith("sig=title-film&")


@pytest.mark.parametrize("status", [Status.ANNOUNCED, Status.FAILED])
def test_title_without_a_film_has_no_pictures(status: Status) -> None:
    with pytest.raises(NotPlayable):
        opener(make_title("film", status=status)).preview_title("film")


def test_withdrawn_title_is_not_found() -> None:
    with pytest.raises(NotFound):
        opener(make_title("film", status=Status.WITHDRAWN)).preview_title("film")


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), (AS_VIEWER, 403), (AS_ADMINISTRATOR, 200), (AS_OPERATOR, 200)]
)
def test_only_an_owner_gets_a_preview(monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int) -> None:
    streams = make_streams()
    service = opener(make_title("film", playback=FILM))
    positions: Any = None
    parts = PlaybackParts(service, make_playlists(streams=streams), streams, positions)
    monkeypatch.setattr(bootstrap, "playback", lambda: parts)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    answer = call(triggers.preview_title, "titles/film/preview", route={"id": "film"}, headers=headers)
    assert answer[0] == status
    assert status != 200 or answer[1]["sas"].startswith("sig=")
