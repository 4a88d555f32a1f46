"""No secret is written to the log."""

from __future__ import annotations

import pytest

from infra.local.host.log import SECRETS


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        ("GET http://x/b/film.mkv?sv=2026&sig=aB%2Fc= failed", "GET http://x/b/film.mkv?… failed"),
        ("url: /a/b?code=secret (Caused by …)", "url: /a/b?… (Caused by …)"),
        (
            "AccountName=a;AccountKey=c2VjcmV0==;BlobEndpoint=http://x",
            "AccountName=a;AccountKey=…;BlobEndpoint=http://x",
        ),
        ("SharedAccessSignature sv=1&sig=abc&se=2", "SharedAccessSignature sv=1&sig=…&se=2"),
        ("Really? yes=no, why?", "Really? yes=no, why?"),
    ],
)
def test_keys_and_query_strings_are_cut_out(line: str, logged: str) -> None:
    assert SECRETS.sub("…", line) == logged
