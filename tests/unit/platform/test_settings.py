"""Settings are read from the environment with their defaults; errors contain the name of the setting."""

from __future__ import annotations

import pytest

from functions.platform.errors import SettingMissing
from functions.platform.settings import load_settings

LEAST = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "MONGO_URL": "mongodb://127.0.0.1"}


def test_the_least_is_storage_and_mongo() -> None:
    settings = load_settings(LEAST)
    assert (settings.storage, settings.mongo_database) == ("UseDevelopmentStorage=true", "notflix")


def test_an_account_reached_by_identity_is_named_as_the_host_wants_it() -> None:
    settings = load_settings({"AzureWebJobsStorage__accountName": "films", "MONGO_URL": "mongodb://127.0.0.1"})
    assert settings.storage == "films"


@pytest.mark.parametrize("name", sorted(LEAST))
def test_one_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingMissing, match=name):
        load_settings({key: value for key, value in LEAST.items() if key != name})


def test_a_number_that_is_none_is_told() -> None:
    with pytest.raises(SettingMissing, match="MAX_UPLOAD_GB must be a whole number"):
        load_settings({**LEAST, "MAX_UPLOAD_GB": "many"})
