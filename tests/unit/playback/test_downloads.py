"""Opening a title in order to download it, and the licence of the download."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.billing.model import Entitlement
from functions.catalogue.model import Status
from functions.platform.errors import EntitlementRequired, NotFound, NotPlayable, TooManyStreams
from functions.playback.licences import GRACE, LONGEST, licence_until
from tests.support.catalogue import make_playback, make_title
from tests.support.clock import NOON
from tests.support.playback import LAPTOP, PHONE, make_streams
from tests.unit.playback.test_playback import VIEWER, Progress, Usage, opener

FILM = make_title("film", playback=make_playback("job", complete=True))


def test_a_download_begins_no_viewing_and_has_a_licence() -> None:
    usage = Usage(resume_s=42.0)
    session = opener(FILM, usage=usage).open_title("film", VIEWER, LAPTOP, download=True)
    assert (session.usage_ticket, session.resume_s, usage.opened) == (None, 0.0, [])
    assert session.licence_until == NOON + LONGEST
    assert opener(FILM).open_title("film", VIEWER, LAPTOP).licence_until is None


def test_a_download_counts_as_a_stream_while_it_has_a_key() -> None:
    service = opener(FILM, streams=make_streams(limit=1))
    service.open_title("film", VIEWER, PHONE, download=True)
    with pytest.raises(TooManyStreams):
        service.open_title("film", VIEWER, LAPTOP, download=True)


def test_a_film_that_still_encodes_is_not_downloaded() -> None:
    title = make_title("film", status=Status.ENCODING, playback=make_playback("job"))
    with pytest.raises(NotPlayable, match="not complete yet"):
        opener(title, job=Progress()).open_title("film", VIEWER, LAPTOP, download=True)


def test_a_licence_is_renewed_while_the_viewer_may_watch_the_title() -> None:
    assert opener(FILM).licence_of("film", VIEWER) == NOON + LONGEST
    with pytest.raises(EntitlementRequired):
        opener(FILM, entitled=False).licence_of("film", VIEWER)
    with pytest.raises(NotFound):
        opener(make_title("film", status=Status.WITHDRAWN)).licence_of("film", VIEWER)


@pytest.mark.parametrize(
    ("ends_in", "lasts"),
    [(None, LONGEST), (timedelta(days=3), timedelta(days=3) + GRACE), (timedelta(days=365), LONGEST)],
)
def test_a_licence_outlives_the_entitlement_by_a_grace_period_and_lasts_a_month_at_most(
    ends_in: timedelta | None, lasts: timedelta
) -> None:
    entitlement = Entitlement(True, "subscription", NOON + ends_in if ends_in else None)
    assert licence_until(entitlement, NOON) == NOON + lasts
