"""The composition root of renditions on demand, which use what the other slices know; see `bootstrap`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from functions.encoding.on_demand.pipeline import OnDemandPipeline
    from functions.encoding.on_demand.service import RenditionUpkeep


@lazy
def renditions() -> RenditionUpkeep:
    """Return the upkeep of renditions on demand."""
    from functions.encoding.assembly import assemble_renditions

    return assemble_renditions(bootstrap.resources, bootstrap.catalogue())


@lazy
def rendition_steps() -> OnDemandPipeline:
    """Return what runs the steps of encodes on demand; only the encoder app, which has ffmpeg, uses it."""
    from functions.encoding.assembly import assemble_rendition_steps

    return assemble_rendition_steps(bootstrap.resources, bootstrap.catalogue())
