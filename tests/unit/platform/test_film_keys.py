"""The keys of films follow from a secret and the film's job; a new secret does not lock films that exist."""

from __future__ import annotations

import pytest

from functions.platform.errors import SettingMissing
from functions.platform.film_keys import FilmKey, FilmKeyMissing, FilmKeys, film_keys_of, track_iv
from functions.platform.settings import Settings

OLD, NEW = "o" * 32, "n" * 32


def keys(secrets: str = OLD) -> FilmKeys:
    return FilmKeys(secrets, encrypts="always")


def key_of(made: FilmKeys, job_id: str = "job") -> FilmKey:
    key_id = made.new_key_id(job_id)
    assert key_id
    return made.key_of(job_id, key_id)


def test_a_film_has_the_same_key_in_each_process_and_each_film_another_one() -> None:
    one = key_of(keys())
    assert one == key_of(keys())
    assert (len(one.key), len(one.key_id)) == (16, 16)
    others = key_of(keys(), "other job"), key_of(keys(NEW))
    assert len({one.key, one.key_id, *(key for each in others for key in (each.key, each.key_id))}) == 6


def test_each_track_has_its_own_initialization_vector() -> None:
    key = key_of(keys())
    assert len({key.iv("v360"), key.iv("v720"), key.iv("a0")}) == 3
    assert key.iv("a0") == track_iv(key.key_id.hex(), "a0")
    assert len(key.iv("a0")) == 16


def test_films_stay_open_after_the_secret_was_replaced_until_it_is_removed() -> None:
    old = key_of(keys(OLD))
    both = keys(f"{NEW}, {OLD}")
    assert both.key_of("job", old.key_id.hex()) == old
    assert both.new_key_id("next job") == keys(NEW).new_key_id("next job")
    with pytest.raises(FilmKeyMissing, match="FILM_KEYS"):
        keys(NEW).key_of("job", old.key_id.hex())
    with pytest.raises(FilmKeyMissing, match="job other"):
        both.key_of("other", old.key_id.hex())


def test_films_are_not_encrypted_unless_the_owner_wants_it() -> None:
    assert FilmKeys(OLD).new_key_id("job") is None
    assert film_keys_of(Settings(storage="", mongo_url="", film_keys=OLD)).new_key_id("job") is None


def test_an_encrypted_film_can_still_be_opened_when_new_ones_are_not_encrypted() -> None:
    key = key_of(keys())
    assert FilmKeys(OLD).key_of("job", key.key_id.hex()) == key


@pytest.mark.parametrize("secrets", ["", " , ", "short", f"{OLD},short"])
def test_a_secret_must_be_long(secrets: str) -> None:
    with pytest.raises(SettingMissing, match="openssl rand -hex 32"):
        keys(secrets).new_key_id("job")


def test_an_unknown_value_of_the_setting_is_refused() -> None:
    with pytest.raises(SettingMissing, match="always or never"):
        film_keys_of(Settings(storage="", mongo_url="", encrypt_films="yes"))


def test_a_key_is_not_shown() -> None:
    key = key_of(keys())
    assert key.key.hex() not in repr(key)
    assert repr(key.key) not in repr(key)
