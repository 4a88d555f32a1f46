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
    audit_db_url: str = ""
    """The audit log of what owners did, in the same form."""
    subscriptions_db_url: str = ""
    """Subscriptions, grants and the webhook inbox, in the same form."""
    payments_db_url: str = ""
    """Payments, in the same form."""
    mysql_ca: str = ""
    """TLS to MySQL: `system` for the machine's authorities, or the path of a CA file; if it is empty, no TLS."""
    redis_url: str = ""
    """Redis: sessions, streams, login attempts and cached entitlements."""
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
    cdn_token_key: str = ""
    """The key with which the CDN in `BLOB_URL` verifies tokens; empty if the whole query is part of its cache key."""
    signing_key: str = ""
    """The key of signed tokens and of pseudonyms in logs: at least 32 random bytes."""
    second_factor_keys: str = ""
    """The keys of stored second factors, separated by commas; the first one encrypts. At least 32 characters each."""
    mails_per_hour: int = 1000
    """The most emails that are sent in an hour; a fifth is reserved for people who have proved who they are."""
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
    """A file of authorities that may sign webhook certificates, for a simulator; if it is empty, certifi's are used."""
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
    streams_per_account: int = 3
    """How many titles an account may play at the same time."""
    max_upload_gb: int = 200
    """The largest upload in GB."""
    upload_patience_hours: int = 24
    """How long an upload that has stopped is awaited, in hours; 0: a film can be watched only once it is uploaded."""
    max_duration_hours: int = 8
    """The longest film in hours."""
    max_damaged_percent: int = 1
    """The largest share of a film's frames, in percent, that may be damaged; above it, the film is refused."""
    max_damaged_run_s: int = 2
    """The longest stretch of a film in seconds without an undamaged frame; above it, the film is refused."""
    passthrough_percent: int = 150
    """H.264 pictures are copied up to this bitrate, in percent of the replaced rendition's bitrate; 0: never."""
    provisional_percent: int = 400
    """H.264 pictures up to this bitrate, in percent of the best rendition's, are shown until all are encoded."""
    encode_monthly_limit_usd: int = 0
    """The limit on encoding costs per calendar month, in US dollars, until an owner sets another; 0: no limit."""
    encrypt_films: str = "never"
    """Which new films are encrypted in storage: `never` or `always` (needs `FILM_KEYS`)."""
    film_keys: str = ""
    """The secrets that films' keys are derived from, separated by commas; the first is for new films."""
    publish_titles: str = "automatically"
    """How new titles appear on the site: `automatically`, or as drafts that an owner publishes (`reviewed`)."""
    encode_preset: str = "veryfast"
    """The preset of x264."""
    encode_renditions: str = "all"
    """Which sizes are encoded: `all`, those with more detail than a smaller one (`needed`), or `on-demand`."""
    renditions_kept_days: int = 30
    """After how many days without a viewer renditions on demand are removed; 0: never."""
    encode_target_vmaf: int = 0
    """The VMAF that each part of a film's best rendition is encoded to reach (needs `VMAF_FFMPEG`); 0: CRF 23."""
    encode_measured_s: int = 0
    """How many seconds of each part of a film are compared with the source (needs `VMAF_FFMPEG`); at most 4."""
    loudness_lufs: int = 0
    """The loudness (EBU R 128) to which the sound of films is brought, such as -23 or -16 LUFS; 0: unchanged."""
    surround_sound: str = "always"
    """Whether sound in 5.1 is published beside stereo, for films that have it: `always` or `never`."""
    encode_av1: str = "never"
    """Which titles are encoded in AV1 too, once they are ready: `never`, `always`, or by `rule` if it pays."""
    find_intros: str = "always"
    """Whether intros and credits are found by the sound that episodes of a season share: `always` or `never`."""
    automatic_captions: str = "never"
    """For which sound captions are made: `never`, `marked` with a known language, or `assumed` to be in one too."""
    captions_languages: str = "en"
    """The languages that the model of automatic captions knows, separated by spaces; the first one is assumed."""
    captions_python: str = ""
    """The path of a Python with the packages of `infra/captions`, which makes captions; `up` and the image set it."""
    captions_model: str = ""
    """The folder of a Whisper model for CTranslate2; if it is empty, tiny.en, which knows English only."""
    vmaf_ffmpeg: str = ""
    """The path of an ffmpeg with libvmaf, which only measures quality; if it is empty, no quality is measured."""
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
