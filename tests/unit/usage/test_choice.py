"""The setting USAGE_STORE selects the usage store; an unknown value is a configuration error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.platform.errors import SettingMissing
from functions.platform.resources import Resources
from functions.platform.settings import Settings
from functions.usage.assembly import open_store
from functions.usage.mongo import MongoUsage

SETTINGS = Settings(storage="films", mongo_url="mongodb://127.0.0.1:9")


def resources_with(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Resources:
    resources = Resources()
    monkeypatch.setattr(resources, "settings", lambda: settings)
    monkeypatch.setattr(resources, "mongo", lambda: {"notflix": None})
    return resources


def test_mongo_is_the_default_store(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_store(resources_with(monkeypatch, SETTINGS)), MongoUsage)


def test_unknown_store_is_an_error_of_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingMissing, match="mongo or cosmos, not 'redis'"):
        open_store(resources_with(monkeypatch, replace(SETTINGS, usage_store="redis")))
