"""`jobs` and `retry`: encode jobs, listed and retried through the API."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from infra.local.cli.api import Api
from infra.local.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator


LIMIT = "/api/encoding/limit"


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
    for heading in ("job", "film", "state", "done", "left", "cost", "why"):
        table.add_column(heading, overflow="fold")
    for job in answer["jobs"]:
        table.add_row(
            job["job_id"],
            job["name"],
            "damaged" if is_damaged(job) else "paused" if job["paused"] else job["status"],
            f"{job['percent']:.0f} %",
            "" if job["eta_s"] is None else f"{job['eta_s']:.0f} s",
            cost_of(job),
            job["reason"] or job["paused"] or " ".join(notes_of(job)),
        )
    console.print(table)
    console.print(spending_of(answer["spending"]), highlight=False)


def cost_of(job: dict[str, Any]) -> str:
    """Return what encoding a film has cost so far, or will probably cost, at Azure's list prices."""
    cost = job["cost"]
    if job["status"] in ("ready", "failed") or cost["estimate_microusd"] is None:
        return dollars(cost["encode_microusd"]) if cost["encode_microusd"] else ""
    return f"{dollars(cost['encode_microusd'])} of about {dollars(cost['estimate_microusd'])}"


def spending_of(month: dict[str, Any]) -> str:
    """Return the sentence about what this month's encodes have cost."""
    limit = month["limit_microusd"]
    most = "there is no limit (`./notflix admin encode-limit`)" if limit is None else f"the limit is {dollars(limit)}"
    return f"Encoding in {month['month']}: {dollars(month['encode_microusd'])} at Azure's list prices; {most}."


def dollars(microusd: int) -> str:
    """Return an amount for a person, such as $0.43."""
    return f"${microusd / 1e6:,.2f}"


def is_damaged(job: dict[str, Any]) -> bool:
    """Return whether the last verification of a ready job found damaged files."""
    found = job["verification"]
    return job["status"] == "ready" and found is not None and found["damaged"] > 0


def notes_of(job: dict[str, Any]) -> Iterator[str]:
    """Yield sentences about damaged files and pictures, left-out tracks, own pictures, and what follows the encode."""
    if is_damaged(job):
        found, job_id = job["verification"], job["job_id"]
        lost = f"{found['damaged']} of {found['files']} files are missing or damaged"
        yield f"{lost}; `./notflix retry {job_id}` repairs them."
    if job["damage"]:
        yield job["damage"]["note"]
    yield from job["notes"]
    if job["passthrough"]:
        yield job["passthrough"]
    if av1 := job.get("av1"):
        yield {
            "encoding": f"Encoding in AV1 too, {av1['percent']:.0f} %.",
            "complete": f"In AV1 too, {av1['size'] / 1e6:,.0f} MB.",
            "abandoned": f"Not in AV1: {av1['reason']}",
        }[av1["status"]]
    if captions := job.get("captions"):
        yield captions_of(captions)
    if found := job.get("on_demand"):
        yield on_demand_of(found)


def captions_of(found: dict[str, Any]) -> str:
    """Return the sentence about automatic captions, with their address if there are some."""
    if found["status"] == "abandoned":
        return f"No automatic captions: {found['reason']}"
    if found["status"] == "encoding":
        return found["reason"] or "Making automatic captions."
    if not found["cues"]:
        return "No automatic captions: nothing is said in the film."
    return f"Automatic captions ({found['language']}), {found['cues']:,} cues: {found['url']}"


def on_demand_of(found: dict[str, Any]) -> str:
    """Return the sentence about renditions that are made when viewers want them."""
    names = ", ".join(found["renditions"])
    if found["status"] == "abandoned":
        return f"{names} could not be made: {found['reason']}"
    if found["status"] == "encoding":
        return f"Making {names} for viewers, {found['percent']:.0f} %."
    if found["status"] in ("complete", "leaving"):
        return f"{names} made for viewers, {found['size'] / 1e6:,.0f} MB."
    saved = f"{found['saved_size'] / 1e6:,.0f} MB"
    if found["saved_cpu_s"]:
        saved += f" and about {found['saved_cpu_s']:,.0f} CPU-seconds"
    return f"{names} will be made for the next viewer; saves {saved}."


def show_limit(*, as_json: bool) -> None:
    """Print the monthly limit on encoding."""
    limit = Api.of(Home.of()).get(LIMIT)
    if as_json:
        sys.stdout.write(json.dumps(limit) + "\n")
    else:
        Console().print(limit_of(limit), highlight=False)


def change_limit(usd: int | None, *, as_json: bool) -> None:
    """Set the monthly limit on encoding (0 for none), or with None return to the one in the settings; print it."""
    limit = Api.of(Home.of()).put(LIMIT, {"usd": usd})
    if as_json:
        sys.stdout.write(json.dumps(limit) + "\n")
    else:
        Console().print(limit_of(limit), highlight=False)


def limit_of(limit: dict[str, Any]) -> str:
    """Return the sentence about the monthly limit."""
    most = f"may cost at most ${limit['usd']:,} a month" if limit["usd"] else "has no monthly limit"
    return f"Encoding {most} ({'set by an owner' if limit['is_set'] else 'the default in the settings'})."


def retry_job(job_id: str) -> None:
    """Continue a failed or stuck job, or verify and repair a ready one."""
    Api.of(Home.of()).post(f"/api/jobs/{job_id}/retry", {})
    Console().print(f"Job {job_id} is being retried; `./notflix jobs` shows its progress.", highlight=False)
