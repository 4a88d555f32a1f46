"""The composition root of automatic captions; see `bootstrap`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from functions.encoding.captions.pipeline import CaptionsPipeline
    from functions.encoding.captions.service import CaptionsService


@lazy
def captions() -> CaptionsService:
    """Return the service that begins automatic captions."""
    from functions.encoding.assembly import assemble_captions

    return assemble_captions(bootstrap.resources, bootstrap.catalogue())


@lazy
def captions_steps() -> CaptionsPipeline:
    """Return what runs the steps of automatic captions; only the encoder app, which has ffmpeg, uses it."""
    from functions.encoding.assembly import assemble_captions_steps

    return assemble_captions_steps(bootstrap.resources, bootstrap.catalogue())
