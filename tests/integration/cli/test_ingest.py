"""`ingest` against a real storage account and a fake API that answers like the real API."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from functions.platform.identifiers import job_id_for, title_id_for
from infra.local.cli.ingest import BLOCK_BYTES, Described, Placed, ingest_film
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

STAGES = {"queued_s": 0.1, "planning_s": 0.2, "first_picture_s": 1.5, "encoding_s": 3.0, "total_s": 3.3}


class StandInApi(ThreadingHTTPServer):
    """Issues tickets and reports one job: first as unknown, then as encoding, then with the fields of `outcome`."""

    def __init__(self, stack: Stack, outcome: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stack = stack
        self.outcome = outcome
        self.tickets: list[str] = []
        self.asked: list[str] = []
        self.existing: str | None = None
        self.announced: list[dict[str, object]] = []
        self.consents: list[str] = []
        self.belongs: list[str | None] = []

    def ticket(self, name: str) -> dict[str, object]:
        credentials = self.stack.credentials
        self.tickets.append(name)
        sas = generate_blob_sas(
            credentials.storage_account,
            "uploads",
            name,
            account_key=credentials.storage_key,
            permission=BlobSasPermissions(create=True, write=True),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )
        url = f"{self.stack.endpoints['blob']}/uploads/{name}?{sas}"
        return {
            "upload_url": url,
            "blob": name,
            "title_id": title_id_for(name),
            "replaces": False,
            "existing": self.existing,
            "announced": self.announced,
        }

    def job(self, job_id: str) -> dict[str, object] | None:
        self.asked.append(job_id)
        if len(self.asked) == 1:
            return None
        done = len(self.asked) > 2
        return {
            "job_id": job_id,
            "title_id": title_id_for("film.mkv"),
            "trailer_of": None,
            "name": "Film",
            "status": "encoding",
            "reason": None,
            "percent": 40.0,
            "eta_s": 2.0,
            "stages": STAGES,
            "manifest_url": "http://blob/manifest.mpd",
            "hls_url": "http://blob/master.m3u8",
            **(self.outcome if done else {}),
        }


class Handler(BaseHTTPRequestHandler):
    server: StandInApi

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.belongs.append(asked["title"])
        if asked.get("replace"):
            self.server.consents.append(asked["name"])
        self._answer(201, self.server.ticket(asked["name"]))

    def do_GET(self) -> None:
        job = self.server.job(self.path.rpartition("/")[2])
        self._answer(*((404, {"error": "not_found", "detail": "There is no such job."}) if job is None else (200, job)))

    def _answer(self, status: int, body: object) -> None:
        if self.headers["x-operator-key"] != self.server.stack.credentials.operator_key:
            status, body = 401, {}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def api(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[StandInApi]:
    with StandInApi(stack, request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        endpoints = {**stack.endpoints, "api": f"http://127.0.0.1:{server.server_port}"}
        (tmp_path / "endpoints.json").write_text(json.dumps(endpoints))
        monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("api", [{"status": "ready", "percent": 100.0, "eta_s": 0.0}], indirect=True)
def test_film_arrives_whole_after_what_lies_beside_it_and_its_job_is_followed(
    api: StandInApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytes(range(256)) * (2 * BLOCK_BYTES // 256) + b"the end"
    (tmp_path / "film.mkv").write_bytes(content)
    (tmp_path / "film.json").write_text('{"plot": "A dog."}')
    (tmp_path / "film.en.srt").write_text("1\n")

    ingest_film(tmp_path / "film.mkv", Described(title="Film", year=2001), Placed(), as_json=True)

    assert sorted(api.tickets) == ["film.en.srt", "film.json", "film.mkv"]
    with BlobServiceClient.from_connection_string(api.stack.settings.storage) as blobs:
        film = blobs.get_blob_client("uploads", "film.mkv").download_blob()
        assert film.readall() == content
        description = blobs.get_blob_client("uploads", "film.json").download_blob()
        described = json.loads(description.readall())
    assert description.properties.last_modified <= film.properties.last_modified
    assert described == {"title": "Film", "year": 2001, "plot": "A dog."}
    assert set(api.asked) == {job_id_for("film.mkv", film.properties.etag)}
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    seconds = told.pop("seconds")
    assert told == {
        "title_id": title_id_for("film.mkv"),
        "job_id": api.asked[0],
        "status": "ready",
        "reason": None,
        "manifest_url": "http://blob/manifest.mpd",
        "hls_url": "http://blob/master.m3u8",
    }
    assert seconds.pop("upload") > 0
    assert {f"{name}_s": value for name, value in seconds.items()} == STAGES


@pytest.mark.parametrize("api", [{"status": "ready"}], indirect=True)
def test_film_that_would_replace_one_with_another_extension_is_not_sent_without_consent(
    api: StandInApi, tmp_path: Path
) -> None:
    api.existing = "film.flv"
    (tmp_path / "film.mkv").write_bytes(b"film")
    (tmp_path / "film.json").write_text("{}")
    with pytest.raises(CannotRun, match=r"film\.flv is already the film of this title\. Add --replace"):
        ingest_film(tmp_path / "film.mkv", Described(), Placed(), as_json=False)
    assert api.tickets == ["film.mkv"]
    ingest_film(tmp_path / "film.mkv", Described(), Placed(replace=True), as_json=False)
    assert api.consents == ["film.mkv"]


@pytest.mark.parametrize("api", [{"status": "ready"}], indirect=True)
def test_film_that_may_be_that_of_an_announced_title_is_not_sent_without_an_answer(
    api: StandInApi, tmp_path: Path
) -> None:
    api.announced = [{"id": "film-1a2b3c", "name": "The Film", "year": None}]
    (tmp_path / "film.mkv").write_bytes(b"film")
    (tmp_path / "film.json").write_text("{}")
    with pytest.raises(CannotRun, match=r"Add --for film-1a2b3c \(The Film, year unknown\) if it is, or --new-title"):
        ingest_film(tmp_path / "film.mkv", Described(), Placed(), as_json=False)
    assert api.tickets == ["film.mkv"]
    api.announced = []
    api.belongs.clear()
    ingest_film(tmp_path / "film.mkv", Described(), Placed(title="film-1a2b3c"), as_json=False)
    assert api.belongs == ["film-1a2b3c", "film-1a2b3c"], "what lies beside the film belongs to the same title"


REFUSED = {"status": "failed", "reason": "The file holds no picture.", "manifest_url": None, "hls_url": None}


@pytest.mark.parametrize("api", [REFUSED], indirect=True)
@pytest.mark.parametrize("as_json", [True, False])
def test_film_that_cannot_be_encoded_is_told_with_its_reason(
    api: StandInApi, tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    (tmp_path / "film.mkv").write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        ingest_film(tmp_path / "film.mkv", Described(), Placed(), as_json=as_json)
    assert ended.value.code == 1
    printed = capsys.readouterr()
    if as_json:
        assert json.loads(printed.out)["reason"] == REFUSED["reason"]
    else:
        assert "film.mkv could not be encoded: The file holds no picture." in printed.out
