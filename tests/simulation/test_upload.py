"""From upload to ready: whatever crashes, stalls or arrives twice, every upload ends as a title or with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.encoding.copying import track_copier
from tests.simulation.upload_flow import UploadFlow
from tests.simulation.upload_samples import Samples
from tests.support.catalogue import make_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.simulation.flow import Flow
    from tests.simulation.wiring import Wiring


@pytest.fixture(scope="module")
def uploads(wiring: Wiring, work_dir: Path) -> Iterator[UploadFlow]:
    """Return the flow; films that have to be read as a whole count as large, so their plans are steps of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track_copier, "AT_ONCE_BYTES", 0)
        yield UploadFlow(wiring, work_dir, Samples.make(work_dir), make_picture())


@pytest.mark.timeout(0)
def test_every_upload_ends_as_a_ready_title_or_with_a_reason(
    uploads: UploadFlow, campaign: Callable[[Flow, int], None]
) -> None:
    campaign(uploads, 400)
