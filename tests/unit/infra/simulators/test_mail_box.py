"""The Maildir of the local mail server: all emails, or those for one address, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.simulators.mail.box import Box

if TYPE_CHECKING:
    from pathlib import Path


def email(subject: str) -> bytes:
    return f"To: somebody else <other@example.org>\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode()


@pytest.mark.parametrize(
    ("recipient", "typed"),
    [
        ("ann@example.org", "ann@example.org"),
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("änne@example.org", "änne@example.org"),
    ],
)
def test_emails_for_one_address_are_found(tmp_path: Path, recipient: str, typed: str) -> None:
    box = Box(tmp_path / "mail")
    for subject in ("first", "second"):
        box.keep(recipient, email(subject))
        box.keep(f"x{recipient}", email("not for them"))
    assert sorted(mail.subject for mail in box.mails(to=typed)) == ["first", "second"]
    assert {mail.to for mail in box.mails(to=typed)} == {typed}
    assert len(box.mails()) == 4
    assert box.mails(to="nobody@example.org") == []
