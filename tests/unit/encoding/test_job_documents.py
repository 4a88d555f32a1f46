"""Documents of jobs that earlier versions stored."""

from __future__ import annotations

from dataclasses import replace

from functions.encoding.job_documents import job_of, plain
from functions.encoding.model import SourceRef, copy_of
from functions.platform.identifiers import container_for
from tests.support.encoding_plans import make_job, make_plan


def test_copy_that_viewers_can_read_is_not_read_any_more() -> None:
    """It is made again at its present place when an encode needs it."""
    old = SourceRef(container_for("film-1a2b3c"), "0123456789ab/source.mkv")
    job = make_job("0123456789ab", title_id="film-1a2b3c", plan=replace(make_plan(), source=old))
    document = plain(job)
    document["_id"] = document.pop("id")
    read = job_of(document)
    assert read.plan
    assert read == replace(job, plan=replace(read.plan, source=copy_of("0123456789ab")))


def test_other_plans_are_read_as_they_were_stored() -> None:
    for source in (SourceRef("uploads", "film.mkv"), copy_of("0123456789ab")):
        job = make_job("0123456789ab", plan=replace(make_plan(), source=source))
        document = plain(job)
        document["_id"] = document.pop("id")
        assert job_of(document) == job
