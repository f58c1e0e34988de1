"""When several cores share the work of a kernel, and when one does it all."""

import os
import threading
from contextlib import suppress
from typing import Any

import numba

SERIAL = 2**17  # elements: with no more, one thread is done (35 us) before a second, asleep, would have helped

_one_at_a_time = threading.Lock()
_threads_stayed_behind = False


def on_all_cores(serial: Any, parallel: Any, count: int, elements: int, arguments: tuple[Any, ...]) -> None:
    """Work on items 0 to `count`: on all cores, if that pays and no other of our calls has them.

    Numba's own threads ("workqueue") abort the process when two of Python's come in at once.
    """
    alone = elements <= SERIAL or _threads_stayed_behind
    threads = 1 if alone else min(numba.get_num_threads(), count)
    if threads > 1 and _one_at_a_time.acquire(blocking=False):
        try:
            parallel(*arguments, count, threads)
        finally:
            _one_at_a_time.release()
    else:
        serial(*arguments, 0, count)


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
