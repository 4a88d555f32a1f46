"""An owner chooses the film of a title and its poster; later refreshes keep both."""

from __future__ import annotations

import pytest

from functions.catalogue.model import Details, Status
from functions.catalogue.omdb import Found, Miss, Missed
from functions.catalogue.posters import PosterRefused
from functions.catalogue.sidecar import Sidecars, read_description
from functions.platform.errors import NotFound, StoreUnavailable
from tests.support.catalogue import World, make_picture

TITLE, STEM, CHOSEN = "sea-1a2b3c", "The.Sea.1999", "tt0000002"
POSTER = "https://m.media-amazon.com/p.jpg"
RIGHT = Found(Details("The Sea", 2010, plot="Waves.", imdb_id=CHOSEN), POSTER)
WRONG = Found(Details("The Sea", 1999, plot="A ship.", imdb_id="tt0000001"), None)


@pytest.fixture
def world() -> World:
    made = World()
    made.films.answers = {("The Sea", 1999): WRONG, CHOSEN: RIGHT}
    made.posters.pictures[POSTER] = make_picture(300, 444)
    made.catalogue.open_title(TITLE, stem=STEM, status=Status.ENCODING)
    made.catalogue.refresh_metadata(TITLE, STEM)
    return made


def test_the_chosen_film_describes_and_pictures_the_title(world: World) -> None:
    assert world.catalogue.get(TITLE).details.plot == "A ship."
    title = world.catalogue.rematch_title(TITLE, CHOSEN)
    assert (title.details.plot, title.details.year, title.metadata.matched) == ("Waves.", 2010, True)
    assert title.artwork.poster
    assert world.announced


def test_a_refresh_asks_for_the_chosen_film_whatever_the_file_name_or_a_sidecar_says(world: World) -> None:
    world.catalogue.rematch_title(TITLE, CHOSEN)
    world.sidecars.films[STEM] = Sidecars(read_description(b'{"title": "Old", "plot": "Old."}'))
    world.catalogue.refresh_metadata(TITLE, STEM)
    assert world.films.asked[-1] == CHOSEN
    assert world.catalogue.get(TITLE).details.plot == "Waves."


def test_fields_set_by_hand_stay(world: World) -> None:
    from tests.unit.catalogue.test_service import edit_of

    world.catalogue.edit_title(TITLE, edit_of({"name": "My Sea"}))
    assert world.catalogue.rematch_title(TITLE, CHOSEN).details.name == "My Sea"


def test_a_film_that_omdb_does_not_have_changes_nothing(world: World) -> None:
    before = world.catalogue.get(TITLE)
    with pytest.raises(NotFound, match="OMDb does not know the film"):
        world.catalogue.rematch_title(TITLE, "tt9999999")
    with pytest.raises(NotFound):
        world.catalogue.rematch_title("no-such-title", CHOSEN)
    assert world.catalogue.get(TITLE) == before


def test_omdb_that_does_not_answer_is_told_from_a_film_that_does_not_exist(world: World) -> None:
    world.films.answers[CHOSEN] = Missed(Miss.UNREACHABLE, "OMDb does not answer.")
    with pytest.raises(StoreUnavailable, match="OMDb does not answer"):
        world.catalogue.rematch_title(TITLE, CHOSEN)
    world.films.answers[CHOSEN] = Missed(Miss.QUOTA, "OMDb's limit for today is reached.")
    with pytest.raises(StoreUnavailable, match="limit for today"):
        world.catalogue.rematch_title(TITLE, CHOSEN)


def test_omdbs_poster_takes_the_place_of_an_uploaded_one_and_stays(world: World) -> None:
    world.sidecars.films[STEM] = Sidecars(poster=make_picture(400, 600, colour="green"))
    world.catalogue.rematch_title(TITLE, CHOSEN)
    uploaded = world.catalogue.get(TITLE).artwork.poster
    chosen = world.catalogue.use_omdb_poster(TITLE).artwork.poster
    assert chosen and chosen != uploaded
    world.catalogue.refresh_metadata(TITLE, STEM)
    assert world.catalogue.get(TITLE).artwork.poster == chosen


def test_a_poster_that_cannot_be_had_says_why(world: World) -> None:
    with pytest.raises(NotFound, match="OMDb does not know the film"):
        world.catalogue.use_omdb_poster(TITLE)  # matched with a film that OMDb no longer has
    world.catalogue.rematch_title(TITLE, CHOSEN)
    world.posters.pictures[POSTER] = PosterRefused("The poster did not arrive in time.", passing=True)
    with pytest.raises(StoreUnavailable, match="did not arrive in time"):
        world.catalogue.use_omdb_poster(TITLE)
    world.films.answers[CHOSEN] = Missed(Miss.UNREACHABLE, "OMDb did not answer in time.")
    with pytest.raises(StoreUnavailable, match="OMDb did not answer"):
        world.catalogue.use_omdb_poster(TITLE)


def test_a_title_without_a_match_has_no_poster_at_omdb() -> None:
    world = World()
    world.catalogue.open_title(TITLE, stem=STEM, status=Status.ENCODING)
    with pytest.raises(NotFound, match="Choose its film first"):
        world.catalogue.use_omdb_poster(TITLE)
