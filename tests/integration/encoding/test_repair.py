"""The real ffmpeg and storage in memory: files that storage loses are found and made again."""

from __future__ import annotations

from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus
from functions.encoding.upkeep.remakes import MOST_REMAKES
from functions.encoding.upkeep.repair import NOT_KEPT
from functions.encoding.upkeep.verifier import SAMPLE
from functions.platform.identifiers import INTERMEDIATES
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront, PlanEncode, PublishTitle
from tests.support.cases import extended
from tests.support.encoder import Encoder
from tests.support.machine import FILM, JOB, Machine
from tests.support.media import Film, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from functions.encoding.model import EncodeJob, SourceRef
    from functions.encoding.outcomes import StepMessage
    from functions.encoding.upkeep.verification import Verification

VERIFY = PublishTitle(JOB, verify=True)
CHUNKS = (3, 4)
"""The film has two chunks, of three and four segments."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(FILM, tmp_path_factory.mktemp("film"))


@pytest.fixture
def machine(film: Path, tmp_path: Path) -> Machine:
    """Return a machine that has encoded every part, but not published the film."""
    made = Machine(film, tmp_path, CHUNKS)
    for step in (EncodeAudio(JOB, "a0"), EncodeFront(JOB), EncodeChunk()):
        made.run(step)
    return made


@dataclass(frozen=True, slots=True)
class PublishedFilm:
    """A machine with a published and verified film, its job, and its files by their names in the job's folder."""

    machine: Machine
    job: EncodeJob
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def published(film: Path, tmp_path_factory: pytest.TempPathFactory) -> PublishedFilm:
    made = Machine(film, tmp_path_factory.mktemp("work"), CHUNKS)
    continue_work(made, (PlanEncode(JOB),))
    made.run(VERIFY)
    return PublishedFilm(made, made.jobs.get_job(JOB), files_of(made))


@pytest.fixture
def ready(published: PublishedFilm) -> Machine:
    """Return the machine with the published film, as it was before other tests."""
    made = published.machine
    made.media.blobs = {(made.container, f"{JOB}/{name}"): content for name, content in published.files.items()}
    made.jobs.put_job(published.job)
    return made


def files_of(machine: Machine) -> dict[str, bytes]:
    return {name.removeprefix(f"{JOB}/"): content for (_, name), content in machine.media.blobs.items()}


def title_status(machine: Machine) -> Status:
    return machine.encode.title.status


def verified(machine: Machine) -> Verification:
    """Verify the film as an owner requests it; return the result."""
    machine.encode.service.verify_job(JOB)
    machine.run(VERIFY)
    result = machine.jobs.get_job(JOB).verified
    assert result
    return result


def continue_work(machine: Machine, messages: tuple[StepMessage, ...]) -> None:
    """Run steps, and those that follow from them, until nothing is left to do."""
    left = list(messages)
    while left:
        outcome = machine.encode.run(left.pop(0), machine.pipeline)
        left += outcome.messages if outcome else ()


def test_part_that_storage_lost_is_encoded_again_before_the_film_is_ready(machine: Machine) -> None:
    complete = files_of(machine)
    for name, lost in (("a0/s00002.m4s", EncodeAudio(JOB, "a0")), ("v54/s00006.m4s", EncodeChunk())):
        machine.media.delete_blob(machine.container, f"{JOB}/{name}")
        outcome = machine.run(PublishTitle(JOB))
        assert (outcome.ended, outcome.messages) == (False, (lost,))
        machine.run(lost)
    machine.media.blobs[machine.container, f"{JOB}/v90/s00002.m4s"] += b"x"
    assert machine.run(PublishTitle(JOB)).messages == (EncodeFront(JOB),)
    machine.run(EncodeFront(JOB))
    assert machine.run(PublishTitle(JOB)).ended
    assert complete.keys() <= files_of(machine).keys()
    assert machine.jobs.get_job(JOB).remakes == 3


