"""What the benchmarks measured, as they wrote it: the chapters and their figures read it from here."""

import json
from importlib.resources import files
from typing import Any


def read(name: str) -> dict[str, Any]:
    """The results of ``python -m benchmarks.<name>``, as it last wrote them.

    >>> read("cpu")["facts"]["cores"] >= 1
    True
    """
    results: dict[str, Any] = json.loads(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return results
