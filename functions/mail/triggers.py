"""The functions of mail: letters by queue, and what becomes of those that could not be sent."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func

from functions import bootstrap
from functions.platform.errors import Malformed

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.function_name("send_mail")
@blueprint.queue_trigger("msg", "send-mail", "AzureWebJobsStorage")
def send_mail(msg: func.QueueMessage) -> None:
    """Send a letter: {"kind", "to", "link"}."""
    bootstrap.mail().send(_read(msg), message_id=str(msg.id))


@blueprint.function_name("send_mail_poison")
@blueprint.queue_trigger("msg", "send-mail-poison", "AzureWebJobsStorage")
def send_mail_poison(msg: func.QueueMessage) -> None:
    """Put off a letter that could not be sent, or give it up."""
    try:
        message = _read(msg)
    except Malformed:
        message = {}
    bootstrap.mail().settle_failed(message, message_id=str(msg.id))


def _read(msg: func.QueueMessage) -> dict[str, Any]:
    """Return the message; raise Malformed, which repeats nothing of it."""
    try:
        body = json.loads(msg.get_body())
    except ValueError:
        raise Malformed("A message of send-mail must be JSON.") from None
    if not isinstance(body, dict):
        raise Malformed("A message of send-mail must be a JSON object.")
    return body
