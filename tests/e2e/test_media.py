"""Every kind of source film is encoded completely: each frame once and in order, with audio; other files are rejected.

All files are uploaded at once; the tests then check each of them. Every frame contains its number as an image, and the
tests read this number back from the published segments of every rung.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cases import always
from tests.support.damage import BAD_UPLOADS
from tests.support.films import FILMS, QUICK
from tests.support.media import make_film
from tests.support.published import Published
from tests.support.uploads import Sent, Storefront

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.media import Film, Sound
    from tests.support.product import Product

TAGS = {"": "und", "eng": "en", "ger": "de", "fre": "fr", "spa": "es", "por": "pt"}
AAC_FRAME_SAMPLES = 1024
ENCODE_WITHIN_S = 900

type Result = tuple[dict[str, Any], Sent, Storefront]


@pytest.fixture(scope="module")
def results(product: Product, in_full: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Result]]:
    """Upload the valid and invalid files; return the finished job of each case."""
    storefront = Storefront(product.endpoints)
    sent = {}
    for number, (case, film) in enumerate(FILMS.items()):
        if case not in QUICK and not in_full:
            continue
        path = make_film(film, tmp_path_factory.mktemp("film"))
        sent[case] = storefront.send(f"matrix film {number}{path.suffix}", path)
        path.unlink()
    for number, (case, (make, _)) in enumerate(BAD_UPLOADS.items()):
        folder = tmp_path_factory.mktemp("bad")
        path = folder / "upload.mp4"
        path.write_bytes(make(folder))
        sent[case] = storefront.send(f"matrix bad {number}.mp4", path)
    jobs = storefront.ended(sent.values(), within_s=ENCODE_WITHIN_S)
    yield {case: (jobs[upload.blob], upload, storefront) for case, upload in sent.items()}
    storefront.close()


@pytest.fixture(scope="module", params=always(QUICK, FILMS))
def case(request: pytest.FixtureRequest) -> str:
    """Return the name of one film of the test matrix; each test runs with every film."""
    return str(request.param)


@pytest.fixture(scope="module")
def film(case: str) -> Film:
    """Return the description of the source film."""
    return FILMS[case]


@pytest.fixture(scope="module")
def published(case: str, results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Return the published title of the film."""
    job, sent, storefront = results[case]
    assert job["status"] == "ready", job["reason"]
    return Published(storefront.fetch(sent, tmp_path_factory.mktemp("published")))


def test_manifest_and_segments_agree(published: Published) -> None:
    assert published.mpd.get("type") == "static"
    assert published.faults() == []


def test_each_frame_appears_once_and_in_its_place_on_every_rung(published: Published, film: Film) -> None:
    rungs = published.of("video")
    assert rungs
    for rung in rungs:
        length = Fraction(sum(duration for _, duration in rung.spans), rung.timescale)
        assert (length * rung.rate).denominator == 1, "the duration of the video is not a whole number of frames"
        numbers = published.numbers(rung.name)
        assert numbers == film.shown_on(rung.rate, int(length * rung.rate))
        if film.keep[0] == 1:
            assert rung.rate == film.rate
            assert numbers == list(range(film.frames))
        else:
            assert set(numbers) == {n for n in range(film.frames) if n % film.keep[0] in film.keep[1]}


def test_picture_keeps_its_shape(published: Published, film: Film) -> None:
    shape = Fraction(film.width, film.height) * Fraction(film.sar)
    for rung in published.of("video"):
        assert rung.width % 2 == rung.height % 2 == 0
        assert abs(rung.width - rung.height * shape) <= 1 + shape, f"{rung.width}x{rung.height} for {float(shape):.3f}"


def published_sounds(film: Film) -> list[Sound]:
    """Return the sounds of the published tracks: all in stereo, then those with 5.1 once more."""
    return [*film.sounds, *(sound for sound in film.sounds if sound.channels == 6)]


def test_every_audio_track_exists_in_its_language(published: Published, film: Film) -> None:
    expected = [TAGS[sound.language] for sound in published_sounds(film)]
    assert [track.language for track in published.of("audio")] == expected


def test_audio_has_the_length_of_the_film_and_is_in_sync(published: Published, film: Film, case: str) -> None:
    # In AVI, the audio is delayed by its encoder, and the file does not declare the delay.
    delay_s = 0.0231 if case == "avi" else 0.0
    for track, sound in zip(published.of("audio"), published_sounds(film), strict=True):
        decoded = published.decode_audio(track.name)
        assert decoded.sample_rate == sound.sample_rate
        # The last AAC frame is padded with silence, both in an AAC source and by our encoder.
        assert 0 <= decoded.samples - film.seconds * decoded.sample_rate < 2 * AAC_FRAME_SAMPLES
        if sound.silent:
            assert decoded.tones_s == ()
            continue
        seconds = [round(at - delay_s) for at in decoded.tones_s]
        assert seconds == list(range(-int(-film.seconds // 1))), "a tone is missing, or there is an extra one"
        assert all(abs(at - delay_s - second) < 0.002 for at, second in zip(decoded.tones_s, seconds, strict=True))
        assert decoded.pitch_hz == pytest.approx(sound.pitch_hz, rel=0.02)


def test_subtitles_are_text_at_their_times(published: Published, film: Film) -> None:
    texts = sorted(published.folder.glob("t*.vtt"))
    texts = [path for path in texts if path.name != "thumbnails.vtt"]
    assert len(texts) == len(film.subtitles)
    for path, language in zip(texts, film.subtitles, strict=True):
        cues = re.findall(
            r"^00:00:(\d\d\.\d{3}) --> 00:00:(\d\d\.\d{3})\n(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert [text for _, _, text in cues] == [f"{language} {second}" for second in range(int(film.seconds))]
        assert all(abs(float(start) - second) < 0.02 for second, (start, _, _) in enumerate(cues))


@pytest.mark.parametrize("bad", BAD_UPLOADS)
def test_invalid_upload_is_rejected_with_a_reason_and_kept(results: dict[str, Result], bad: str) -> None:
    job, sent, storefront = results[bad]
    assert job["status"] == "failed"
    assert BAD_UPLOADS[bad][1] in job["reason"]
    assert sent.blob in job["reason"]
    assert storefront.still_there(sent)
