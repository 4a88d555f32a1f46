"""Pictures of a high bitrate are a provisional rendition, which is listed until all others are encoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from functions.encoding.model import JobStatus
from functions.platform.messages import PlanEncode
from tests.support.copied_films import LARGE, LONG, MPD, PROVISIONAL, damage_pictures, front_of
from tests.support.encoder import Encoder
from tests.support.media import make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path


def test_pictures_of_a_high_bitrate_are_shown_until_all_renditions_are_encoded(tmp_path: Path) -> None:
    """The copy leaves the manifest for who begins now, and stays in the one for who began with it."""
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.upload(make_film(LARGE, tmp_path))
    assert front_of(encoder).publish(job_id)
    progress = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.passthrough
    assert re.fullmatch(PROVISIONAL, progress.passthrough)
    listed: dict[str, list[tuple[str, ...]]] = {"manifest.mpd": [], "original.mpd": []}
    for path, text in encoder.media.versions:
        if path.name in listed:
            mpd = ElementTree.fromstring(text)
            kind = mpd.get("type") or ""
            listed[path.name].append((kind, *(track.get("id", "") for track in mpd.iter(f"{MPD}Representation"))))
    assert list(dict.fromkeys(each[1:] for each in listed["manifest.mpd"])) == [
        ("c360", "c0"),
        ("v360", "v234", "c0"),
    ]
    assert list(dict.fromkeys(listed["original.mpd"])) == [("dynamic", "c360", "c0"), ("static", "c360", "c0")]
    folder = encoder.published(progress)
    assert (folder / "c360.m3u8").read_text().rstrip().endswith("#EXT-X-ENDLIST")
    assert "c360" not in (folder / "master.m3u8").read_text()
    complete = Published(folder)
    assert complete.faults() == []
    for rung in ("v360", "v234"):
        assert complete.numbers(rung) == list(range(LONG))
    (folder / "manifest.mpd").write_text((folder / "original.mpd").read_text())
    original = Published(folder)
    assert original.faults() == []
    assert original.numbers("c360") == list(range(LONG))


def test_damage_of_a_provisional_copy_costs_no_second_encode(tmp_path: Path) -> None:
    """The copy is not shown any more, and the encoded renditions lack nothing."""
    film = make_film(LARGE, tmp_path)
    damage_pictures(film, 400, 401, place=0.02)
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(film)
    assert progress.status is JobStatus.READY, progress.reason
    job = encoder.job(progress)
    assert job.plan
    assert job.plan.copied
    assert job.plan.copied.is_provisional
    assert progress.damage
    published = Published(encoder.published(progress))
    assert [track.name for track in published.of("video")] == ["v360", "v234"]
    assert published.faults() == []
    assert len(published.readable_numbers("v360")) == LONG
    assert job.tracks["c360"].left_out
