"""`ingest`: upload a film and the files that belong to it, follow its encode, and print its watch page's address."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from functions.platform.identifiers import UploadKind, companion, job_id_for, read_name
from infra.local.cli.api import Api
from infra.local.home import CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

ASK_EVERY_S = 0.5
JOB_WITHIN_S = 120.0
BLOCK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Placed:
    """Which title a film belongs to, from the options of the command line.

    With `replace`, the film may replace one whose name differs only in the extension. `title` is the id of the
    announced title to which the film belongs, empty if the film is a title of its own, and None if there was no such
    option.
    """

    replace: bool = False
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """Metadata from the options of the command line; a field is empty or 0 if its option is missing."""

    title: str = ""
    year: int = 0
    imdb: str = ""

    def over(self, sidecar: Path | None) -> bytes | None:
        """Return the metadata sidecar with these values merged into it, or None if there is no metadata at all."""
        result = {"title": self.title, "year": self.year, "imdb_id": self.imdb}
        said = {name: value for name, value in result.items() if value}
        if not said:
            return sidecar.read_bytes() if sidecar else None
        try:
            written = json.loads(sidecar.read_text(encoding="utf-8")) if sidecar else {}
        except ValueError as error:
            raise CannotRun(f"{sidecar} is not JSON ({error}); correct or remove it.") from None
        return json.dumps({**written, **said}, ensure_ascii=False, indent=2).encode()


def ingest_film(file: Path, described: Described, placed: Placed, *, as_json: bool) -> None:
    """Upload and follow; raise SystemExit(1) if the encode fails, CannotRun if the upload fails."""
    if not file.exists():
        raise CannotRun(f"There is no file {file}.")
    if not file.is_file():
        raise CannotRun(f"{file} is a folder; give the path of a film.")
    if read_name(file.name).kind is not UploadKind.FILM:
        raise CannotRun(
            f"{file.name} has the ending of a file that belongs to a film; give the path of the film itself."
        )
    api = Api.of(Home.of())
    console = Console(stderr=as_json)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[note]}"),
        console=console,
    ) as progress:
        began = time.monotonic()
        job_id = _send_all(api, file, described, progress, placed)
        uploaded_s = time.monotonic() - began
        job = _follow(api, job_id, progress)
    stages = job["stages"]
    if as_json:
        seconds = {name: stages[f"{name}_s"] for name in ("queued", "planning", "first_picture", "encoding", "total")}
        result = {name: job[name] for name in ("title_id", "job_id", "status", "reason", "manifest_url", "hls_url")}
        sys.stdout.write(json.dumps({**result, "seconds": {"upload": round(uploaded_s, 3), **seconds}}) + "\n")
        sys.stdout.flush()
    if job["status"] == "failed":
        console.print(f"{file.name} could not be encoded: {job['reason']}", highlight=False, soft_wrap=True)
        raise SystemExit(1)
    console.print(_completion(api, job), highlight=False, soft_wrap=True)


def _completion(api: Api, job: Mapping[str, Any]) -> str:
    """Return where the film of a ready job plays; a trailer does once its title exists."""
    trailed = job["trailer_of"]
    if trailed == "":
        return f"{job['name']} is complete. It is a trailer, and plays as soon as there is a title with its name."
    address = api.trailer_address(trailed) if trailed else api.watch_address(job["title_id"])
    return f"{job['name']} is complete: {address}"


def companions_of(film: Path) -> dict[UploadKind, list[Path]]:
    """Return the files next to `film` that belong to it: metadata, pictures, subtitles."""
    stem = read_name(film.name).stem
    found: dict[UploadKind, list[Path]] = {}
    for path in sorted(film.absolute().parent.iterdir()):
        upload = companion(path.name, film=stem)
        if upload and path.is_file():
            found.setdefault(upload.kind, []).append(path)
    return found


def _send_all(api: Api, film: Path, described: Described, progress: Progress, placed: Placed) -> str:
    """Upload the film after the files that belong to it; return the id of the job."""
    size = film.stat().st_size
    request = {"name": film.name, "size": size, "replace": placed.replace, "title": placed.title}
    ticket = api.post("/api/uploads", request)
    if ticket["announced"]:
        raise CannotRun(_question(film.name, ticket["announced"]))
    if ticket["existing"] and not placed.replace:
        raise CannotRun(
            f"{ticket['existing']} is already the film of this title. Add --replace to replace it; to keep both, "
            f"rename {film.name}."
        )
    companions = companions_of(film)
    metadata = next(iter(companions.pop(UploadKind.METADATA, [])), None)
    if (written := described.over(metadata)) is not None:
        _send_bytes(api, f"{read_name(film.name).stem}.json", written, placed)
    for path in (path for paths in companions.values() for path in paths):
        _send_bytes(api, path.name, path.read_bytes(), placed)

    task = progress.add_task("Uploading", total=max(size, 1), note=_megabytes(size))
    with film.open("rb") as source:
        etag = _send(ticket["upload_url"], source, size, progress, task)
    progress.update(task, completed=max(size, 1))
    return job_id_for(ticket["blob"], etag)


def _send(url: str, source: BinaryIO, size: int, progress: Progress, task: TaskID) -> str:
    """Upload in blocks, with at most four blocks in memory; return the ETag of the blob."""
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobClient

    def show(sent: int, total: int | None) -> None:
        progress.update(task, completed=sent)

    with BlobClient.from_blob_url(url, max_block_size=BLOCK_BYTES, max_single_put_size=BLOCK_BYTES) as blob:
        try:
            written = blob.upload_blob(source, length=size, overwrite=True, max_concurrency=4, progress_hook=show)
        except AzureError as error:
            raise CannotRun(f"The upload was interrupted: {str(error).splitlines()[0]}") from None
    return str(written["etag"])


def _question(film: str, announced: list[dict[str, Any]]) -> str:
    """Return the question whether a film is that of an announced title, and how to answer it."""
    choices = ", ".join(
        f"--for {title['id']} ({title['name']}, {title['year'] or 'year unknown'})" for title in announced
    )
    return f"{film} may be the film of an announced title. Add {choices} if it is, or --new-title if it is not."


def _send_bytes(api: Api, name: str, content: bytes, placed: Placed) -> None:
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobClient

    ticket = api.post("/api/uploads", {"name": name, "size": len(content), "title": placed.title})
    with BlobClient.from_blob_url(ticket["upload_url"]) as blob:
        try:
            blob.upload_blob(content, overwrite=True)
        except AzureError as error:
            raise CannotRun(f"{name} could not be uploaded: {str(error).splitlines()[0]}") from None


def _follow(api: Api, job_id: str, progress: Progress) -> dict[str, Any]:
    """Show the progress of the job until it is ready or failed, and return it."""
    task = progress.add_task("Waiting for an encoder", total=100, note="")
    announced = False
    deadline = time.monotonic() + JOB_WITHIN_S
    try:
        while True:
            job: dict[str, Any] | None = api.find(f"/api/jobs/{job_id}")
            if job is None and time.monotonic() > deadline:
                raise CannotRun(
                    f"The film is uploaded, but no job began within {JOB_WITHIN_S:.0f} s; see `./notflix logs api`."
                )
            if job is not None:
                left = "" if job["eta_s"] is None else f"about {job['eta_s']:.0f} s left"
                progress.update(task, description=job["status"].capitalize(), completed=job["percent"], note=left)
                if job["manifest_url"] and job["trailer_of"] is None and not announced:
                    announced = True
                    address = api.watch_address(job["title_id"])
                    progress.console.print(
                        f"Ready to watch (still encoding): {address}", highlight=False, soft_wrap=True
                    )
                if job["status"] in ("ready", "failed"):
                    return job
            time.sleep(ASK_EVERY_S)
    except KeyboardInterrupt:
        progress.console.print("The encode continues; `./notflix jobs` shows its progress.", highlight=False)
        raise SystemExit(130) from None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
