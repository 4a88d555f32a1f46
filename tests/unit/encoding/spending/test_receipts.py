"""The receipt of a title, from the results of its chunks."""

from __future__ import annotations

from dataclasses import replace

from functions.encoding.losses import Loss
from functions.encoding.model import EncodeJob, JobStatus
from functions.encoding.spending.receipt_schemas import JobReceipt
from functions.encoding.spending.receipts import ChunkResult, RenditionResult, receipt_of
from functions.encoding.upkeep.remakes import without_parts
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_world import EncodeWorld


def result(best: RenditionResult, *, at: tuple[float, ...] = ()) -> ChunkResult:
    return ChunkResult({"v360": best, "v234": RenditionResult(23.0, 100)}, at)


def finished(*bests: RenditionResult, at: tuple[float, ...] = ()) -> EncodeJob:
    """Return a job whose chunks have these results."""
    plan = make_plan(runs=(1,) * (len(bests) - 1) + (11 - len(bests) + 1,))
    results = {str(index): result(best, at=at) for index, best in enumerate(bests)}
    return make_job(plan=plan, status=JobStatus.ENCODING, results=results)


def test_receipt_adds_up_the_chunks() -> None:
    receipt = receipt_of(finished(RenditionResult(21.5, 1000), RenditionResult(26.0, 3000)))
    assert receipt
    best, lowest = receipt.renditions
    assert (best.name, best.size, best.lowest_crf, best.highest_crf) == ("v360", 4000, 21.5, 26.0)
    assert receipt.size == 4200
    assert (best.width, best.height, lowest.size) == (640, 360, 200)


def test_saving_is_compared_with_the_maximum_bitrates() -> None:
    receipt = receipt_of(finished(RenditionResult(23.0, 1000)))
    assert receipt
    whole = 1000 / 24 * (800 + 400) * 125
    assert abs(receipt.saved - (whole - 1100)) <= 2


def test_quality_names_the_worst_second_and_where_it_is() -> None:
    chunks = [RenditionResult(23.0, 1000, (90.0 + index,)) for index in range(4)]
    job = finished(*chunks)
    results = {index: replace(each, measured_at=(float(index) * 4,)) for index, each in job.results.items()}
    receipt = receipt_of(replace(job, results=results))
    assert receipt
    best = receipt.renditions[0]
    assert (best.mean_vmaf, best.low_vmaf, best.worst_vmaf, best.worst_at_s) == (91.5, 90.0, 90.0, 0.0)
    assert receipt.measured_s == 4
    assert receipt.renditions[1].mean_vmaf is None


def test_low_quality_is_what_nineteen_of_twenty_seconds_exceed() -> None:
    seconds = tuple(float(each) for each in range(60, 100))
    receipt = receipt_of(finished(RenditionResult(23.0, 1000, seconds), at=tuple(map(float, range(40)))))
    assert receipt
    assert (receipt.renditions[0].low_vmaf, receipt.renditions[0].worst_vmaf) == (62.0, 60.0)


def test_job_of_an_earlier_version_has_no_receipt() -> None:
    job = finished(RenditionResult(23.0, 1000), RenditionResult(23.0, 1000))
    assert receipt_of(replace(job, results={"0": job.results["0"]})) is None
    assert receipt_of(make_job()) is None


def test_result_of_a_lost_chunk_is_forgotten() -> None:
    job = replace(finished(RenditionResult(23.0, 1000), RenditionResult(23.0, 1000)), chunks_done=frozenset({0, 1}))
    assert set(without_parts(job, Loss(chunks=frozenset({1}))).results) == {"0"}


def test_ready_job_has_its_receipt_and_shows_it() -> None:
    encode = EncodeWorld()
    job_id = encode.planned()
    for index in range(4):
        encode.jobs.finish_chunk(
            encode.jobs.get_job(job_id),
            index,
            codecs={"v360": "avc1", "v234": "avc1"},
            cpu_s=1,
            tail=None,
            result=result(RenditionResult(23.0, 1000)),
        )
    progress = encode.service.progress(job_id)
    assert progress
    assert progress.receipt is None
    encode.complete(job_id)
    progress = encode.service.progress(job_id)
    assert progress
    assert progress.receipt
    assert progress.receipt.renditions[0].size == 4000


def test_api_shows_bytes_savings_and_quality() -> None:
    receipt = receipt_of(finished(RenditionResult(21.5, 1000, (93.14,)), at=(8.0,)))
    assert receipt
    shown = JobReceipt.of(receipt)
    assert (shown.size, shown.saved, shown.measured_s) == (receipt.size, receipt.saved, 1)
    best = shown.renditions[0]
    assert (best.name, best.mean_vmaf, best.worst_at_s, best.lowest_crf) == ("v360", 93.1, 8.0, 21.5)
