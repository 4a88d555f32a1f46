"""The documents of encode jobs in Mongo: how jobs, summaries and work are stored in them and read from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec

from functions.encoding.model import EncodeJob, JobSummary, copy_of
from functions.encoding.on_demand_encode import estimates_of
from functions.encoding.publication.presentation import front_s_of
from functions.encoding.steps import JobWork, track_shares
from functions.encoding.tracks import notes_of
from functions.platform.decoding import convert
from functions.platform.identifiers import container_for
from functions.platform.time import to_sortable_text

if TYPE_CHECKING:
    from functions.encoding.model import EncodePlan

NOT_IN_SUMMARY = dict.fromkeys(("plan", "chunks_done", "chunk_sizes", "results", "codecs", "tracks", "faults"), 0)
NOT_IN_SUMMARY |= dict.fromkeys(("av1.results", "av1.attempts", "av1.codecs"), 0)
NOT_IN_SUMMARY |= dict.fromkeys(("on_demand.sizes", "on_demand.attempts", "on_demand.codecs"), 0)
NOT_IN_SUMMARY |= dict.fromkeys(("captions.pieces", "captions.attempts", "late"), 0)
"""The fields that are not read for a summary."""

IN_WORK = dict.fromkeys(
    (
        "status",
        "created_at",
        "updated_at",
        "planned_at",
        "served_at",
        "audience",
        "chunks_done",
        "faults",
        "requests",
        "cost",
        "prepares",
        "summary",
    ),
    1,
)

NO_TURNS: dict[str, str | None] = {"front_turn": None, "turn": None}
"""A job that needs no chunk, or has failed, has no place in the order of turns."""


def plain(value: object) -> Any:
    """Convert a value to the form stored in Mongo: fractions become strings such as 30000/1001, times are unchanged."""
    return msgspec.to_builtins(value, builtin_types=(datetime,), enc_hook=str)


def _read_fraction(kind: type, value: Any) -> Any:
    return kind(value) if kind is Fraction else value


def job_of(document: dict[str, Any]) -> EncodeJob:
    """Return the job in a document.

    Versions before 0.3 stored the copy of an upload in the container of the title, which viewers can read. It is not
    read there any more: an encode that needs it makes it again, and the sweep deletes the old one.
    """
    plan = document.get("plan")
    if plan and plan["source"]["container"] == container_for(document["title_id"]):
        document = {**document, "plan": {**plan, "source": plain(copy_of(document["_id"]))}}
    return convert({**document, "id": document["_id"]}, EncodeJob, dec_hook=_read_fraction)


def summary_of(document: dict[str, Any]) -> JobSummary:
    """Return the summary in a stored job."""
    counts = dict(document.get("summary", ()))
    running = sum(document["live"].values())
    counts["segments_stored"] = counts.pop("segments_done", 0) + running
    counts["tracks"] = counts.get("tracks") or {}
    return convert({**document, "id": document["_id"], **counts}, JobSummary, dec_hook=_read_fraction)


def work_of(document: dict[str, Any]) -> JobWork:
    """Return the work in a stored job that was read with the fields `IN_WORK`."""
    summary = document.get("summary", {})
    counts = {"chunks": summary.get("chunks", 0), "tracks": summary.get("tracks") or {}}
    return convert({**document, "id": document["_id"], **counts}, JobWork)


def turns_of(job: EncodeJob) -> dict[str, str | None]:
    """Return an open job's places among the jobs that lack their first chunk, and among those that lack any chunk.

    A job that has had a turn follows those that had none; `take_turn` then replaces its place by the time of the turn.
    """
    if not job.missing_chunks:
        return NO_TURNS
    age = f"{to_sortable_text(job.planned_at or job.created_at)}/{job.id}"
    return {"front_turn": age if 0 in job.missing_chunks else None, "turn": f"/{age}"}


def planned_fields(plan: EncodePlan) -> dict[str, object]:
    return {
        "duration_s": float(plan.duration),
        "chunks": len(plan.chunks),
        "segments": plan.grid.segments,
        "tracks": track_shares(plan, {}),
        "grid": plain(replace(plan.grid, cuts=())),
        "passthrough": plan.passthrough,
        "provisional": plan.copied.rendition.name if plan.copied and plan.copied.is_provisional else "",
        "missing": plan.missing,
        "notes": list(plan.notes),
        "renditions_on_demand": plain(estimates_of(plan.on_demand, plan.grid)),
    }


def summary_fields(job: EncodeJob) -> dict[str, object]:
    """Return the stored part of a job's summary, computed from its plan."""
    done = [chunk for chunk in job.plan.chunks if chunk.index in job.chunks_done] if job.plan else []
    return {
        **(planned_fields(job.plan) if job.plan else {}),
        "tracks": track_shares(job.plan, job.tracks) if job.plan else {},
        "notes": list(notes_of(job)),
        "chunks_done": len(done),
        "segments_done": sum(chunk.segments for chunk in done),
        "front_s": front_s_of(job),
    }


def position_of(job: EncodeJob | JobSummary) -> str:
    """Return the position of a job in a list sorted by age: the time at which it was opened, and its id."""
    return f"{to_sortable_text(job.created_at)}/{job.id}"
