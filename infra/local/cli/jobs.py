"""`jobs` and `retry`: encode jobs, listed and retried through the API."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from infra.local.cli.api import Api
from infra.local.home import Home


def show_jobs(*, as_json: bool) -> None:
    """Print the jobs, newest first."""
    answer = Api.of(Home.of()).get("/api/jobs")
    if as_json:
        sys.stdout.write(json.dumps(answer) + "\n")
        return
    console = Console()
    if not answer["jobs"]:
        console.print("There are no jobs yet; `./notflix ingest FILE` creates one.", highlight=False)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("job", "film", "state", "done", "left", "why"):
        table.add_column(heading, overflow="fold")
    for job in answer["jobs"]:
        table.add_row(
            job["job_id"],
            job["name"],
            job["status"],
            f"{job['percent']:.0f} %",
            "" if job["eta_s"] is None else f"{job['eta_s']:.0f} s",
            job["reason"] or "",
        )
    console.print(table)


def retry_job(job_id: str) -> None:
    """Retry a failed job."""
    Api.of(Home.of()).post(f"/api/jobs/{job_id}/retry", {})
    Console().print(f"Job {job_id} is being retried; `./notflix jobs` shows its progress.", highlight=False)
