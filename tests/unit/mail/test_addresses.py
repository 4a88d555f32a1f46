"""Addresses for a mail server: exactly one address, which cannot inject headers or commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.mail.addresses import mailbox_of
from functions.platform.errors import MailRefused


@pytest.mark.parametrize(
    ("text", "sent_as", "needs_utf8"),
    [
        ("ann@example.org", "ann@example.org", False),
        ("Ann.O'Neil+films@Example.ORG", "Ann.O'Neil+films@example.org", False),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", False),
        ("ann@straße.example", "ann@xn--strae-oqa.example", False),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example", True),
        ("ann@localhost", "ann@localhost", False),
        ("ann@example.org.", "ann@example.org", False),
    ],
)
def test_an_address_is_sent_with_its_domain_in_ascii(text: str, sent_as: str, needs_utf8: bool) -> None:
    address = mailbox_of(text)
    assert (str(address), address.needs_utf8) == (sent_as, needs_utf8)


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "ann", "ann@", "@example.org"),
        *(
            "ann@example.org\r\nBcc: eve@example.org",
            "ann\r\nRCPT TO:<eve@example.org>@example.org",
            "ann\0@example.org",
        ),
        *("ann@example.org, eve@example.org", "ann,eve@example.org", "<ann@example.org>", '"ann b"@example.org'),
        *("ann b@example.org", "ann\u2028b@example.org", "ann\u00a0@example.org", "\ud800@example.org"),
        *(".ann@example.org", "ann.@example.org", "an..n@example.org", "eve@evil.test@example.org"),
        *("ann@exa mple.org", "ann@[127.0.0.1]", "ann@-example.org", "ann@example..org", "ann@exa_mple.org"),
        *(f"{'x' * 65}@example.org", f"ann@{'.'.join(['x' * 60] * 5)}"),
    ],
)
def test_anything_but_exactly_one_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(MailRefused) as refused:
        mailbox_of(text)
    assert "ann" not in refused.value.detail and "eve" not in refused.value.detail


@given(st.text() | st.emails() | st.tuples(st.text(), st.text()).map("@".join))
def test_no_accepted_address_can_end_a_line_or_begin_another_address(text: str) -> None:
    try:
        address = str(mailbox_of(text))
    except MailRefused:
        return
    assert address.count("@") == 1
    assert not set(address) & set(' <>,;:"()[]\\\r\n\t\0')
    assert len(address.splitlines()) == 1
    address.encode()
