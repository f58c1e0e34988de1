"""Check the spelling of what belongs to the repository, and of nothing that a build left beside it: `make lint`."""

import fnmatch
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def files(root: Path) -> list[str]:
    """What git tracks below `root` or would track; without git, all that `.gitignore` does not name."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        listed = b""
    names = [os.fsdecode(name) for name in listed.split(b"\0") if name] or unignored(root)
    return sorted(name for name in names if (root / name).is_file())


def unignored(root: Path) -> list[str]:
    """All files whose path has no part that a line of `.gitignore` matches: its lines are plain names and globs."""
    lines = [".git", *(line.rstrip("/") for line in (root / ".gitignore").read_text(encoding="utf-8").split())]

    def kept(names: list[str]) -> list[str]:
        return [name for name in names if not any(fnmatch.fnmatch(name, line) for line in lines)]

    found = []
    for folder, inner, names in os.walk(root):
        inner[:] = kept(inner)
        found += [os.path.relpath(os.path.join(folder, name), root) for name in kept(names)]
    return found


if __name__ == "__main__":
    sys.exit(subprocess.run([sys.executable, "-m", "codespell_lib", *files(ROOT)], cwd=ROOT, check=False).returncode)
