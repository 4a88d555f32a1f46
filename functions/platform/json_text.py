"""JSON in the API's format: compact, with times as `2026-11-27T04:26:20Z`."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec

from functions.platform.time import to_text


def to_json(body: object) -> str:
    """Return structs, dataclasses and plain values as JSON."""
    plain = msgspec.to_builtins(body, builtin_types=(datetime,))
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=to_text)
