"""Spelling is checked in what belongs to the repository: not in what `pip install .` and other builds leave there."""

import shutil
import subprocess

import pytest

from tests import ROOT
from tools import spelling

OURS = [".gitignore", "book/a page.md", "build.mjs", "softmax_lib/new.py"]
BUILT = ["build/lib/softmax_lib/static/page.js", "softmax_lib.egg-info/PKG-INFO", "book/__pycache__/x.pyc"]


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A source tree with the repository's `.gitignore`, after a build."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in OURS + BUILT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    shutil.copy(ROOT / ".gitignore", tmp_path)
    return tmp_path


def test_without_git_what_gitignore_names_is_left_out(tree):
    assert spelling.files(tree) == OURS


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_with_git_what_is_new_is_in_and_what_is_gone_is_out(tree):
    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tree, check=True)

    git("init", "--quiet")
    (tree / "gone.md").touch()
    git("add", ".gitignore", "gone.md", "build.mjs")
    (tree / "gone.md").unlink()
    assert spelling.files(tree) == OURS
