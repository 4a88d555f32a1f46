"""`./notflix traces` shows durations on one machine: from upload to ready film, and from click to first picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.media import Film, make_film

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

LONG = Film(frames=24 * 62, width=96, height=54)
"""A film that needs every kind of step: `encode_front` encodes only a part of its pictures and of its sound."""


def test_an_upload_and_a_playback_are_each_one_trace(product: Product, viewer: SomeViewer, tmp_path: Path) -> None:
    film = make_film(LONG, tmp_path).rename(tmp_path / "traced film.mp4")
    sent = product.run("ingest", str(film), "--json")
    assert sent.returncode == 0, sent.stderr
    job = json.loads(sent.stdout)

    opened = viewer.ask("POST", f"titles/{job['title_id']}/playback").json()
    beat = {"ticket": opened["usage_ticket"], "sequence": 0, "position_s": 1.0, "qoe": {"startup_ms": 640}}
    assert viewer.ask("PUT", f"usage/{job['title_id']}", beat).status_code == 204

    overview = product.run("traces").stdout
    assert f"job:{job['job_id']}" in overview
    assert "upload to ready" in overview
    assert "click to first picture" in overview
    steps = product.run("traces", job["job_id"]).stdout
    assert "upload to ready" in steps
    kinds = {line.split()[0] for line in steps.splitlines() if line.startswith("  ")}
    assert kinds - {"verify", "prepare"} == {"plan", "front", "chunk", "track", "publish"}
    assert "encoder" in steps
    assert viewer.email not in overview + steps
    assert viewer.user_id not in overview + steps
