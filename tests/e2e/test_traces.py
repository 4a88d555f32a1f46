"""`./notflix traces` shows durations on one machine: from upload to ready film, and from click to first picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.films import FILMS
from tests.support.media import make_film

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Product
    from tests.support.viewers import SomeViewer


def test_an_upload_and_a_playback_are_each_one_trace(product: Product, viewer: SomeViewer, tmp_path: Path) -> None:
    film = make_film(FILMS["shorter than a segment"], tmp_path).rename(tmp_path / "traced film.mp4")
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
    for step in ("plan", "chunk", "track", "publish"):
        assert step in steps
    assert "encoder" in steps
    assert viewer.email not in overview + steps
    assert viewer.user_id not in overview + steps
