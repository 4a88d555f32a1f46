"""The messages of all queues: one frozen dataclass per queue, with one reader and one writer of their JSON.

A message contains only ids and hints; the function that receives it reads the facts from the store. Messages may
therefore arrive twice, late or out of order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from functions.platform.decoding import decode_json
from functions.platform.errors import Malformed
from functions.platform.field_types import JobId, Time, TitleId, UserId


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages; `QUEUE` is the name of the queue for messages of a class.

    Unless `EXPIRES`, a message waits until it is handled, and not only for the seven days that are the queues' default.
    """

    QUEUE: ClassVar[str]
    EXPIRES: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class PlanEncode(Message):
    """Plan an encode job."""

    QUEUE: ClassVar[str] = "plan-encode"
    job_id: JobId


@dataclass(frozen=True, slots=True)
class PrepareEncode(Message):
    """Plan an encode job whose upload has to be read for long, for instance as a whole."""

    QUEUE: ClassVar[str] = "prepare-encode"
    job_id: JobId


@dataclass(frozen=True, slots=True)
class EncodeFront(Message):
    """Encode the first chunk of a job and the beginning of its sound, so that watching can begin."""

    QUEUE: ClassVar[str] = "encode-front"
    job_id: JobId


@dataclass(frozen=True, slots=True)
class EncodeChunk(Message):
    """Encode the next chunk of a job; there is one message for each remaining chunk, but no message names a chunk."""

    QUEUE: ClassVar[str] = "encode-chunk"


@dataclass(frozen=True, slots=True)
class EncodeAudio(Message):
    """Encode one audio track of a job, or convert one subtitle track to WebVTT."""

    QUEUE: ClassVar[str] = "encode-audio"
    job_id: JobId
    track: Annotated[str, Meta(pattern=r"^[a-z]\d{1,4}$")]


@dataclass(frozen=True, slots=True)
class EncodeAv1(Message):
    """Encode the next chunk in AV1 of a title that is ready; no message names a chunk."""

    QUEUE: ClassVar[str] = "encode-av1"


@dataclass(frozen=True, slots=True)
class EncodeRenditions(Message):
    """Encode the next chunk of renditions on demand; the first message of an encode names its job in `begins`."""

    QUEUE: ClassVar[str] = "encode-renditions"
    begins: JobId | None = None


@dataclass(frozen=True, slots=True)
class FindIntros(Message):
    """Compare the sound of the episode that plays the files of a job with that of the episodes near it."""

    QUEUE: ClassVar[str] = "find-intros"
    job_id: JobId


@dataclass(frozen=True, slots=True)
class MakeCaptions(Message):
    """Transcribe the next piece of a title that is ready; no message names a piece."""

    QUEUE: ClassVar[str] = "make-captions"


@dataclass(frozen=True, slots=True)
class PublishTitle(Message):
    """Write manifests that list everything a job has finished so far; with `verify`, verify a ready job instead."""

    QUEUE: ClassVar[str] = "publish-title"
    job_id: JobId
    verify: bool = False


@dataclass(frozen=True, slots=True)
class FetchMetadata(Message):
    """Fetch the description and artwork of the title whose upload has this stem."""

    QUEUE: ClassVar[str] = "fetch-metadata"
    title_id: TitleId
    stem: str


@dataclass(frozen=True, slots=True)
class PublishCatalogue(Message):
    """Update the static catalogue; the message only states that something changed."""

    QUEUE: ClassVar[str] = "publish-catalogue"


@dataclass(frozen=True, slots=True)
class UpdateGraph(Message):
    """Update the graph after a change of a title, a viewing, a rating or an account.

    `title`: `title_id` changed. `watched`: `user_id` reached `progress` (0 to 1) of `title_id` at `at`. `unwatched`:
    a viewing was cleared, or all viewings if `title_id` is None. `rated`: a rating was set or removed at `at`.
    `forgotten`: the account was deleted. `deferrals` is set if the graph was unavailable earlier.
    """

    QUEUE: ClassVar[str] = "update-graph"
    change: Literal["title", "watched", "unwatched", "rated", "forgotten"]
    title_id: TitleId | None = None
    user_id: UserId | None = None
    progress: Annotated[float, Meta(ge=0, le=1)] | None = None
    at: Time | None = None
    deferrals: int = 0


