"""Python for the page is fetched from the first place that has it, and only what the lock names is taken."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tools import pyodide


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution of two files, with a lock that names them, and an empty cache."""
    folder = tmp_path / "distribution"
    folder.mkdir()
    contents = {"pyodide.mjs": b"the core", "numpy.whl": b"a package"}
    for name, text in contents.items():
        (folder / name).write_bytes(text)
    digest = {name: hashlib.sha256(text).hexdigest() for name, text in contents.items()}
    lock = {
        "info": {"version": "1"},
        "core": {"pyodide.mjs": {"sha256": digest["pyodide.mjs"], "size": 8}},
        "packages": {"numpy": {"file_name": "numpy.whl", "sha256": digest["numpy.whl"]}},
    }
    (tmp_path / "pyodide-lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(pyodide, "LOCK", tmp_path / "pyodide-lock.json")
    monkeypatch.setattr(pyodide, "from_package", lambda names: iter(()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYODIDE", str(folder))
    return folder


def test_it_is_laid_out_beside_the_library(distribution: Path, tmp_path: Path) -> None:
    pyodide.main(tmp_path / "out")
    assert (tmp_path / "out" / "numpy.whl").read_bytes() == b"a package"
    with zipfile.ZipFile(tmp_path / "out" / "softmax_lib.zip") as library:
        names = set(library.namelist())
    assert {"softmax_lib/with_numpy.py", "softmax_lib/check/bugs.py", "softmax_lib/figures/paper.py"} <= names
    assert not [name for name in names if "with_numba" in name or "__pycache__" in name or "/kernels/" in name]


def test_what_is_in_the_cache_needs_no_network(distribution: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pyodide.fetch() is not None
    monkeypatch.setenv("PYODIDE", str(distribution / "nowhere"))
    assert pyodide.fetch() is not None


def test_a_file_with_another_hash_is_not_taken(
    distribution: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (distribution / "numpy.whl").write_bytes(b"forged")
    pyodide.main(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert (
        capsys.readouterr().out.splitlines()[-1] == "Python for the page cannot be had: the site is built without Run."
    )
    assert [file.name for file in pyodide.cache().iterdir()] == ["pyodide.mjs"]


def test_a_spoilt_cache_is_mended(distribution: Path) -> None:
    pyodide.fetch()
    (pyodide.cache() / "numpy.whl").write_bytes(b"half")
    pyodide.fetch()
    assert (pyodide.cache() / "numpy.whl").read_bytes() == b"a package"


def test_the_lock_names_what_the_chapters_import() -> None:
    lock = json.loads(pyodide.LOCK.read_text(encoding="utf-8"))
    imports = {name for package in lock["packages"].values() for name in package["imports"]}
    assert {"numpy", "matplotlib", "scipy", "sklearn"} <= imports
    assert {need for package in lock["packages"].values() for need in package["depends"]} <= set(lock["packages"])
