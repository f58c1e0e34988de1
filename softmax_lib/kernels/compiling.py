"""The one decorator of all that is compiled here, and where its machine code is kept on disk."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from typing import Any

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Have Numba compile a function at its first call, and keep the machine code on disk.

    With `forceinline=True` it is put into its callers: a loop that was called, and counted
    references, took up to 45 ns more.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        # One that is parallel lets go of Python's lock by itself, while its threads run.
        dispatcher = njit(error_model="numpy", nogil=not options.get("parallel"), **options)(function)
        try:
            # Numba's own option, `cache=True`, sets the same attribute.
            dispatcher._cache = _Cache(function)
        except RuntimeError as error:
            # Where no folder can be written, every process compiles for itself.
            if "no locator available" not in str(error):
                raise
        return dispatcher

    return decorate


def _hash_of_sources() -> str:
    sources = (file for file in files(__package__).iterdir() if file.name.endswith(".py"))
    texts = (file.name.encode() + b"\0" + file.read_bytes() for file in sorted(sources, key=lambda file: file.name))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


_SOURCES = _hash_of_sources()


class _Place(CompileResultCacheImpl):
    """Numba's place on disk for a function, stale as soon as any file of this package changes.

    Numba itself compares only the file in which the function stands. But machine code also holds
    what was put into it from other files: constants and whole functions.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp_of_one_file = self.locator.get_source_stamp
        self.locator.get_source_stamp = lambda: (stamp_of_one_file(), _SOURCES)


class _Cache(FunctionCache):
    """Numba's cache of a function. One that can be neither read nor written costs only time."""

    _impl_class = _Place

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        with suppress(OSError):
            return super().load_overload(signature, target_context)
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        with suppress(OSError):
            super().save_overload(signature, result)
