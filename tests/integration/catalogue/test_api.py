"""With real stores, the functions of catalogue, uploads and jobs answer as the OpenAPI document specifies."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from functions import bootstrap
from functions.catalogue.model import Status
from functions.catalogue.triggers import get_title, list_titles
from functions.encoding.triggers import get_job, list_jobs, retry_job
from functions.platform.identifiers import title_id_for
from functions.playback.triggers import open_playback
from functions.uploads.triggers import create_upload
from tests.support.api import call
from tests.support.catalogue import make_playback
from tests.support.owners import AS_ADMINISTRATOR, AS_OPERATOR, FakeAccess

pytestmark = pytest.mark.usefixtures("wired", "sessions")


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "access", FakeAccess)


def open_as_administrator(title_id: str) -> tuple[int, Any]:
    return call(open_playback, f"titles/{title_id}/playback", route={"id": title_id}, headers=AS_ADMINISTRATOR)


def test_an_upload_ticket_is_given_out() -> None:
    blob = f"{uuid.uuid4().hex}.mkv"
    status, ticket = call(create_upload, "uploads", body={"name": blob, "size": 1000}, headers=AS_OPERATOR)
    assert (status, ticket["blob"], ticket["replaces"]) == (201, blob, False)
    assert call(create_upload, "uploads", body={"size": 1}, headers=AS_OPERATOR)[0] == 422


def test_a_title_and_its_job_are_shown_from_arrival_to_failure() -> None:
    blob = f"{uuid.uuid4().hex[:8]}/Sintel.2010.mkv"
    title_id = title_id_for(blob)
    bootstrap.catalogue().open_title(title_id, stem=blob.removesuffix(".mkv"), status=Status.ENCODING)
    job_id = bootstrap.encodes().open_job(blob, etag="0x1", size=1000, title_id=title_id, uploaded_at=datetime.now(UTC))
    _, title = call(get_title, f"titles/{title_id}", route={"id": title_id})
    assert (title["status"], title["progress"]["status"]) == ("encoding", "queued")
    assert [job["job_id"] for job in call(list_jobs, "jobs", headers=AS_OPERATOR)[1]["jobs"]] == [job_id]
    assert call(retry_job, f"jobs/{job_id}/retry", route={"id": job_id}, headers=AS_OPERATOR)[0] == 202
    assert open_as_administrator(title_id)[0] == 409
    bootstrap.encodes().cancel(title_id, "The file has no video.")
    _, job = call(get_job, f"jobs/{job_id}", route={"id": job_id}, headers=AS_OPERATOR)
    assert (job["status"], job["reason"]) == ("failed", "The file has no video.")
    assert call(get_job, "jobs/nothing", route={"id": "nothing"}, headers=AS_OPERATOR)[0] == 404
    assert call(retry_job, f"jobs/{job_id}/retry", route={"id": job_id}, headers=AS_OPERATOR)[0] == 202


def test_a_ready_title_is_listed_and_opens() -> None:
    blob = f"{uuid.uuid4().hex[:8]}/Film.mkv"
    title_id = title_id_for(blob)
    bootstrap.catalogue().open_title(title_id, stem=blob.removesuffix(".mkv"), status=Status.ENCODING)
    bootstrap.catalogue().mark_playable(title_id, make_playback(), complete=True)
    assert [title["id"] for title in call(list_titles, "titles?q=film")[1]["titles"]] == [title_id]
    status, session = call(
        open_playback, f"titles/{title_id}/playback", route={"id": title_id}, headers=AS_ADMINISTRATOR
    )
    assert (status, session["status"], session["percent"]) == (200, "ready", 100.0)
