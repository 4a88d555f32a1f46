"""Episodes are compared once they are ready, again whenever their season changes, and never at the cost of a film."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.catalogue.model import PartKind, SkippablePart, Status
from functions.encoding.intros.fingerprint import EpisodeSound, Fingerprint
from functions.encoding.intros.service import AGAIN_AFTER
from functions.encoding.model import EncodeJob, JobStatus
from functions.platform.errors import EncodeFault, StoreUnavailable
from functions.platform.film_keys import FilmKeyMissing
from functions.platform.messages import FindIntros
from tests.support.catalogue import make_playback
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_world import EncodeWorld
from tests.support.intro_world import IntroParts
from tests.unit.encoding.intros.test_comparison import TUNE, sound


class Sounds:
    """Reads the sound of jobs: an intro at 10 s, in a story of their own; or raises a trouble."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.troubles: dict[str, Exception] = {}

    def sound_of(self, job: EncodeJob) -> EpisodeSound:
        self.read.append(job.id)
        if trouble := self.troubles.get(job.id):
            raise trouble
        seed = int(job.id, 16)
        points = sound(seed, 10) + TUNE + sound(seed + 1, 60)
        return EpisodeSound(1200.0, Fingerprint(0.0, points), Fingerprint(900.0, sound(seed + 2, 60)))


class Season(EncodeWorld):
    """Episodes that are ready; `add` makes another one."""

    def __init__(self, *, limit_usd: int = 0) -> None:
        super().__init__(limit_usd=limit_usd)
        self.sounds = Sounds()
        self.intros = IntroParts(self, self.sounds)

    def add(self, number: int, *, season: int = 1, job_id: str = "", series: str = "Harbour") -> str:
        """Make an episode ready, and return the id of its title."""
        title_id = f"{series.lower()}-{season}-{number}-1a2b3c"
        job_id = job_id or f"{season:06x}{number:06x}"
        stem = f"{series} S{season:02d}E{number:02d}" if number else series
        self.world.catalogue.open_title(title_id, stem=stem, status=Status.ENCODING)
        job = make_job(job_id, title_id=title_id, plan=make_plan(), status=JobStatus.READY)
        self.jobs.put_job(job)
        self.jobs.intros_dues[job_id] = self.clock()
        self.world.catalogue.mark_playable(title_id, make_playback(job_id), complete=True)
        return title_id

    def parts(self, title_id: str) -> tuple[SkippablePart, ...]:
        playback = self.world.catalogue.get(title_id).playback
        assert playback
        return playback.skippable


@pytest.fixture
def season() -> Season:
    return Season()


def test_both_episodes_get_their_intro_once_the_second_is_ready(season: Season) -> None:
    first = season.add(1)
    assert season.intros.run() == []
    second = season.add(2)
    assert season.intros.run() == ["000001000001", "000001000002"]
    for title_id in (first, second):
        (part,) = season.parts(title_id)
        assert part.kind is PartKind.INTRO
        assert [part.start_s, part.end_s] == pytest.approx([10, 50], abs=1.2)
    season.clock.forward(seconds=AGAIN_AFTER.total_seconds())
    assert season.intros.run() == [], "they were compared"


def test_films_and_episodes_of_other_seasons_are_not_compared(season: Season) -> None:
    season.add(1)
    season.add(1, season=2)
    season.add(1, series="Lighthouse")
    season.add(0, series="Storm")
    assert season.intros.run() == []
    assert season.sounds.read == []


def test_a_title_that_becomes_an_episode_later_is_compared_then(season: Season) -> None:
    season.add(1)
    other = season.add(0, series="Storm")
    assert season.intros.run() == []
    title = season.world.catalogue.get(other)
    details = replace(title.details, series="Harbour", season=1, episode=2)
    assert season.world.titles.save(replace(title, details=details, revision=title.revision + 1), over=title.revision)
    assert season.intros.run() == []
    season.clock.forward(seconds=AGAIN_AFTER.total_seconds())
    assert len(season.intros.run()) == 2
    assert season.parts(other)


def test_a_new_encode_begins_without_parts_and_is_compared_again(season: Season) -> None:
    first, second = season.add(1), season.add(2)
    season.intros.run()
    season.add(2, job_id="0000010000ff")
    assert season.parts(second) == ()
    assert season.parts(first) != ()
    assert sorted(season.intros.run()) == ["000001000001", "0000010000ff"]
    assert season.parts(second) != ()
    season.clock.forward(seconds=AGAIN_AFTER.total_seconds())
    assert season.intros.run() == []
    assert season.jobs.intros_dues["000001000002"] is None, "nothing plays the files of the job that was replaced"


