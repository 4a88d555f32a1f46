"""The functions of mail: a queue for sending emails, and its dead letters, which are deferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.triggers import SliceApp

if TYPE_CHECKING:
    from functions.platform.messages import SendMail
    from functions.platform.triggers import Delivery

app = SliceApp(bootstrap)


@app.queue("send-mail")
def send_mail(message: SendMail, delivery: Delivery) -> None:
    """Send an email."""
    bootstrap.mail().send(message, message_id=delivery.message_id)


@app.dead_letters("send-mail")
def send_mail_poison(message: SendMail, delivery: Delivery) -> None:
    """Defer an email that could not be sent, or drop it after its last deferral."""
    bootstrap.mail().defer(message, message_id=delivery.message_id)
