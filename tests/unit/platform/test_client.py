"""The client of a request: its address is the one that a trusted proxy appended, whatever the client claims."""

from __future__ import annotations

import azure.functions as func
import pytest

from functions.platform.http import client_of


def ip_behind(forwarded_for: str | None, front_hops: int = 1) -> str:
    """Return the address of a client whose request arrived with this header."""
    headers = {} if forwarded_for is None else {"X-Forwarded-For": forwarded_for}
    request = func.HttpRequest(method="GET", url="/api/plans", headers=headers, body=b"")
    return client_of(request, front_hops).ip


@pytest.mark.parametrize(
    ("forwarded_for", "ip"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:50311", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]:50311", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:50311", "203.0.113.7"),
        (" , 203.0.113.7 ,", "203.0.113.7"),
        ("", "unknown"),
        (None, "unknown"),
        ("localhost", "unknown"),
        ("203.0.113.7:50311:1", "unknown"),
        ("' OR 1=1 --", "unknown"),
    ],
)
def test_an_address_has_one_form_however_it_is_written(forwarded_for: str | None, ip: str) -> None:
    assert ip_behind(forwarded_for) == ip


@pytest.mark.parametrize(
    ("front_hops", "ip"), [(0, "unknown"), (1, "198.51.100.3"), (2, "203.0.113.7"), (3, "192.0.2.66"), (4, "unknown")]
)
def test_only_what_trusted_proxies_appended_is_believed(front_hops: int, ip: str) -> None:
    assert ip_behind("192.0.2.66, 203.0.113.7:50311, 198.51.100.3", front_hops) == ip


def test_the_name_of_a_browser_is_cut_off() -> None:
    request = func.HttpRequest(method="GET", url="/", headers={"User-Agent": "x" * 401}, body=b"")
    assert client_of(request, 1).user_agent == "x" * 400
