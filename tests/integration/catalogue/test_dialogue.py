"""What is said in a title is read from its container and published with real storage."""

from __future__ import annotations

import json
import uuid

import pytest
from azure.core.exceptions import ResourceNotFoundError

from functions import bootstrap
from functions.catalogue.model import PlayableSubtitles, Status
from functions.catalogue.subtitle_files import MOST_BYTES, BlobSubtitles
from functions.platform.identifiers import container_for, title_id_for
from tests.support.catalogue import make_playback

pytestmark = pytest.mark.usefixtures("wired")
TRACK = "WEBVTT\n\n00:07.000 --> 00:09.000\nRainfall tonight.\n"
JOB = "0123456789ab"


def store_track(title_id: str, text: str) -> None:
    """Store a subtitle track where the encoder stores it."""
    container = bootstrap.resources.blob_service().get_container_client(container_for(title_id))
    if not container.exists():
        container.create_container()
    container.upload_blob(f"{JOB}/t0.vtt", text.encode(), overwrite=True)


def test_the_words_of_a_title_are_published_and_withdrawn_with_it() -> None:
    title_id = title_id_for(f"{uuid.uuid4().hex[:8]}/storm.mkv")
    store_track(title_id, TRACK)
    catalogue = bootstrap.catalogue()
    catalogue.open_title(title_id, stem="storm", status=Status.ENCODING)
    playback = make_playback(JOB, subtitles=(PlayableSubtitles("t0", "en", "English"),))
    catalogue.mark_playable(title_id, playback, complete=True)
    bootstrap.publisher().publish()
    site = bootstrap.resources.blob_service().get_container_client("$web")
    path = f"catalogue/dialogue/{title_id}.json"
    assert json.loads(site.download_blob(path).readall()) == {"words": {"rainfall": [7], "tonight": [7]}}
    catalogue.withdraw_title(title_id)
    bootstrap.publisher().publish()
    with pytest.raises(ResourceNotFoundError):
        site.download_blob(path)


def test_a_track_that_does_not_exist_is_none_and_only_the_beginning_of_a_large_one_is_read() -> None:
    title_id = title_id_for(f"{uuid.uuid4().hex[:8]}/flood.mkv")
    subtitles = BlobSubtitles(bootstrap.resources.blob_service())
    assert subtitles.read_subtitles(title_id, JOB, "t0") is None, "there is no container"
    store_track(title_id, "ü" * MOST_BYTES)
    assert subtitles.read_subtitles(title_id, JOB, "t1") is None
    assert subtitles.read_subtitles(title_id, JOB, "t0") == "ü" * (MOST_BYTES // 2)
