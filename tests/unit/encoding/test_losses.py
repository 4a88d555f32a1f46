"""The files that a job has recorded are compared with a listing, by name and size, for finished and running parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.encoding.damage import DamagedRun
from functions.encoding.losses import Loss, expected_files, lost_parts
from functions.encoding.model import JobStatus
from functions.encoding.text_plan import TextPlan
from functions.encoding.track_state import TrackState
from functions.encoding.upkeep.remakes import without_parts
from tests.support.encoding_plans import make_job, make_plan

PLAN = make_plan(text=(TextPlan("t0", "en", "English", None, "film.en.srt"),))
"""Eleven segments of two rungs in chunks of 1, 3, 4 and 3, with a sound and a subtitle track."""

JOB = make_job(
    plan=PLAN,
    status=JobStatus.ENCODING,
    chunks_done=frozenset({0, 1, 2, 3}),
    chunk_sizes={"0": 210, "1": 610, "2": 810, "3": 610},
    tracks={"a0": TrackState(11, 11 * 192_512, complete=True, size=1100), "t0": TrackState(complete=True, size=50)},
    codecs={"v360": "avc1", "v234": "avc1", "a0": "mp4a"},
    tail_frames=1000,
)


def stored(**changes: int | None) -> dict[str, int]:
    """Return the listing of a complete job, with other sizes for some files; None removes a file."""
    sizes = {f"{track}/s{number:05d}.m4s": 100 for track in ("v360", "v234", "a0") for number in range(11)}
    sizes |= {f"{track}/init.mp4": 800 for track in ("v360", "v234", "a0")}
    sizes |= {f"thumbnails/c{chunk:05d}.jpg": 10 for chunk in range(4)} | {"t0.vtt": 50, "manifest.mpd": 900}
    for name, size in changes.items():
        if size is None:
            del sizes[name]
        else:
            sizes[name] = size
    return sizes


def test_nothing_is_lost_of_a_complete_job() -> None:
    assert not lost_parts(JOB, stored())
    assert set(expected_files(JOB)) == stored().keys() - {"manifest.mpd"}
    assert not lost_parts(make_job(), {})


@pytest.mark.parametrize(
    ("name", "size", "damage"),
    [
        ("v360/s00000.m4s", None, Loss(chunks=frozenset({0}))),
        ("v234/s00003.m4s", 0, Loss(chunks=frozenset({1}))),
        ("v360/s00010.m4s", None, Loss(chunks=frozenset({3}))),
        ("thumbnails/c00002.jpg", None, Loss(chunks=frozenset({2}))),
        ("v234/init.mp4", None, Loss(chunks=frozenset({0}))),
        ("a0/s00010.m4s", None, Loss(tracks=frozenset({"a0"}))),
        ("a0/init.mp4", 0, Loss(tracks=frozenset({"a0"}))),
        ("t0.vtt", None, Loss(tracks=frozenset({"t0"}))),
    ],
)
def test_missing_or_empty_file_undoes_its_part(name: str, size: int | None, damage: Loss) -> None:
    lost = lost_parts(JOB, stored(**{name: size}))
    assert lost == replace(damage, files=frozenset({name}))


@pytest.mark.parametrize(("name", "files"), [("v360/s00005.m4s", 9), ("a0/s00003.m4s", 11), ("t0.vtt", 1)])
def test_part_of_another_size_is_lost_unless_its_size_is_unknown(name: str, files: int) -> None:
    lost = lost_parts(JOB, stored(**{name: 99}))
    assert len(lost.files) == files
    older = replace(JOB, chunk_sizes={}, tracks={track: replace(state, size=0) for track, state in JOB.tracks.items()})
    assert not lost_parts(older, stored(**{name: 99}))


def test_running_parts_are_compared_as_far_as_they_are_recorded() -> None:
    running = replace(
        JOB, chunks_done=frozenset({0}), live={"1": 2}, tracks={"a0": TrackState(4, 4 * 192_512)}, tail_frames=None
    )
    gone = {"v360/s00003.m4s", "v360/s00007.m4s", "a0/s00004.m4s", "t0.vtt"}
    assert not lost_parts(running, stored(**dict.fromkeys(gone)))
    lost = lost_parts(running, stored(**{"v234/s00002.m4s": None, "a0/s00003.m4s": None}))
    assert (set(lost.chunks), set(lost.tracks)) == ({1}, {"a0"})


def test_lost_container_undoes_everything() -> None:
    lost = lost_parts(JOB, {})
    assert (set(lost.chunks), set(lost.tracks)) == ({0, 1, 2, 3}, {"a0", "t0"})
    damaged = replace(JOB, damage={"1": (DamagedRun(30, 31, 1),)})
    assert dict(without_parts(damaged, lost).damage) == {}
    bare = without_parts(JOB, lost)
    assert (bare.missing_chunks, bare.missing_tracks, bare.tail_frames) == ((0, 1, 2, 3), ("a0", "t0"), None)
    assert (bare.chunk_sizes, bare.tracks, bare.remakes) == ({}, {}, 1)
    assert without_parts(bare, lost) is bare
