"""The index of what is said in films finds words, is up to date with the titles, and contains no whole sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.catalogue.dialogue import MOST_PLACES, SHARDS, dialogue_of, shard_of
from functions.catalogue.model import PlayableSubtitles, Playback, Status, Title
from functions.catalogue.schemas import CATALOGUE_FORMAT
from functions.platform.errors import StoreUnavailable
from tests.support.catalogue import World, make_playback, make_title

TRACK = """WEBVTT

00:01.500 --> 00:03.000
<i>Rainfall</i> tonight,
they say.

01:00:02.000 --> 01:00:04.000 align:start
Tom &amp; Zoë’s café? [door slams]
"""


def vtt(*cues: tuple[int, str]) -> str:
    """Return WebVTT with these cues, by the second at which each begins."""
    return "WEBVTT\n\n" + "\n".join(
        f"{second // 60:02}:{second % 60:02}.000 --> {second // 60:02}:{second % 60:02}.900\n{text}\n"
        for second, text in cues
    )


def made_playback(job_id: str = "0123456789ab", *names: str, complete: bool = True) -> Playback:
    subtitles = tuple(PlayableSubtitles(name, "en", "English") for name in names or ("t0",))
    return make_playback(job_id, subtitles=subtitles, complete=complete)


def words_of(world: World, title_id: str) -> dict[str, list[int]] | None:
    file = world.site.files.get(f"catalogue/dialogue/{title_id}.json")
    return json.loads(file)["words"] if file else None


def said_in(world: World, word: str) -> list[str]:
    """Return the titles that the shard names for a word."""
    file = world.site.files.get(f"catalogue/dialogue/shards/{shard_of(word)}.json")
    shard: dict[str, Any] = json.loads(file) if file else {"titles": [], "words": {}}
    return [shard["titles"][position] for position in shard["words"].get(word, [])]


def with_film(world: World, title_id: str, track: str, **changes: Any) -> Title:
    """Put a complete title with one subtitle track into a world."""
    title = make_title(title_id, **{"playback": made_playback(), **changes})
    world.with_titles([title])
    world.subtitles.tracks[title_id, "0123456789ab", "t0"] = track
    return title


def change(world: World, title_id: str, **changes: Any) -> None:
    title = world.titles.get(title_id)
    assert title
    assert world.titles.save(
        replace(title, revision=title.revision + 1, published=False, **changes), over=title.revision
    )


def test_words_have_the_second_at_which_they_are_said() -> None:
    assert dialogue_of([TRACK]) == {
        "rainfall": (1,),
        "tonight": (1,),
        "they": (1,),
        "say": (1,),
        "tom": (3602,),
        "zoes": (3602,),
        "cafe": (3602,),
    }


def test_a_frequent_word_has_no_seconds_unless_it_is_rare_in_another_language() -> None:
    german = vtt(*((second, "Die Tür") for second in range(MOST_PLACES + 1)))
    assert dialogue_of([german]) == {"die": (), "tur": ()}
    assert dialogue_of([german, vtt((7, "Die another day"))])["die"] == (7,)


@pytest.mark.parametrize("text", ["", "WEBVTT", "00:01.000 --> ", "x --> y\nHello", "\0\n\n-->", "00:61.000\nHello"])
def test_damaged_subtitles_have_no_words(text: str) -> None:
    assert dialogue_of([text]) == {}


def test_words_that_begin_alike_share_a_shard() -> None:
    assert shard_of("rain") == shard_of("rainfall") == 47  # as in tests/unit/web/dialogue.test.mjs


def test_what_is_said_is_published_with_the_title() -> None:
    world = World()
    with_film(world, "storm", vtt((5, "Rainfall!"), (9, "Rain again")))
    with_film(world, "desert", vtt((3, "No rain here")))
    world.publisher.publish()
    assert words_of(world, "storm") == {"again": [9], "rain": [9], "rainfall": [5]}
    assert (said_in(world, "rain"), said_in(world, "rainfall")) == (["desert", "storm"], ["storm"])


def test_every_shard_exists_once_there_is_dialogue_so_that_no_browser_asks_in_vain() -> None:
    world = World()
    with_film(world, "storm", vtt((5, "Rainfall")))
    world.publisher.publish()
    assert sum(path.startswith("catalogue/dialogue/shards/") for path in world.site.files) == SHARDS
    assert json.loads(world.site.files["catalogue/index.json"])["dialogue"] is True
    silent = World().with_titles([make_title("silent", playback=make_playback(complete=True))])
    silent.publisher.publish()
    assert json.loads(silent.site.files["catalogue/index.json"])["dialogue"] is False
    assert not [path for path in silent.site.files if path.startswith("catalogue/dialogue/")]


def test_only_changed_subtitles_are_read_again() -> None:
    world = World()
    with_film(world, "storm", vtt((5, "Rainfall")))
    world.publisher.publish()
    change(world, "storm", failure="x")
    world.subtitles.tracks.clear()
    world.publisher.publish()
    assert words_of(world, "storm") == {"rainfall": [5]}
    world.subtitles.tracks["storm", "fedcba987654", "t0"] = vtt((6, "Sunshine"))
    change(world, "storm", playback=made_playback("fedcba987654"))
    world.publisher.publish()
    assert words_of(world, "storm") == {"sunshine": [6]}
    assert (said_in(world, "rainfall"), said_in(world, "sunshine")) == ([], ["storm"])


@pytest.mark.parametrize("changes", [{"status": Status.WITHDRAWN, "playback": None}, {"draft": True}])
def test_a_title_that_nobody_may_see_says_nothing(changes: dict[str, Any]) -> None:
    world = World()
    with_film(world, "storm", vtt((5, "Rainfall")))
    world.publisher.publish()
    change(world, "storm", **changes)
    world.publisher.publish()
    assert words_of(world, "storm") is None
    assert said_in(world, "rainfall") == []


def test_a_title_that_is_encoded_keeps_its_words_until_it_is_complete() -> None:
    world = World()
    with_film(world, "storm", vtt((5, "Rainfall")))
    with_film(world, "new", vtt((5, "Rainfall")), status=Status.ENCODING, playback=made_playback(complete=False))
    world.publisher.publish()
    change(world, "storm", status=Status.ENCODING, playback=made_playback("fedcba987654", complete=False))
    world.publisher.publish()
    assert said_in(world, "rainfall") == ["storm"]
    assert words_of(world, "new") is None


def test_a_title_that_is_withdrawn_while_it_is_indexed_says_nothing() -> None:
    world = World()
    with_film(world, "storm", vtt((5, "Rainfall")))

    def withdraw() -> None:
        world.subtitles.before_reading = lambda: None
        change(world, "storm", status=Status.WITHDRAWN, playback=None)

    world.subtitles.before_reading = withdraw
    world.publisher.publish()
    assert words_of(world, "storm") is None
    assert said_in(world, "rainfall") == []


def test_a_concurrent_change_of_a_shard_is_not_lost() -> None:
    world, other = World(), World()
    other.titles, other.site, other.subtitles = world.titles, world.site, world.subtitles
    with_film(world, "storm", vtt((5, "Rainfall")))
    shard = f"catalogue/dialogue/shards/{shard_of('rainfall')}.json"

    def come_in(path: str) -> None:
        if path == shard:
            world.site.before_write = lambda path: None
            with_film(world, "flood", vtt((8, "Rainfall")))
            other.publisher_of(CATALOGUE_FORMAT).publish()

    world.site.before_write = come_in
    world.publisher.publish()
    assert said_in(world, "rainfall") == ["flood", "storm"]


def test_while_storage_is_away_a_title_stays_unpublished() -> None:
    world = World()
    with_film(world, "storm", vtt((5, "Rainfall")))

    def away() -> None:
        world.subtitles.before_reading = lambda: None
        raise StoreUnavailable("Storage does not answer.")

    world.subtitles.before_reading = away
    with pytest.raises(StoreUnavailable):
        world.publisher.publish()
    world.publisher.publish()
    assert words_of(world, "storm") == {"rainfall": [5]}


def test_a_film_does_not_publish_the_seconds_of_its_frequent_words() -> None:
    lines = ("I know that you are here", "and the rain is not", "what the people want to see", "in this old house")
    world = World()
    with_film(world, "long", vtt(*((3 * n, lines[n % 4]) for n in range(1200))))
    world.publisher.publish()
    words = words_of(world, "long")
    assert words and set(words) == {word for line in lines for word in line.lower().split() if len(word) > 1}
    assert not any(words.values())


def test_text_that_is_no_dialogue_costs_no_time() -> None:
    """If the search for markup took quadratic time, this would take hours."""
    assert dialogue_of([vtt((1, "[" * 1_000_000), (2, "rain " + "[<" * 2_000))]) == {"rain": (2,)}
