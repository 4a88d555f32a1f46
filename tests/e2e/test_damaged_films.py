"""A film with a little damage is published, and its owner is told where the damage is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.damaged import zeroed
from tests.support.media import H264
from tests.support.source_makers import small
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.product import Product

ENDED_WITHIN_S = 300
NOTE = "One frame could not be read and was filled in (0:02)."


def test_damage_is_shown_by_the_api_and_in_the_list_of_jobs(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = zeroed(small(sounds=(), video=(*H264, "-g", "1")), 60)(tmp_path)
    storefront = Storefront(product.endpoints)
    sent = storefront.send("a scratched film.mp4", film)
    job = storefront.ended([sent], within_s=ENDED_WITHIN_S)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job["reason"]
    assert job["damage"]["note"] == NOTE
    assert (job["damage"]["pictures"], job["damage"]["missing_s"]) == (1, 0)
    assert job["damage"]["places"] == [{"begin_s": 2.5, "end_s": 2.542, "pictures": 1}]
    monkeypatch.setenv("COLUMNS", "300")
    listed = json.loads(product.run("jobs", "--json").stdout)["jobs"]
    assert next(each for each in listed if each["job_id"] == sent.job_id)["damage"] == job["damage"]
    [line] = [line for line in product.run("jobs").stdout.splitlines() if sent.job_id in line]
    assert NOTE in line
