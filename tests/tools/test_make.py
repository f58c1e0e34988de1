"""What `make` says of itself and of a wrong call, and that the library's tests ask for no browser."""

import re
import shutil
import subprocess
import sys

import pytest

from tests import ROOT
from tools import chapter
from tools.notebooks import BOOK

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@needs_make
def test_help_has_a_line_for_every_target():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1].split()
    status, told, _ = run("make", "--no-print-directory", "help")
    assert status == 0
    assert re.findall(r"^make (\S+) +[a-z]", told, re.M) == targets
    assert len(told.splitlines()) == len(targets)


@needs_make
def test_to_try_nothing_is_an_error_of_one_line():
    status, _, told = run("make", "--no-print-directory", "--dry-run", "try")
    assert status == 2
    assert re.fullmatch(r"Makefile:\d+: \*\*\* name a file of tests, or a test in it: make try T=\S+\.  Stop\.\n", told)


@pytest.mark.parametrize("name", [[], [""], ["jacobin"], ["book/jacobian.ipynb"]])
def test_a_chapter_that_is_none_is_an_error_of_one_line(monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", ["chapter", *name])
    assert chapter.main() == 2
    chapters = ", ".join(sorted(path.stem for path in BOOK.glob("*.ipynb")))
    assert capsys.readouterr() == ("", f"There is no chapter {''.join(name)!r}: NAME is one of {chapters}.\n")


def test_the_tests_of_the_library_and_of_the_book_need_no_playwright():
    code = """
import sys
sys.modules["playwright"] = None
import pytest
options = ["--collect-only", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
sys.exit(pytest.main([*options, "tests/library/contract/test_merge.py", "tests/book"]))
"""
    status, told, _ = run(sys.executable, "-c", code)
    assert status == 0, told
