"""The settings that an owner chooses by NOTFLIX_SETTINGS, such as `PUBLISH_TITLES=reviewed,STREAMS_PER_ACCOUNT=2`.

The template passes them to both apps. All other settings have parameters of their own, or must not be changed.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from functions.platform.settings import ENVIRONMENT_NAMES, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "NOTFLIX_SETTINGS"
NAMES = (
    "AUTOMATIC_CAPTIONS",
    "ENCODE_AV1",
    "ENCODE_PRESET",
    "ENCODE_RENDITIONS",
    "ENCRYPT_FILMS",
    "FIND_INTROS",
    "LOUDNESS_LUFS",
    "MAILS_PER_HOUR",
    "MAX_DAMAGED_PERCENT",
    "MAX_DAMAGED_RUN_S",
    "MAX_DURATION_HOURS",
    "MAX_UPLOAD_GB",
    "PASSTHROUGH_PERCENT",
    "UPLOAD_PATIENCE_HOURS",
    "PLAYBACK_SAS_MINUTES",
    "PROVISIONAL_PERCENT",
    "PUBLISH_TITLES",
    "RENDITIONS_KEPT_DAYS",
    "SESSION_DAYS",
    "SESSION_IDLE_HOURS",
    "STREAMS_PER_ACCOUNT",
    "SURROUND_SOUND",
)
NUMBERS = {ENVIRONMENT_NAMES[field.name] for field in fields(Settings) if field.type == "int"}


def faults(text: str) -> Iterator[str]:
    """Yield a sentence for each part of the variable that is not a permitted setting with a value."""
    seen: set[str] = set()
    for part in text.split(",") if text else ():
        name, equals, value = part.partition("=")
        if name not in NAMES:
            yield f"{VARIABLE} has {name or 'nothing'} between two commas, which is none of {', '.join(NAMES)}."
        elif name in seen:
            yield f"{VARIABLE} has {name} twice."
        elif not equals or not value or "=" in value:
            yield f"{VARIABLE} must have {name}=VALUE instead of {part}."
        elif name in NUMBERS and not value.isdecimal():
            yield f"{VARIABLE} has {name}={value}, which must be a whole number."
        seen.add(name)
