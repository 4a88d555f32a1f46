"""A lazy value is created once, even with concurrent calls, and each instance has its own value."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from functions.platform.lazy import lazy, made_values


def test_concurrent_first_calls_share_one_value() -> None:
    made: list[object] = []

    @lazy
    def value() -> object:
        made.append(object())
        return made[-1]

    together = Barrier(8)

    def ask(_: int) -> object:
        together.wait()
        return value()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(made) == 1
    value.cache_clear()
    assert value() is made[1]


class Shop:
    """A class with lazy methods."""

    @lazy
    def counter(self) -> object:
        return object()

    @lazy
    def till(self) -> object:
        return object()


def test_each_instance_has_its_own_value() -> None:
    one, other = Shop(), Shop()
    assert one.counter() is one.counter() is not other.counter()
    assert made_values(one) == [one.counter()]
