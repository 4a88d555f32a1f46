"""`./notflix jobs` says what encodes cost, and why films wait."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from infra.local.cli import jobs
from infra.local.cli.admin_commands import admin as commands
from infra.local.cli.jobs import captions_of, cost_of, spending_of

admin = typer.main.get_command(commands)


def job(status: str, **cost: int | None) -> dict[str, Any]:
    """Return a job with a cost."""
    known = {"estimate_microusd": None, "encode_microusd": 0, "storage_microusd": None}
    return {"status": status, "cost": {**known, **cost}}


def test_a_job_in_progress_shows_its_cost_beside_its_estimate() -> None:
    assert cost_of(job("queued")) == ""
    assert cost_of(job("encoding", estimate_microusd=432_000, encode_microusd=101_000)) == "$0.10 of about $0.43"


def test_a_finished_job_shows_what_it_has_cost() -> None:
    assert cost_of(job("ready", estimate_microusd=432_000, encode_microusd=401_000)) == "$0.40"
    assert cost_of(job("failed")) == ""


def test_the_month_is_shown_with_its_limit() -> None:
    month = {"month": "2026-11", "encode_microusd": 3_200_000, "limit_microusd": 20_000_000}
    assert spending_of(month) == "Encoding in 2026-11: $3.20 at Azure's list prices; the limit is $20.00."
    assert "there is no limit" in spending_of({**month, "limit_microusd": None})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Automatic captions (en), 1,234 cues: https://blobs/t0.vtt"),
        ({"cues": 0, "url": None}, "No automatic captions: nothing is said in the film."),
        ({"status": "encoding"}, "Making automatic captions."),
        ({"status": "encoding", "reason": "The encoder lacks a model."}, "The encoder lacks a model."),
        ({"status": "abandoned", "reason": "The sound is gone."}, "No automatic captions: The sound is gone."),
    ],
)
def test_automatic_captions_say_where_they_are_or_what_hinders_them(changes: dict[str, Any], told: str) -> None:
    found = {"status": "complete", "language": "en", "cues": 1234, "url": "https://blobs/t0.vtt", "reason": None}
    assert captions_of(found | changes) == told


class Limits:
    """An API with a default limit, which can be changed."""

    def __init__(self) -> None:
        self.usd: int | None = None

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/api/encoding/limit"
        return {"usd": 5 if self.usd is None else self.usd, "default_usd": 5, "is_set": self.usd is not None}

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.usd = body["usd"]
        return self.get(path)


def test_the_monthly_limit_is_shown_and_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = Limits()
    monkeypatch.setattr("infra.local.cli.api.Api.of", lambda home: limits)
    for arguments, told in (
        ((), "Encoding may cost at most $5 a month (the default in the settings)."),
        (("1500",), "Encoding may cost at most $1,500 a month (set by an owner)."),
        (("0",), "Encoding has no monthly limit (set by an owner)."),
        (("--default",), "Encoding may cost at most $5 a month (the default in the settings)."),
        (("40", "--json"), '{"usd": 40, "default_usd": 5, "is_set": true}'),
    ):
        admin(["encode-limit", *arguments], standalone_mode=False)
        assert capsys.readouterr().out == f"{told}\n"
    with pytest.raises(typer.BadParameter, match="not both"):
        admin(["encode-limit", "40", "--default"], standalone_mode=False)


PAUSED = "Paused: this month's limit of $20.00 for encoding is reached."
OWN_PICTURES = "The film's own pictures are used for 1080p."


class Answers:
    """An API with a paused job, and one that is encoded."""

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/api/jobs"
        shown = {"job_id": "0123456789ab", "name": "film.mkv", "percent": 12.0, "eta_s": None, "reason": None}
        month = {"month": "2026-11", "encode_microusd": 20_000_000, "limit_microusd": 20_000_000}
        known: dict[str, Any] = {"verification": None, "damage": None, "notes": [], "passthrough": OWN_PICTURES}
        jobs = [{**job("encoding"), **shown, **known, "paused": paused} for paused in (PAUSED, None)]
        return {"jobs": jobs, "cursor": None, "spending": month}


def test_a_paused_job_says_why(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("infra.local.cli.api.Api.of", lambda home: Answers())
    jobs.show_jobs(as_json=False)
    told = capsys.readouterr().out
    assert "paused" in told and PAUSED in told
    assert "the limit is $20.00" in told


def test_the_use_of_the_films_own_pictures_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("infra.local.cli.api.Api.of", lambda home: Answers())
    jobs.show_jobs(as_json=False)
    assert capsys.readouterr().out.count(OWN_PICTURES) == 1
