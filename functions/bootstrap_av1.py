"""The composition root of encodes in AV1, which use what the other slices know; see `bootstrap`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from functions.encoding.av1.pipeline import Av1Pipeline
    from functions.encoding.av1.service import Av1Service


@lazy
def av1() -> Av1Service:
    """Return the service that begins encodes in AV1."""
    from functions.encoding.assembly import assemble_av1

    return assemble_av1(
        bootstrap.resources, bootstrap.catalogue(), lambda title_id: bootstrap.usage().watched_av1_min(title_id)
    )


@lazy
def av1_steps() -> Av1Pipeline:
    """Return what runs the steps of encodes in AV1; only the encoder app, which has ffmpeg, uses it."""
    from functions.encoding.assembly import assemble_av1_steps

    return assemble_av1_steps(bootstrap.resources, bootstrap.catalogue())
