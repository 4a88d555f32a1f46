"""A setting chooses the store of usage; a word that names none is told as such."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions import bootstrap
from functions.platform.errors import SettingMissing
from functions.platform.settings import Settings
from functions.usage.mongo import MongoUsage

SETTINGS = Settings(storage="films", mongo_url="mongodb://127.0.0.1:9")


def test_mongo_is_the_store_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: SETTINGS)
    monkeypatch.setattr(bootstrap.resources, "mongo", lambda: {"notflix": None})
    bootstrap.usage_store.cache_clear()
    assert isinstance(bootstrap.usage_store(), MongoUsage)
    bootstrap.usage_store.cache_clear()


def test_a_store_that_there_is_not_is_a_fault_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: replace(SETTINGS, usage_store="redis"))
    bootstrap.usage_store.cache_clear()
    with pytest.raises(SettingMissing, match="mongo or cosmos, not 'redis'"):
        bootstrap.usage_store()
