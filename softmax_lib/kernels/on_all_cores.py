"""When several cores share the work of a kernel, and when one does it all."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numba

SERIAL = 2**17  # elements: with no more, one thread is done (35 us) before a second, asleep, would have helped

_one_at_a_time = threading.Lock()
_threads_stayed_behind = False
_caller = threading.local()


def on_all_cores(serial: Any, parallel: Any, count: int, elements: int, arguments: tuple[Any, ...]) -> None:
    """Work on items 0 to `count`: on all cores, if that pays and no other of our calls has them.

    Numba's own threads ("workqueue") abort the process when two of Python's come in at once.
    """
    alone = elements <= SERIAL or _threads_stayed_behind or getattr(_caller, "keeps_to_its_core", False)
    threads = 1 if alone else min(numba.get_num_threads(), count)
    if threads > 1 and _one_at_a_time.acquire(blocking=False):
        try:
            parallel(*arguments, count, threads)
        finally:
            _one_at_a_time.release()
    else:
        serial(*arguments, 0, count)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Within, what this thread calls stays on its core, for example where Dask has other work for the others.

    On two busy cores, 64 rows of 20 000 took seven times as long when they were shared.
    """
    _caller.keeps_to_its_core = True
    try:
        yield
    finally:
        _caller.keeps_to_its_core = False


def _remember_threads() -> None:
    """Note in a child process that the threads which Numba had started stayed in its parent.

    GNU's OpenMP kills a child that asks for them; a `map` over such children never returns.
    """
    global _threads_stayed_behind
    with suppress(ValueError):  # which says that there are none yet
        numba.threading_layer()
        _threads_stayed_behind = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_remember_threads)
