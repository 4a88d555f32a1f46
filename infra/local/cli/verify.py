"""`verify`: prove that published titles can be played: every file is stored, fits its manifests, and a sample decodes.

The encoder does the work, one title after the other, so that encodes hardly wait.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.console import Console

from infra.local.cli.api import Api
from infra.local.home import CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASK_EVERY_S = 0.5
VERIFIED_WITHIN_S = 600.0
"""How long to wait for an encoder to verify a title; encodes that were enqueued before are finished first."""

REPAIRED_WITHIN_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Proof:
    """The result for a title.

    `examples` are the names of some of its damaged files, before any repair; `problem` says why the title could not be
    verified or repaired.
    """

    title_id: str
    job_id: str
    name: str
    files: int
    size: int
    damaged: int
    examples: list[str]
    repaired: bool = False
    problem: str = ""

    @property
    def is_sound(self) -> bool:
        """Return whether the title can be played, as far as is known."""
        return not self.problem and (not self.damaged or self.repaired)


def verify_titles(title: str, *, every: bool, repair: bool, as_json: bool) -> None:
    """Verify a title or all of them, print the results, and raise SystemExit(1) if one is damaged."""
    if bool(title) == every:
        raise CannotRun("Name a title, as in the address of its page, or pass --all.")
    api, console = Api.of(Home.of()), Console(stderr=as_json)
    proofs = []
    for found in titles_of(api, title):
        proof = prove_or_say(api, found, repair=repair, sleep=time.sleep)
        proofs.append(proof)
        console.print(sentence_of(proof), highlight=False)
    damaged = [proof for proof in proofs if not proof.is_sound]
    if as_json:
        sys.stdout.write(json.dumps({"titles": [asdict(proof) for proof in proofs], "damaged": len(damaged)}) + "\n")
    elif not proofs:
        console.print("There are no published titles yet.")
    elif damaged and not repair:
        console.print("`--repair` encodes the damaged parts again.", highlight=False)
    elif damaged:
        console.print("Films that could not be repaired are unchanged; upload them again.", highlight=False)
    if damaged:
        raise SystemExit(1)


def titles_of(api: Api, title_id: str) -> Iterator[dict[str, Any]]:
    """Yield the named title, or all published ones if `title_id` is empty; raise CannotRun if it is not published."""
    if title_id:
        found = api.find(f"/api/titles/{quote(title_id, safe='')}")
        if found is None:
            raise CannotRun(f"There is no title {title_id}; the id is at the end of the address of its page.")
        if not _is_published(found):
            raise CannotRun(f"{found['name']} is not published yet; `./notflix jobs` shows its progress.")
        yield found
        return
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/api/catalogue/titles?limit=100&cursor={quote(cursor)}")
        yield from filter(_is_published, page["titles"])
        cursor = page["cursor"]


def prove_or_say(api: Api, title: dict[str, Any], *, repair: bool, sleep: Callable[[float], None]) -> Proof:
    """Verify a title as `prove` does; if that fails, return the reason as the result, so that others are verified."""
    try:
        return prove(api, title, repair=repair, sleep=sleep)
    except CannotRun as error:
        job_id = str(title["playback"]["job_id"])
        return Proof(title["id"], job_id, title["name"], 0, 0, 0, [], problem=str(error))


def prove(api: Api, title: dict[str, Any], *, repair: bool, sleep: Callable[[float], None]) -> Proof:
    """Verify a title and return the result; with `repair`, encode its damaged parts again and wait for that."""
    job_id = str(title["playback"]["job_id"])
    found = _verified(api, job_id, sleep)
    proof = Proof(
        title_id=title["id"],
        job_id=job_id,
        name=title["name"],
        files=found["files"],
        size=found["size"],
        damaged=found["damaged"],
        examples=found["examples"],
    )
    if proof.is_sound or not repair:
        return proof
    api.post(f"/api/jobs/{job_id}/retry", {})
    _wait(api, job_id, _is_settled, within_s=REPAIRED_WITHIN_S, sleep=sleep)
    after = _verified(api, job_id, sleep)
    return Proof(**{**asdict(proof), "repaired": not after["damaged"]})


def sentence_of(proof: Proof) -> str:
    """Return the result in a sentence."""
    if proof.problem:
        return f"{proof.name} cannot be played or verified: {proof.problem}"
    if not proof.damaged:
        return f"{proof.name}: all {proof.files} files are fine ({proof.size / 1e6:.1f} MB)."
    said = f"{proof.name}: {proof.damaged} of {proof.files} files are missing or damaged, such as {proof.examples[0]}."
    return f"{said} They have been repaired." if proof.repaired else said


def _verified(api: Api, job_id: str, sleep: Callable[[float], None]) -> dict[str, Any]:
    """Request a verification, and return its result."""
    api.post(f"/api/jobs/{job_id}/verification", {})
    job = _wait(api, job_id, _is_verified, within_s=VERIFIED_WITHIN_S, sleep=sleep)
    found: dict[str, Any] = job["verification"]
    return found


def _wait(
    api: Api,
    job_id: str,
    is_over: Callable[[dict[str, Any]], bool],
    *,
    within_s: float,
    sleep: Callable[[float], None],
) -> dict[str, Any]:
    """Wait until a job has reached a state, and return it; raise CannotRun if it fails or takes too long."""
    waited_s = 0.0
    while not is_over(job := api.get(f"/api/jobs/{job_id}")):
        if job["status"] == "failed":
            raise CannotRun(str(job["reason"]))
        if waited_s >= within_s:
            raise CannotRun(f"{job['name']} is not done after {within_s:.0f} s; check that an encoder is running.")
        sleep(ASK_EVERY_S)
        waited_s += ASK_EVERY_S
    return dict(job)


def _is_verified(job: dict[str, Any]) -> bool:
    return job["status"] == "ready" and not job["verifying"]


def _is_settled(job: dict[str, Any]) -> bool:
    """Return whether a requested repair is over: the job is ready again, or was verified without being repaired."""
    return job["status"] == "ready" and (job["verification"] is None or not job["verifying"])


def _is_published(title: dict[str, Any]) -> bool:
    return title["status"] == "ready" and title["playback"] is not None
