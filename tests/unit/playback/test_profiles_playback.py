"""Opening a title in a profile: its age limit, its viewing, and the streams that it shares with the account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.platform.errors import AgeLimited
from tests.support.catalogue import make_playback, make_title
from tests.support.playback import LAPTOP, PHONE, make_streams
from tests.unit.playback.test_playback import VIEWER, Usage, opener


@pytest.mark.parametrize(("rated", "limit"), [("PG-13", 12), ("R", 16), (None, 16), ("Unrated", 16)])
def test_a_profile_cannot_open_a_title_for_older_people(rated: str | None, limit: int) -> None:
    usage, streams = Usage(), make_streams()
    film = make_title("film", rated=rated, playback=make_playback(complete=True))
    service, kid = opener(film, usage=usage, streams=streams), replace(VIEWER, profile_id="7" * 32, age_limit=limit)
    with pytest.raises(AgeLimited) as refused:
        service.open_title("film", kid, LAPTOP)
    assert (refused.value.status, refused.value.code) == (403, "age_limited")
    with pytest.raises(AgeLimited):
        service.open_title("film", kid, LAPTOP, download=True)
    with pytest.raises(AgeLimited):
        service.licence_of("film", kid)
    assert usage.opened == [] and streams.list_streams(VIEWER.user_id) == []
    assert service.open_title("film", replace(kid, age_limit=None), LAPTOP)


def test_a_profile_has_its_own_viewing_and_shares_the_streams_of_the_account() -> None:
    usage, streams = Usage(), make_streams()
    film = make_title("film", rated="PG", playback=make_playback(complete=True))
    kid = replace(VIEWER, profile_id="7" * 32, age_limit=9)
    service = opener(film, usage=usage, streams=streams)
    service.open_title("film", kid, LAPTOP)
    service.open_title("film", VIEWER, PHONE)
    assert [user_id for user_id, *_ in usage.opened] == ["7" * 32, VIEWER.user_id]
    assert len(streams.list_streams(VIEWER.user_id)) == 2 and streams.list_streams("7" * 32) == []
