"""An upload that is larger than the settings allow is refused before anything of it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.planning.planner import Planner
from functions.platform.errors import SourceRefused
from functions.platform.settings import Settings
from tests.support.encoder import FolderMedia
from tests.support.encoding_plans import make_job


def test_film_that_is_larger_than_was_announced_is_refused() -> None:
    media, settings = FolderMedia(Path("/nothing is read")), Settings(storage="", mongo_url="", max_upload_gb=1)
    planner = Planner(FFmpeg("no ffmpeg", "no ffprobe", 0), media, settings)
    with pytest.raises(SourceRefused, match=r"is 2\.0 GB; MAX_UPLOAD_GB allows 1 GB\."):
        planner.plan(make_job(size=2 << 30))
