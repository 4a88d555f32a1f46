"""The fields of a job that change together with its status."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.encoding.model import EncodePlan, StepFault
    from functions.encoding.spending.receipts import TitleReceipt
    from functions.encoding.track_state import TrackState
    from functions.encoding.upkeep.verification import Verification


class ChangedFields(TypedDict, total=False):
    """The fields of a job that may change together with its status."""

    created_at: datetime
    plan: EncodePlan
    etag: str
    size: int
    uploaded_at: datetime | None
    tracks: Mapping[str, TrackState]
    playable_at: datetime | None
    reason: str | None
    fault: str | None
    faults: Mapping[str, StepFault]
    planning_at: datetime
    planned_at: datetime
    ended_at: datetime | None
    verify_at: datetime | None
    verify_repairs: bool
    verified: Verification | None
    sweep_at: datetime | None
    dismissed_at: datetime | None
    remakes: int
    receipt: TitleReceipt | None
    prepares: bool
    av1_due_at: datetime | None
    intros_due_at: datetime | None
    captions_due_at: datetime | None
