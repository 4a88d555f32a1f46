"""host.json, its overrides, and local.settings.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.host.config import HostConfig, load_config, overridden, timespan_s, with_settings
from infra.local.host.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path


def config_of(root: Path, host: dict[str, Any], environment: dict[str, str] | None = None, **local: Any) -> HostConfig:
    (root / "host.json").write_text(json.dumps(host))
    if local:
        (root / "local.settings.json").write_text(json.dumps(local))
    return load_config(root, "function_app", {} if environment is None else environment)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:05", 5), ("00:00:00.500", 0.5), ("01:30:00", 5400), ("2.00:00:01", 172_801), ("00:10", 600)],
)
def test_a_time_span_has_its_seconds(text: str, seconds: float) -> None:
    assert timespan_s(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "soon", "24:00:00", "00:60:00", "00:00:60", "-00:00:01"])
def test_a_wrong_time_span_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="not a time span"):
        timespan_s(text)


def test_an_empty_host_json_means_the_real_hosts_defaults(tmp_path: Path) -> None:
    config = config_of(tmp_path, {})
    assert config.route_prefix == "api"
    assert (config.queues.batch_size, config.queues.max_dequeue_count, config.queues.visibility_s) == (16, 5, 0)
    assert (config.queues.max_polling_s, config.queues.base64) == (60, True)
    assert config.blob_queue.max_dequeue_count == 5
    assert config.function_timeout_s == 1800
    assert config.max_body_bytes == 104_857_600


def test_the_environment_overrides_host_json_whatever_the_case(tmp_path: Path) -> None:
    host = {"functionTimeout": "00:05:00", "extensions": {"queues": {"batchSize": 8, "newBatchThreshold": 4}}}
    config = config_of(
        tmp_path,
        host,
        {
            "AzureFunctionsJobHost__extensions__queues__batchSize": "1",
            "AZUREFUNCTIONSJOBHOST__EXTENSIONS__QUEUES__NEWBATCHTHRESHOLD": "0",
            "AzureFunctionsJobHost__functionTimeout": "-1",
            "AzureFunctionsJobHost__extensions__http__routePrefix": "",
        },
    )
    assert (config.queues.batch_size, config.queues.new_batch_threshold) == (1, 0)
    assert config.function_timeout_s is None
    assert config.route_prefix == ""


def test_an_override_may_make_a_section() -> None:
    assert overridden({}, {"AzureFunctionsJobHost__a__b": "1", "OTHER": "2"}) == {"a": {"b": "1"}}


def test_blobs_share_their_parallelism_between_batch_and_threshold(tmp_path: Path) -> None:
    blobs = {"maxDegreeOfParallelism": 1, "poisonBlobThreshold": 2}
    queue = config_of(tmp_path, {"extensions": {"blobs": blobs}}).blob_queue
    assert (queue.batch_size, queue.new_batch_threshold, queue.max_dequeue_count) == (1, 0, 2)


def test_local_settings_are_below_the_environment(tmp_path: Path) -> None:
    environment = {"A": "real"}
    config = config_of(
        tmp_path, {}, environment, Values={"A": "local", "B": "local"}, Host={"CORS": "http://x, http://y/"}
    )
    assert environment == {"A": "real", "B": "local"}
    assert config.cors_origins == {"http://x", "http://y"}


def test_the_environment_may_name_the_allowed_origins(tmp_path: Path) -> None:
    config = config_of(tmp_path, {}, {"NOTFLIX_CORS": "http://z"}, Host={"CORS": "http://x"})
    assert config.cors_origins == {"http://z"}


@pytest.mark.parametrize(
    "queues", [{"batchSize": 33}, {"batchSize": 0}, {"messageEncoding": "utf16"}, {"maxPollingInterval": "soon"}]
)
def test_wrong_options_are_told(tmp_path: Path, queues: dict[str, Any]) -> None:
    with pytest.raises(StartupError, match=r"host\.json or one of its overrides is wrong"):
        config_of(tmp_path, {"extensions": {"queues": queues}})


def test_a_missing_host_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"There is no host\.json"):
        load_config(tmp_path, "function_app", {})


def test_a_setting_stands_in_for_its_name() -> None:
    assert with_settings("%A%-%B%", {"A": "1", "B": "2"}) == "1-2"
    with pytest.raises(StartupError, match="The setting C that '%C%' names is not set"):
        with_settings("%C%", {})
