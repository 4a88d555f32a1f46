"""Every setting of the functions, with its default; nothing else in `functions/` reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from functions.platform.errors import SettingMissing

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """The application settings. A setting is named like its field, in upper case.

    The exception is `storage`, which is read from `AzureWebJobsStorage`, the name that the Functions host prescribes.
    """

    storage: str
    """Blob and Queue storage: a connection string, or the name of an account that is accessed by identity."""
    mongo_url: str
    """The document store: titles, encode jobs, rebuilds of the graph and, depending on `USAGE_STORE`, usage."""
    mongo_database: str = "notflix"
    """The database in the document store."""
    logins_db_url: str = ""
    """Logins: `mysql://user:password@host:3306/logins_db`, with an account that can only execute procedures."""
    login_history_db_url: str = ""
    """Login history, in the same form."""
    subscriptions_db_url: str = ""
    """Subscriptions, grants and the webhook inbox, in the same form."""
    payments_db_url: str = ""
    """Payments, in the same form."""
    mysql_ca: str = ""
    """TLS to MySQL: `system` for the machine's authorities, or the path of a CA file; if it is empty, no TLS."""
    redis_url: str = ""
    """Redis: sessions, login attempts and cached entitlements."""
    neo4j_uri: str = ""
    """Neo4j (Bolt): recommendations; if it is empty, there is no graph."""
    neo4j_user: str = "neo4j"
    """The user of Neo4j."""
    neo4j_password: str = ""
    """The password of Neo4j."""
    omdb_url: str = "https://www.omdbapi.com/"
    """The OMDb API, which describes titles."""
    omdb_api_key: str = ""
    """The OMDb API key; if it is empty, `up` starts a simulator that knows only the openly licensed films."""
    site_origin: str = ""
    """The address of the site, used in mailed links and for the way back from PayPal's pages."""
    blob_url: str = ""
    """The CDN or proxy through which browsers reach blob storage, such as `https://….azurefd.net/blobs`."""
    signing_key: str = ""
    """The key of signed tokens and of pseudonyms in logs: at least 32 random bytes."""
    operator_key: str = ""
    """The value of the header `x-operator-key` with which scripts act as the owner: at least 32 characters."""
    front_hops: int = 1
    """Number of proxies that append to `X-Forwarded-For`: 1 for Azure's front end, 2 with Front Door."""
    session_idle_hours: int = 72
    """Hours after which an unused session expires."""
    session_days: int = 30
    """Days after which every session expires."""
    smtp_url: str = ""
    """The mail server: `smtp://host:25`, `smtp+starttls://user:password@host:587` or `smtps://…:465`."""
    mail_from: str = ""
    """The sender of emails: an address, or `Name <address>`."""
    paypal_url: str = "https://api-m.paypal.com"
    """PayPal's API; `https://api-m.sandbox.paypal.com` is its sandbox."""
    paypal_client_id: str = ""
    """The client id at PayPal; if it is empty, `up` starts a simulator of PayPal."""
    paypal_client_secret: str = ""
    """The client secret at PayPal."""
    paypal_webhook_id: str = ""
    """The id of our webhook at PayPal, which every signature covers."""
    paypal_ca: str = ""
    """A file of authorities that may sign webhook certificates, for a simulator; empty to trust those of the web."""
    usage_store: str = "mongo"
    """The store of viewing history: `mongo`, or `cosmos` for Cosmos DB NoSQL."""
    cosmos_url: str = ""
    """The Cosmos DB account, for `cosmos`."""
    cosmos_key: str = ""
    """The key of Cosmos DB; if it is empty, access is by identity."""
    cosmos_database: str = "usage"
    """The database in Cosmos DB."""
    applicationinsights_connection_string: str = ""
    """Application Insights, which receives traces and metrics in Azure."""
    traces_file: str = ""
    """The file that receives traces and metrics instead of Application Insights; `./notflix traces` reads it."""
    otel_service_name: str = "notflix"
    """The name of the app in traces."""
    playback_sas_minutes: int = 15
    """The maximum lifetime of a playback key in minutes; keys live at least half as long, and players renew them."""
    max_upload_gb: int = 200
    """The largest upload in GB."""
    max_duration_hours: int = 8
    """The longest film in hours."""
    encode_preset: str = "veryfast"
    """The preset of x264."""
    ffmpeg: str = "ffmpeg"
    """The path of ffmpeg."""
    ffprobe: str = "ffprobe"
    """The path of ffprobe."""
    ffmpeg_memory_mb: int = 4096
    """The address space of one ffmpeg process in MB."""
    work_dir: str = ""
    """The folder for chunks until they are stored; if it is empty, the system's temporary folder."""


ENVIRONMENT_NAMES = {
    field.name: "AzureWebJobsStorage" if field.name == "storage" else field.name.upper() for field in fields(Settings)
}


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings. Raises SettingMissing for the first that is absent or not a number."""
    values: dict[str, str | int] = {}
    for field in fields(Settings):
        name = ENVIRONMENT_NAMES[field.name]
        text = environment.get(name)
        if text is None and field.name == "storage":
            text = environment.get(f"{name}__accountName")  # the host's name for an account accessed by identity
        if text is None:
            if field.name in ("storage", "mongo_url"):
                raise SettingMissing(
                    f"The setting {name} is not set; add it to local.settings.json or to the function app's settings."
                )
            continue
        if field.type == "int":
            try:
                values[field.name] = int(text)
            except ValueError:
                raise SettingMissing(f"The setting {name} must be a whole number, not {text!r}.") from None
        else:
            values[field.name] = text
    return Settings(**values)  # type: ignore[arg-type]