def test_film_whose_parts_are_lost_again_and_again_fails_with_the_reason(machine: Machine) -> None:
    machine.jobs.set_status(JOB, JobStatus.ENCODING, remakes=MOST_REMAKES)
    machine.media.delete_blob(machine.container, f"{JOB}/v90/init.mp4")
    assert machine.run(PublishTitle(JOB)).ended
    job = machine.jobs.get_job(JOB)
    assert (job.status, job.reason) == (JobStatus.FAILED, NOT_KEPT)


def test_container_that_storage_lost_is_created_again_and_everything_is_encoded_again(
    film: Path, tmp_path: Path
) -> None:
    machine = Machine(film, tmp_path, CHUNKS)
    machine.run(EncodeAudio(JOB, "a0"))
    machine.media.lose_container(machine.container)
    outcome = machine.run(EncodeFront(JOB))
    assert outcome.messages == (PlanEncode(JOB),)
    continue_work(machine, outcome.messages)
    assert machine.jobs.get_job(JOB).status is JobStatus.READY
    assert verified(machine).damaged == 0


def test_container_of_a_title_that_is_withdrawn_during_an_encode_is_not_created_again(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(film, tmp_path, CHUNKS)
    store = machine.media.store_file

    def withdrawn_meanwhile(container: str, name: str, path: Path) -> None:
        if container not in machine.media.missing:
            machine.media.lose_container(container)
            machine.encode.service.cancel(machine.encode.title_id, "Its title was withdrawn.")
        store(container, name, path)

    monkeypatch.setattr(machine.media, "store_file", withdrawn_meanwhile)
    assert machine.run(EncodeAudio(JOB, "a0")).messages == ()
    assert machine.media.missing == {machine.container}


def test_intact_film_is_verified(ready: Machine) -> None:
    files = files_of(ready)
    result = verified(ready)
    assert (result.damaged, result.examples) == (0, ())
    assert (result.files, result.size) == (len(files), sum(map(len, files.values())))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("v90/s00001.m4s", None),
        extended("v54/init.mp4", None),
        ("a0/s00000.m4s", lambda _: b""),
        extended("a0/init.mp4", None),
        extended("thumbnails/c00001.jpg", None),
        ("manifest.mpd", None),
        ("manifest.mpd", lambda mpd: mpd.replace(b'type="static"', b'type="dynamic"')),
        extended("manifest.mpd", lambda mpd: mpd.replace(b'r="6"', b'r="5"')),
        extended("manifest.mpd", lambda mpd: mpd[:200]),
        ("master.m3u8", lambda text: text.replace(b"v54.m3u8", b"v55.m3u8")),
        extended("v90.m3u8", lambda text: text.replace(b"#EXT-X-ENDLIST\n", b"")),
        extended("v54.m3u8", lambda text: text.replace(b"s00002", b"s00012")),
        extended("a0.m3u8", lambda text: text.replace(b"#EXTINF:4.0", b"#EXTINF:3.0")),
        extended("thumbnails.vtt", lambda text: text.replace(b"c00000", b"c00009")),
    ],
)
def test_damage_is_found_and_repaired(ready: Machine, name: str, change: Callable[[bytes], bytes] | None) -> None:
    before = files_of(ready)
    if change is None:
        ready.media.delete_blob(ready.container, f"{JOB}/{name}")
    else:
        ready.media.blobs[ready.container, f"{JOB}/{name}"] = change(before[name])
    assert files_of(ready) != before
    result = verified(ready)
    assert (result.damaged, result.examples) == (1, (name,))
    assert ready.jobs.get_job(JOB).status is JobStatus.READY, "a verification changes nothing"
    ready.encode.service.retry_job(JOB)
    continue_work(ready, (VERIFY,))
    assert files_of(ready).keys() == before.keys()
    assert ready.jobs.get_job(JOB).status is JobStatus.READY
    assert ready.encode.title.status is Status.READY
    assert verified(ready).damaged == 0


