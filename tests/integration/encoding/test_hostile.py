"""Each file that is not a film is refused when it is planned; a sentence says what the file is and what to do.

No refusal opens another file, connects to anything, or tells the uploader a path or a program's message, and none takes
much time or memory.
"""

from __future__ import annotations

import os
import socket
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus
from functions.platform.settings import Settings
from tests.support.encoder import Encoder, MeasuredFFmpeg
from tests.support.hostile import HOSTILE, Trap
from tests.support.sentences import faults_of_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFUSED_WITHIN_CPU_S = 10
MEMORY_MB = Settings(storage="", mongo_url="").ffmpeg_memory_mb


def cpu_s() -> float:
    """Return the CPU-seconds that this process and its children have used so far."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a socket to which nobody may connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("case", HOSTILE)
def test_file_that_is_no_film_is_refused_by_name(case: str, tmp_path: Path, listener: socket.socket) -> None:
    make, words = HOSTILE[case]
    trap = Trap(tmp_path, tmp_path / "secret.mp4", f"http://127.0.0.1:{listener.getsockname()[1]}/secret.mp4")
    os.mkfifo(trap.pipe)
    (tmp_path / "made").mkdir()
    content = make(Trap(tmp_path / "made", trap.pipe, trap.address))
    upload = tmp_path / "made" / "film.mp4"
    upload.write_bytes(content)
    ffmpeg = MeasuredFFmpeg(MEMORY_MB)
    encoder = Encoder(tmp_path / "storage", ffmpeg)
    job_id = encoder.upload(upload)
    before_s = cpu_s()

    outcome = encoder.planned(job_id)

    assert cpu_s() - before_s < REFUSED_WITHIN_CPU_S
    assert max(ffmpeg.peaks_mb, default=0) < MEMORY_MB
    assert outcome.ended, "the film was not refused at its first attempt"
    assert outcome.job
    assert outcome.job.status is JobStatus.FAILED
    reason = outcome.job.reason or ""
    assert words in reason
    assert "film.mp4" in reason
    assert faults_of_sentence(reason.replace("film.mp4", "it")) == []
    with pytest.raises(BlockingIOError):
        listener.accept()
    with pytest.raises(OSError, match="No such device or address"):  # nobody has the pipe open
        os.open(trap.pipe, os.O_WRONLY | os.O_NONBLOCK)
    assert (tmp_path / "storage" / "uploads" / "film.mp4").read_bytes() == content, "the upload was not kept"