def test_the_same_job_published_again_keeps_its_parts(season: Season) -> None:
    first = season.add(1)
    season.add(2)
    season.intros.run()
    found = season.parts(first)
    season.world.catalogue.mark_playable(first, make_playback("000001000001"), complete=True)
    assert season.parts(first) == found != ()


def test_a_message_twice_or_late_changes_nothing(season: Season) -> None:
    first = season.add(1)
    season.add(2)
    season.intros.run()
    read = len(season.sounds.read)
    season.intros.pipeline.run(FindIntros("000001000001"))
    season.intros.pipeline.run(FindIntros("ffffffffffff"))
    assert len(season.sounds.read) == read
    season.world.catalogue.withdraw_title(first)
    season.intros.pipeline.run(FindIntros("000001000001"))
    season.intros.pipeline.run(FindIntros("000001000002"))
    assert len(season.sounds.read) == read


def test_a_lost_message_is_sent_again_later(season: Season) -> None:
    season.add(1)
    season.add(2)
    assert season.intros.service.request_due() == 2
    season.queues.sent.clear()
    assert season.intros.service.request_due() == 0
    season.clock.forward(seconds=AGAIN_AFTER.total_seconds())
    assert len(season.intros.run()) == 2


def test_a_title_withdrawn_during_the_comparison_stays_withdrawn(season: Season) -> None:
    first, second = season.add(1), season.add(2)
    season.intros.service.request_due()
    reading = season.sounds.sound_of

    def withdraw(job: EncodeJob) -> EpisodeSound:
        season.world.catalogue.withdraw_title(first)
        return reading(job)

    season.sounds.sound_of = withdraw  # type: ignore[method-assign]
    season.intros.pipeline.run(FindIntros("000001000001"))
    title = season.world.catalogue.find_title(first)
    assert title
    assert (title.status, title.playback) == (Status.WITHDRAWN, None)
    assert season.parts(second) == ()


def test_nothing_is_requested_while_a_film_is_encoded_or_messages_wait(season: Season) -> None:
    season.add(1)
    season.add(2)
    season.queues.waiting = {FindIntros.QUEUE}
    assert season.intros.service.request_due() == 0
    season.queues.waiting = set()
    season.planned()
    assert season.intros.service.request_due() == 0
    assert season.jobs.intros_dues["000001000001"] == season.jobs.intros_dues["000001000002"]


def test_never_means_never(season: Season) -> None:
    season.add(1)
    season.add(2)
    off = IntroParts(season, season.sounds, enabled=False)
    assert off.run() == []
    off.pipeline.run(FindIntros("000001000001"))
    assert season.sounds.read == []


@pytest.mark.parametrize("trouble", [EncodeFault("It cannot be read."), FilmKeyMissing("Its key is lost.")])
def test_an_episode_that_cannot_be_read_does_not_hinder_the_others(season: Season, trouble: Exception) -> None:
    titles = [season.add(number) for number in (1, 2, 3)]
    season.sounds.troubles["000001000002"] = trouble
    season.intros.run()
    assert [bool(season.parts(title_id)) for title_id in titles] == [True, False, True]
    season.sounds.troubles.clear()
    season.clock.forward(seconds=AGAIN_AFTER.total_seconds())
    season.intros.run()
    assert all(season.parts(title_id) for title_id in titles)


def test_an_unavailable_store_is_raised_so_that_the_queue_repeats_the_step(season: Season) -> None:
    season.add(1)
    season.add(2)
    season.sounds.troubles["000001000002"] = StoreUnavailable("Storage does not answer.")
    with pytest.raises(StoreUnavailable):
        season.intros.run()
    assert season.jobs.intros_compared == {}


def test_the_limit_of_the_month_counts_and_stops_comparisons() -> None:
    season = Season(limit_usd=1)
    season.add(1)
    season.add(2)
    season.ticks = 5.0
    assert len(season.intros.run()) == 2
    spent_s = season.budget().this_month().spent_s
    limit_s = season.budget().this_month().limit_s
    assert limit_s
    season.spending.add(season.budget().this_month().month, limit_s - spent_s)
    season.add(3)
    season.sounds.read.clear()
    season.intros.run()
    assert season.sounds.read == []
