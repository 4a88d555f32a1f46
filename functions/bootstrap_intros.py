"""The composition root of the comparison of episodes, which uses what the other slices know; see `bootstrap`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from functions.encoding.intros.pipeline import IntroPipeline
    from functions.encoding.intros.service import IntroService


@lazy
def intros() -> IntroService:
    """Return the service that requests comparisons."""
    from functions.encoding.assembly import assemble_intros

    return assemble_intros(bootstrap.resources, bootstrap.catalogue())


@lazy
def intro_steps() -> IntroPipeline:
    """Return what compares episodes; only the encoder app, which has ffmpeg, uses it."""
    from functions.encoding.assembly import assemble_intro_steps

    return assemble_intro_steps(bootstrap.resources, bootstrap.catalogue())
