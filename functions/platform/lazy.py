"""Values that are created once, when they are first needed."""

from __future__ import annotations

from functools import partial, update_wrapper
from threading import RLock
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Callable

_lock = RLock()


class lazy[Value]:
    """Decorate a function or method without arguments so that it creates its value only at the first call.

    Later calls and concurrent first calls return the same value. For a method, each instance has its own value.
    """

    def __init__(self, make: Callable[..., Value]) -> None:
        self._make = make
        self._made: list[Value] = []
        update_wrapper(self, make)

    def __call__(self) -> Value:
        """Return the value."""
        if not self._made:
            with _lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the name that the method has in its class."""
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[[], Value]: ...
    def __get__(self, instance: object | None, owner: type) -> lazy[Value] | Callable[[], Value]:
        """Return the instance's own factory; it is stored in the instance, where later accesses find it directly."""
        if instance is None:
            return self
        factory: Callable[[], Value] = vars(instance).setdefault(self._name, lazy(partial(self._make, instance)))
        return factory

    def made(self) -> tuple[Value, ...]:
        """Return a tuple with the value if it has been created, otherwise an empty tuple."""
        return tuple(self._made)

    def cache_clear(self) -> None:
        """Drop the value, so that the next call creates a new one."""
        self._made.clear()


def made_values(instance: object) -> list[Any]:
    """Return the values that the lazy methods of an instance have created so far."""
    return [value for factory in vars(instance).values() if isinstance(factory, lazy) for value in factory.made()]