def test_old_and_new_segments_of_a_chunk_that_is_encoded_again_can_be_mixed(ready: Machine, tmp_path: Path) -> None:
    """x264 may write other bytes. A player that loaded some segments before the loss plays the new ones after them."""
    before = files_of(ready)
    ready.media.delete_blob(ready.container, f"{JOB}/v90/s00004.m4s")
    ready.encode.service.retry_job(JOB)
    continue_work(ready, (VERIFY,))
    after = files_of(ready)
    assert after.keys() == before.keys()
    for number, name in enumerate(sorted(after)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith("init.mp4"):
            assert after[name] == before[name]
        path.write_bytes((before if number % 2 else after)[name])
    published = Published(tmp_path)
    assert published.faults() == []
    assert published.numbers("v90") == list(range(FILM.frames))


@dataclass(frozen=True, slots=True)
class CopiedFilm:
    """A published film with copied pictures and subtitles, its job, and its files by their names in its folder."""

    encoder: Encoder
    job: EncodeJob
    folder: Path
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> CopiedFilm:
    folder = tmp_path_factory.mktemp("copied")
    encoder = Encoder(folder / "storage")
    source = Film(name="film.mp4", frames=24 * 14, width=640, height=360, subtitles=("eng",))
    made = encoder.encode(make_film(source, folder))
    assert made.status is JobStatus.READY
    published = encoder.published(made)
    paths = [path for path in published.rglob("*") if path.is_file()]
    files = {str(path.relative_to(published)): path.read_bytes() for path in paths}
    return CopiedFilm(encoder, encoder.job(made), published, files)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("original.mpd", None),
        extended("original.mpd", lambda mpd: mpd.replace(b'type="static"', b'type="dynamic"')),
        extended("original.mpd", lambda mpd: mpd.replace(b"<S ", b"<T ", 1)),
        ("manifest.mpd", lambda mpd: mpd.replace(b"t0.vtt", b"t1.vtt")),
        extended("manifest.mpd", lambda mpd: mpd.replace(b'contentType="text"', b'contentType="image"')),
        extended("t0.m3u8", lambda text: text.replace(b"t0.vtt", b"t1.vtt")),
        ("t0.vtt", None),
        extended("t0.vtt", lambda text: b"\0" * len(text)),
        extended("c360/s00001.m4s", None),
        extended("v234/s00001.m4s", None),
    ],
)
def test_damage_of_a_film_with_copied_pictures_and_subtitles_is_found_and_repaired(
    copied: CopiedFilm, name: str, change: Callable[[bytes], bytes] | None
) -> None:
    world, path = copied.encoder.world, copied.folder / name
    verify = PublishTitle(copied.job.id, verify=True)

    def found() -> Verification:
        world.service.verify_job(copied.job.id)
        world.run(verify, copied.encoder.pipeline)
        result = world.jobs.get_job(copied.job.id).verified
        assert result
        return result

    assert (found().damaged, found().files) == (0, len(copied.files))
    path.unlink() if change is None else path.write_bytes(change(copied.files[name]))
    assert not path.exists() or path.read_bytes() != copied.files[name]
    result = found()
    assert (result.damaged, result.examples) == (1, (name,))
    world.service.retry_job(copied.job.id)
    again = copied.encoder.continue_job(copied.job.id, [verify])
    assert again.status is JobStatus.READY
    if name.startswith("v"):  # x264 does not produce the same bytes each time
        assert path.exists()
    else:
        assert path.read_bytes() == copied.files[name]
    assert found().damaged == 0


@pytest.mark.parametrize("track", ["c360", extended("c0")])
def test_copied_segments_that_do_not_decode_are_copied_again(copied: CopiedFilm, track: str) -> None:
    world, job_id = copied.encoder.world, copied.job.id
    for name in copied.files:
        if name.startswith(f"{track}/s"):
            content = copied.files[name]
            kept = len(content) // 3
            (copied.folder / name).write_bytes(content[:kept] + b"\xff" * (len(content) - kept))
    world.service.retry_job(job_id)
    again = copied.encoder.continue_job(job_id, [PublishTitle(job_id, verify=True)])
    assert again.status is JobStatus.READY
    changed = [name for name, content in copied.files.items() if (copied.folder / name).read_bytes() != content]
    assert not any(name.startswith(f"{track}/") for name in changed)
    assert world.jobs.get_job(job_id).chunks_done == copied.job.chunks_done


