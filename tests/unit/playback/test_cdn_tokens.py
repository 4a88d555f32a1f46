"""The CDN's tokens have Bunny's format, and each is valid for one title."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import parse_qs

from azure.storage.blob import BlobServiceClient

from functions.platform.blob_signing import Signer
from functions.playback.cdn_tokens import token_query
from functions.playback.keys import SasKeys

UNTIL = datetime(2020, 8, 21, 15, 43, 7, tzinfo=UTC)
"""1598024587, the expiry in Bunny's own examples."""

KEY = "SecurityKey"
CONNECTION = (
    "DefaultEndpointsProtocol=http;AccountName=films;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/films;"
)


def token_for(message: str) -> str:
    digest = hmac.new(KEY.encode(), message.encode(), hashlib.sha256).digest()
    return f"HS256-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def test_the_way_of_signing_is_that_of_bunnys_examples() -> None:
    """The tokens `path_only` and `ignore_params` of BunnyWay/BunnyCDN.TokenAuthentication, e2e/vectors.json."""
    assert token_for("/abc1598024587token_path=/abc") == "HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ"
    ignoring = token_for("/300kb.jpg1598024587token_ignore_params=true")
    assert ignoring == "HS256-1lwWBD_c1IAGSj1UKPoxreu8ePDQ-Z9FoWLcRn_RRH0"


def test_a_token_covers_a_folder_and_its_expiry() -> None:
    query = parse_qs(token_query(KEY, "/title-a/", until=UNTIL))
    signed = "/title-a/1598024587token_ignore_params=true&token_path=/title-a/"
    assert query == {
        "token": [token_for(signed)],
        "token_ignore_params": ["true"],
        "token_path": ["/title-a/"],
        "expires": ["1598024587"],
    }


def test_a_key_has_the_sas_and_a_token_for_the_same_title_and_time() -> None:
    with BlobServiceClient.from_connection_string(CONNECTION) as service:
        keys = SasKeys(Signer(service), minutes=15, front="https://films.b-cdn.net/all/", token_key=KEY)
        key = keys.read_key("title-a", UNTIL, stream_id="s")
        plain = SasKeys(Signer(service), minutes=15, front="https://films.b-cdn.net/all/")
        without = plain.read_key("title-a", UNTIL, stream_id="s")
    assert key.sas == f"{without.sas}&{token_query(KEY, '/all/title-a/', until=UNTIL)}"
    assert parse_qs(key.sas)["se"] == ["2020-08-21T15:43:07Z"]


def test_without_a_cdn_there_is_no_token() -> None:
    with BlobServiceClient.from_connection_string(CONNECTION) as service:
        key = SasKeys(Signer(service), minutes=15, token_key=KEY).read_key("title-a", UNTIL, stream_id="s")
    assert "token" not in key.sas
