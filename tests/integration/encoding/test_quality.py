"""The real ffmpeg chooses how strongly each chunk is compressed, and measures the resulting quality."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest

from functions.encoding.model import JobStatus
from functions.encoding.quality import HIGHEST_CRF, LOWEST_CRF
from functions.encoding.quality_commands import FRAMES_FILE, SAMPLE_FILE, SAMPLE_FRAMES, sample_arguments
from functions.platform.messages import EncodeChunk
from tests.support.encoder import Encoder
from tests.support.media import Film, make_film
from tests.support.published import numbers_in

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodeJob

RATE, SEGMENTS = 12, 12
PICTURE = (
    f"gradients=s=320x180:r={RATE}:d=24:speed=0.01:seed=1:c0=navy:c1=gray:n=2,format=yuv420p[dim];"
    f"testsrc2=s=320x180:r={RATE}:d=24,format=yuv420p[bright];[dim][bright]concat"
)
"""A film of 48 s. Its first half has so little contrast that VMAF notices every loss, its second half has much."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("quality") / "film.mkv"
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        PICTURE,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
    ]
    subprocess.run([*command, "-crf", "4", "-g", "24", "-pix_fmt", "yuv420p", str(target)], check=True)
    return target


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    vmaf = imageio_ffmpeg.get_ffmpeg_exe()
    folder = tmp_path_factory.mktemp("encoder")
    return Encoder(folder, encode_target_vmaf=93, encode_measured_s=1, vmaf_ffmpeg=vmaf)


@pytest.fixture(scope="module")
def job(encoder: Encoder, film: Path) -> EncodeJob:
    job = encoder.job(encoder.encode(film))
    assert job.status is JobStatus.READY, job.reason
    return job


def folder_of(encoder: Encoder, job: EncodeJob) -> Path:
    return encoder.media.folder / f"title-{job.title_id}" / job.id


def test_chunk_that_tolerates_it_is_compressed_more_and_the_first_as_usual(job: EncodeJob) -> None:
    first, dim, bright = (job.results[index].renditions["v180"].crf for index in "012")
    assert first == 23
    assert LOWEST_CRF <= dim < bright <= HIGHEST_CRF


def test_chunks_of_different_crfs_are_one_film(encoder: Encoder, job: EncodeJob, tmp_path: Path) -> None:
    folder = folder_of(encoder, job) / "v180"
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(b"".join(path.read_bytes() for path in (folder / "init.mp4", *sorted(folder.glob("s*.m4s")))))
    command = ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", str(joined), "-f", "framemd5", "-"]
    decoded = subprocess.run(command, check=True, capture_output=True, text=True)
    assert decoded.stderr == ""
    assert len([line for line in decoded.stdout.splitlines() if not line.startswith("#")]) == RATE * 4 * SEGMENTS


def test_decoded_pictures_of_every_chunk_resemble_the_source(encoder: Encoder, job: EncodeJob) -> None:
    """If the init segment depended on the CRF, chunks with another CRF would decode without an error but look wrong."""
    assert job.receipt
    assert job.receipt.measured_s == 3
    quality = job.receipt.renditions[0]
    assert quality.mean_vmaf
    assert quality.worst_vmaf
    assert 70 < quality.worst_vmaf <= quality.mean_vmaf <= 100


def test_chunk_that_is_encoded_again_has_the_same_bytes(encoder: Encoder, job: EncodeJob) -> None:
    folder = folder_of(encoder, job)
    before = {path: path.read_bytes() for path in folder.rglob("*.m4s")}
    again = replace(
        job, status=JobStatus.ENCODING, chunks_done=frozenset({0, 1}), results={}, receipt=None, ended_at=None
    )
    encoder.world.jobs.put_job(again)
    encoder.continue_job(job.id, [EncodeChunk()])
    after = encoder.world.jobs.get_job(job.id)
    assert after.results["2"].renditions == job.results["2"].renditions
    assert {path: path.read_bytes() for path in folder.rglob("*.m4s")} == before


def test_receipt_has_the_bytes_that_are_stored(encoder: Encoder, job: EncodeJob) -> None:
    stored = sum(path.stat().st_size for path in folder_of(encoder, job).rglob("v180/s*.m4s"))
    assert job.receipt
    assert job.receipt.size == stored
    assert 0 < job.receipt.search_cpu_s + job.receipt.measure_cpu_s < job.cpu_s


def test_without_a_target_the_arguments_of_the_encoder_are_unchanged(film: Path, tmp_path: Path) -> None:
    encoder = Encoder(tmp_path)
    job = encoder.job(encoder.encode(film))
    assert {part.crf for result in job.results.values() for part in result.renditions.values()} == {23}
    assert job.receipt
    assert (job.receipt.measured_s, job.receipt.search_cpu_s, job.receipt.renditions[0].mean_vmaf) == (0, 0, None)


@pytest.mark.parametrize(
    ("gop", "begins"),
    [
        (65, [89, 284, 479]),  # a second after the last key frames before 4, 12 and 20 s
        (600, [24, 192, 384]),  # a second after the only key frame, and where the other thirds begin
    ],
)
def test_samples_need_little_decoding_and_are_in_their_own_thirds(tmp_path: Path, gop: int, begins: list[int]) -> None:
    film = Film(frames=24 * 24, width=160, height=90, sounds=(), video=("-c:v", "libx264", "-g", str(gop), "-bf", "2"))
    encoder = Encoder(tmp_path)
    plan = encoder.plan_only(encoder.upload(make_film(film, tmp_path)))
    whole = replace(plan.chunks[0], first_frame=0, end_frame=film.frames)
    command = ["ffmpeg", "-nostdin", "-v", "error", *sample_arguments(plan, whole, str(tmp_path / film.name), crf=23)]
    subprocess.run(command, check=True, cwd=tmp_path)
    shown = [number for begin in begins for number in range(begin, begin + SAMPLE_FRAMES)]
    assert numbers_in(tmp_path / FRAMES_FILE) == shown
    assert numbers_in(tmp_path / SAMPLE_FILE) == shown
