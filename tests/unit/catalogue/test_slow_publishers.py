"""A publisher that was suspended in the middle of its work undoes nothing that others have published since."""

from __future__ import annotations

import json

from functions.catalogue.model import Status
from functions.catalogue.publisher import LEASE
from tests.support.catalogue import World, make_playback, make_title

PATH = "catalogue/titles/film.json"


def test_page_of_a_title_that_was_uploaded_again_is_not_removed() -> None:
    world = World().with_titles([make_title("film", playback=make_playback(), stem="film")])
    world.publisher.publish()
    assert PATH in world.site.files
    world.catalogue.withdraw_title("film")
    removals: list[str] = []

    def upload_again(removed: str) -> None:
        removals.append(removed)
        if len(removals) == 1:
            world.clock.now += 2 * LEASE  # so long is the publisher suspended
            world.catalogue.open_title("film", stem="film", status=Status.ENCODING)
            assert world.publisher.publish().complete

    world.site.before_remove = upload_again
    world.publisher.publish()
    assert removals[0] == PATH
    assert json.loads(world.site.files[PATH])["status"] == "encoding"
    assert world.titles.unpublished(limit=9) == []