def test_segments_that_do_not_decode_are_found_by_a_sample(ready: Machine) -> None:
    """Every segment of a rendition is damaged but has its size, so any sample contains a damaged one."""
    before = files_of(ready)
    for name, content in before.items():
        if name.startswith("v90/s"):
            kept = len(content) // 3
            ready.media.blobs[ready.container, f"{JOB}/{name}"] = content[:kept] + b"\xff" * (len(content) - kept)
    result = verified(ready)
    assert 1 <= result.damaged <= SAMPLE
    assert set(result.examples) <= {name for name in before if name.startswith("v90/s")}
    while verified(ready).damaged:
        ready.encode.service.retry_job(JOB)
        continue_work(ready, (VERIFY,))
    assert files_of(ready).keys() == before.keys()


def test_film_that_became_ready_is_verified_and_repaired_by_itself(machine: Machine) -> None:
    machine.run(PublishTitle(JOB))
    before = files_of(machine)
    machine.media.lose_container(machine.container)
    machine.encode.clock.forward(minutes=1)
    assert machine.encode.service.verify_due() == 1
    outcome = machine.run(VERIFY)
    assert title_status(machine) is Status.ENCODING, "no title says ready that is not"
    continue_work(machine, outcome.messages)
    assert title_status(machine) is Status.READY
    assert files_of(machine).keys() == before.keys()
    progress = machine.encode.service.progress(JOB)
    assert progress
    assert (progress.status, progress.percent) == (JobStatus.READY, 100.0)


def test_film_whose_source_was_remuxed_is_remuxed_again_for_its_repair(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path)
    film = Film(name="film.ts", frames=24 * 14, width=160, height=90)
    made = encoder.encode(make_film(film, tmp_path))
    job = encoder.job(made)
    assert job.plan
    assert job.status is JobStatus.READY
    assert job.plan.source != job.upload
    segment = encoder.published(made) / "v90" / "s00001.m4s"
    segment.unlink()
    encoder.world.service.retry_job(job.id)
    again = encoder.continue_job(job.id, [PublishTitle(job.id, verify=True)])
    assert (again.status, segment.exists()) == (JobStatus.READY, True)
    assert encoder.media.list_names(INTERMEDIATES, "") == []
    assert Published(encoder.published(made)).faults() == []


@pytest.fixture
def gone() -> Iterator[str]:
    """Return an address that answers 404, as storage does for a blob that does not exist."""

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/gone"
        server.shutdown()


def test_remuxed_copy_that_storage_lost_is_made_again_and_that_of_a_lost_upload_ends_the_job(
    tmp_path: Path, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder(tmp_path)
    source = make_film(Film(name="film.ts", frames=24 * 14, width=160, height=90), tmp_path)
    job_id = encoder.upload(source)
    planned = encoder.planned(job_id)
    copy = encoder.media.path_of(INTERMEDIATES, f"{job_id}/source.mkv")
    address = encoder.media.signed_address

    def address_or_gone(source: SourceRef, *, lasts: timedelta) -> str:
        path = address(source, lasts=lasts)
        return path if Path(path).exists() else gone

    monkeypatch.setattr(encoder.media, "signed_address", address_or_gone)
    copy.unlink()
    again = encoder.world.run(EncodeFront(job_id), encoder.pipeline)
    assert again
    assert again.messages == (PlanEncode(job_id),)
    restored = encoder.planned(job_id)
    assert copy.exists()
    assert restored.messages == planned.messages

    copy.unlink()
    encoder.media.path_of("uploads", "film.ts").unlink()
    ended = encoder.continue_job(job_id, [EncodeFront(job_id)])
    assert (ended.status, ended.reason) == (
        JobStatus.FAILED,
        "The upload film.ts is no longer in storage. Upload it again.",
    )
