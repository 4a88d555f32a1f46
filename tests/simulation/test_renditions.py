"""From ready to all renditions: whatever crashes or stalls, AV1 is complete, and no file is listed that is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulation.rendition_flow import RenditionFlow
from tests.simulation.upload_samples import Samples
from tests.support.catalogue import make_picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulation.flow import Flow
    from tests.simulation.wiring import Wiring


@pytest.mark.timeout(0)
def test_renditions_that_are_made_later_are_complete_or_not_listed(
    wiring: Wiring, work_dir: Path, campaign: Callable[[Flow, int], None]
) -> None:
    campaign(RenditionFlow(wiring, work_dir, Samples.make(work_dir), make_picture()), 120)
