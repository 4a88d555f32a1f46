"""The real ffmpeg encodes ready titles in AV1: each frame once and in its place, and H.264 stays as it was."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from functions.encoding import ladder
from functions.encoding.av1_encode import Av1Status
from functions.encoding.model import EncodeJob, JobStatus
from functions.platform.messages import PublishTitle
from tests.support.cases import always
from tests.support.conformance import findings, needs_checker
from tests.support.encoder import Encoder
from tests.support.media import H264, HDR10, Film, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p")
HIGH = (*H264, "-profile:v", "high444", "-pix_fmt", "yuv444p")
FRAMES = 24 * 13 + 7
FILMS = {
    "copied": Film(width=640, height=360, frames=FRAMES, video=(*X264, "-force_key_frames", "3,7.1,9,9.5")),
    "encoded": Film(width=640, height=360, frames=FRAMES, video=HIGH),
    "HDR10": Film(width=640, height=360, frames=FRAMES, video=HDR10, name="film.mkv"),
    "remuxed": Film(frames=24 * 5, video=("-c:v", "mpeg4", "-q:v", "4"), name="film.avi"),
}


@dataclass(frozen=True)
class Encoded:
    """A title in both codecs: its job, its files before AV1 was made, and its manifest of that time."""

    encoder: Encoder
    job: EncodeJob
    folder: Path
    before: dict[str, bytes]
    manifest: str


def files_in(folder: Path) -> dict[str, bytes]:
    """Return all files except manifests."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".mpd", ".m3u8"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def verified(encoder: Encoder, job: EncodeJob) -> EncodeJob:
    """Verify a job, and repair it if necessary."""
    encoder.world.jobs.schedule_verification(job.id, at=encoder.world.clock(), repair=True)
    encoder.world.run(PublishTitle(job.id, verify=True), encoder.pipeline)
    return encoder.world.jobs.get_job(job.id)


@pytest.fixture(scope="module", params=always(("copied", "HDR10"), FILMS))
def title(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encoded]:
    """Encode a film in H.264 and in AV1, in chunks of two segments, so that there are places where chunks meet."""
    folder = tmp_path_factory.mktemp("av1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladder, "CHUNK_SEGMENTS", 2)
        encoder = Encoder(folder / "storage")
        progress = encoder.encode(make_film(FILMS[request.param], folder))
        assert progress.status is JobStatus.READY, progress.reason
        published = encoder.published(progress)
        before, manifest = files_in(published), (published / "manifest.mpd").read_text()
        job = encoder.encode_av1(progress)
        assert job.av1
        assert job.av1.status is Av1Status.COMPLETE, job.av1.reason
        yield Encoded(encoder, job, published, before, manifest)


def test_av1_shows_the_frames_of_h264_at_the_same_times(title: Encoded) -> None:
    after = files_in(title.folder)
    assert {name: after[name] for name in title.before} == title.before
    published = Published(title.folder)
    assert published.faults() == []
    h264, av1 = ([t for t in published.of("video") if t.codec.startswith(kind)] for kind in ("avc1", "av01"))
    assert [(track.width, track.height, track.spans) for track in av1] == [
        (track.width, track.height, track.spans) for track in h264
    ]
    for one, other in zip(h264, av1, strict=True):
        assert published.numbers(other.name) == published.numbers(one.name)
    encode = title.job.av1
    assert encode
    assert {name for result in encode.results.values() for name in result.peaks_bps} == {track.name for track in av1}
    stored = sum(len(content) for name, content in after.items() if name.startswith("av") and name.endswith(".m4s"))
    assert encode.size == stored


def test_av1_keeps_hdr_and_h264_is_in_sdr(title: Encoded) -> None:
    plan = title.job.current_plan
    assert plan
    video = [track for track in Published(title.folder).of("video") if track.codec[:4] in ("avc1", "av01")]
    colours = {track.codec[:4]: colours_of(title.folder / track.name) for track in video}
    if not plan.picture.tone_map:
        assert "smpte2084" not in colours["av01"].values()
        return
    bt2020 = {"color_primaries": "bt2020", "color_transfer": "smpte2084", "color_space": "bt2020nc"}
    assert colours["av01"] == {
        "pix_fmt": "yuv420p10le",
        **bt2020,
        "max_content": 1000,
        "max_luminance": "10000000/10000",
    }
    assert colours["avc1"]["pix_fmt"] == "yuv420p"
    assert colours["avc1"]["color_transfer"] == "bt709"
    assert {track.codec for track in video if track.codec.startswith("av01")} >= {"av01.0.00M.10.0.111.09.16.09.0"}
    master = (title.folder / "master.m3u8").read_text().splitlines()
    assert all(
        ("VIDEO-RANGE=PQ" in line) == ("av01" in line) for line in master if line.startswith("#EXT-X-STREAM-INF")
    )


def colours_of(track: Path) -> dict[str, object]:
    """Return the pixel format, colours and mastering metadata of a published rendition, as ffprobe finds them."""
    joined = track.parent / f"{track.name}.joined.mp4"
    joined.write_bytes((track / "init.mp4").read_bytes() + (track / "s00000.m4s").read_bytes())
    options = ("-v", "error", "-show_streams", "-of", "json", str(joined))
    stream = json.loads(subprocess.run(["ffprobe", *options], capture_output=True, check=True).stdout)["streams"][0]
    joined.unlink()
    keys = ("pix_fmt", "color_primaries", "color_transfer", "color_space")
    side = {key: value for data in stream.get("side_data_list", ()) for key, value in data.items()}
    found = {
        **{key: stream.get(key) for key in keys},
        **{key: side.get(key) for key in ("max_content", "max_luminance")},
    }
    return {key: value for key, value in found.items() if value is not None}


@needs_checker
def test_manifest_with_both_conforms(title: Encoded) -> None:
    assert findings("manifest.mpd", folder=title.folder) == ""
    assert findings("--segments", ".", folder=title.folder) == ""


def test_chunk_that_storage_has_lost_is_encoded_again_and_not_listed_meanwhile(title: Encoded) -> None:
    both = (title.folder / "manifest.mpd").read_text()
    assert both != title.manifest
    lowest = sorted(path.name for path in title.folder.glob("av*"))[0]
    title.encoder.media.delete_blob(title.folder.parent.name, f"{title.job.id}/{lowest}/s00000.m4s")
    damaged = verified(title.encoder, title.job)
    assert damaged.status is JobStatus.READY
    assert damaged.av1
    assert damaged.av1.status is Av1Status.ENCODING
    assert (title.folder / "manifest.mpd").read_text() == title.manifest
    title.encoder.av1_pipeline.run_next()
    assert (title.folder / "manifest.mpd").read_text().count("av01.") == both.count("av01.") > 0
    assert Published(title.folder).faults() == []
    whole = verified(title.encoder, title.job)
    assert whole.verified
    assert whole.verified.damaged == 0
    assert whole.verified.files > len(title.before)
