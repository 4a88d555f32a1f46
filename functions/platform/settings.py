"""Every setting the functions read, with its default; nothing else in `functions/` looks at the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from functions.platform.errors import SettingMissing

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """The application settings; a field's name in lower case is the setting's name in upper case.

    `storage` alone is read from `AzureWebJobsStorage`, the name that the Functions host prescribes.
    """

    storage: str
    mongo_url: str
    mongo_database: str = "notflix"
    logins_db_url: str = ""
    login_history_db_url: str = ""
    subscriptions_db_url: str = ""
    payments_db_url: str = ""
    mysql_ca: str = ""
    redis_url: str = ""
    neo4j_uri: str = ""
    neo4j_user: str = "neo4j"
    neo4j_password: str = ""
    omdb_url: str = "https://www.omdbapi.com/"
    omdb_api_key: str = ""
    site_origin: str = ""
    blob_url: str = ""
    signing_key: str = ""
    operator_key: str = ""
    front_hops: int = 1
    session_idle_hours: int = 72
    session_days: int = 30
    smtp_url: str = ""
    mail_from: str = ""
    paypal_url: str = "https://api-m.paypal.com"
    paypal_client_id: str = ""
    paypal_client_secret: str = ""
    paypal_webhook_id: str = ""
    paypal_ca: str = ""
    usage_store: str = "mongo"
    cosmos_url: str = ""
    cosmos_key: str = ""
    cosmos_database: str = "usage"
    applicationinsights_connection_string: str = ""
    traces_file: str = ""
    otel_service_name: str = "notflix"
    playback_sas_minutes: int = 15
    max_upload_gb: int = 200
    max_duration_hours: int = 8
    encode_preset: str = "veryfast"
    ffmpeg: str = "ffmpeg"
    ffprobe: str = "ffprobe"
    ffmpeg_memory_mb: int = 4096
    work_dir: str = ""


ENVIRONMENT_NAMES = {
    field.name: "AzureWebJobsStorage" if field.name == "storage" else field.name.upper() for field in fields(Settings)
}


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise SettingMissing naming the first that is absent or not a number."""
    values: dict[str, str | int] = {}
    for field in fields(Settings):
        name = ENVIRONMENT_NAMES[field.name]
        text = environment.get(name)
        if text is None and field.name == "storage":
            text = environment.get(f"{name}__accountName")  # the host's own form for an account reached by identity
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
