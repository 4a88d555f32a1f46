"""Reads the settings of encodes in AV1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.errors import SettingMissing

if TYPE_CHECKING:
    from functions.encoding.av1.rule import Av1Mode
    from functions.platform.settings import Settings


def mode_of(settings: Settings) -> Av1Mode:
    """Return which titles are encoded in AV1. Raises SettingMissing for an unknown value of the setting."""
    from functions.encoding.av1.rule import Av1Mode

    if settings.encode_av1 not in set(Av1Mode):
        raise SettingMissing(f"ENCODE_AV1 must be {', '.join(Av1Mode)}, not {settings.encode_av1!r}.")
    return Av1Mode(settings.encode_av1)