@dataclass(frozen=True, slots=True)
class RebuildGraph(Message):
    """Continue a rebuild of the graph."""

    QUEUE: ClassVar[str] = "rebuild-graph"
    rebuild_id: str


@dataclass(frozen=True, slots=True)
class SettleSubscription(Message):
    """Query PayPal about a subscription or refund and store the answer.

    `subject` is a subscription's id or `refund/<id>`; `cause` says why PayPal is queried.
    """

    QUEUE: ClassVar[str] = "settle-subscription"
    subject: str
    cause: str = "event"


@dataclass(frozen=True, slots=True)
class StartReset(Message):
    """Mail a link that sets a new password, if the address has an account.

    `known` is true if the link was requested on a device on which the account's owner has logged in before;
    `deferrals` is set if the link could not be mailed earlier.
    """

    QUEUE: ClassVar[str] = "start-reset"
    email: str
    known: bool = False
    deferrals: int = 0


@dataclass(frozen=True, slots=True)
class RecordLogin(Message):
    """Store one entry of the login history; `user_id` is empty if the address has no account."""

    QUEUE: ClassVar[str] = "record-login"
    entry_id: Annotated[str, Meta(max_length=64)]
    user_id: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?$")]
    at: Time
    ip: Annotated[str, Meta(max_length=45)]
    browser: Annotated[str, Meta(max_length=400)]
    outcome: Literal["success", "wrong_password", "wrong_second_factor", "unfinished", "limited"]


@dataclass(frozen=True, slots=True)
class RecordAction(Message):
    """Store what an owner does; `outcome` is empty before it begins, `done` or the code of an error after its end.

    `at` is the time at which it began, `actor` the owner's account or `operator`, `action` the name of the route, and
    `subject` the id of what is changed.
    """

    QUEUE: ClassVar[str] = "record-action"
    EXPIRES: ClassVar[bool] = False
    entry_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    at: Time
    actor: Annotated[str, Meta(pattern=r"^([0-9a-f]{32}|operator)$(?!\n)")]
    action: Annotated[str, Meta(min_length=1, max_length=64)]
    subject: Annotated[str, Meta(max_length=200)]
    outcome: Annotated[str, Meta(max_length=40)] = ""


@dataclass(frozen=True, slots=True)
class ForgetViewer(Message):
    """Delete everything that is stored about a deleted account."""

    QUEUE: ClassVar[str] = "forget-viewer"
    user_id: UserId


@dataclass(frozen=True, slots=True)
class SendMail(Message):
    """Send an email in a language, or the first one; `email_id` and `deferrals` are set if it was deferred."""

    QUEUE: ClassVar[str] = "send-mail"
    kind: str
    to: str
    link: str = ""
    email_id: str = ""
    deferrals: int = 0
    language: str = ""


class LostBlob(msgspec.Struct, frozen=True, rename="pascal"):
    """A blob whose function failed in all attempts, as the Functions host writes it (`BlobTriggerMessage`)."""

    container_name: str
    blob_name: Annotated[str, Meta(min_length=1)]


MESSAGES: tuple[type[Message], ...] = (
    PlanEncode,
    PrepareEncode,
    EncodeFront,
    EncodeChunk,
    EncodeAudio,
    EncodeAv1,
    EncodeRenditions,
    FindIntros,
    MakeCaptions,
    PublishTitle,
    FetchMetadata,
    PublishCatalogue,
    UpdateGraph,
    RebuildGraph,
    SettleSubscription,
    StartReset,
    RecordLogin,
    RecordAction,
    ForgetViewer,
    SendMail,
)


def encode(message: Message) -> bytes:
    """Return the JSON of a message."""
    return msgspec.json.encode(message)


def decode[M: Message](body: bytes, kind: type[M]) -> M:
    """Return the message in `body`. Raises Malformed, whose detail repeats no value of the message."""
    return _decoded(body, kind, kind.QUEUE)


def decode_lost_blob(body: bytes, queue: str) -> LostBlob:
    """Return the blob named in a message from the Functions host. Raises Malformed."""
    return _decoded(body, LostBlob, queue)


def _decoded[T](body: bytes, kind: type[T], queue: str) -> T:
    try:
        return decode_json(body, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"A message of {queue} is malformed: {error}.") from None
