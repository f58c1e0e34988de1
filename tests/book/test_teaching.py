"""The page for teachers: its paths take the time that they say, and it knows every exercise."""

import re

import yaml

from tests.book.test_chapters import CHAPTERS, read
from tools.notebooks import BOOK

TEXT = (BOOK / "teaching.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([^|]+?) \|" + 3 * r" \W*(\d+|–)\W* \|" + "$", re.MULTILINE)


def paths() -> dict[str, dict[str, int]]:
    """What stands in each line of each path, in minutes: a chapter by its file, the rest by its words."""
    found: dict[str, dict[str, int]] = {"one": {}, "two": {}, "four": {}}
    for name, *minutes in ROW.findall(TEXT):
        for steps, step in zip(found.values(), minutes, strict=True):
            if step != "–":
                steps[re.sub(r".*\((\w+)\.ipynb\)", r"\1", name)] = int(step)
    return found


def test_the_paths_take_one_two_and_four_hours():
    for steps, together in zip(paths().values(), (60, 120, 240), strict=True):
        assert steps.pop("**together**") == sum(steps.values()) == together


def test_a_longer_path_has_the_chapters_of_the_shorter_one_in_the_books_order():
    one, two, four = ([*steps] for steps in paths().values())
    assert set(one) <= set(two) <= set(four)
    assert [name for name in four if name in two] == two
    order = yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    files = [chapter["file"] for part in order for chapter in part["chapters"]]
    chapters = [name for name in four if name in files]
    assert chapters == [name for name in files if name in chapters]


def test_every_exercise_of_every_chapter_is_in_the_list():
    listed = yaml.safe_load(re.search(r"^```\{softmax-exercises\}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)[1])
    for path in CHAPTERS:
        text = "\n".join(cell.source for cell in read(path).cells)
        labels = re.findall(r"^:label: (ex-\S+)", text, flags=re.MULTILINE)
        assert [*listed.get(path.stem, {})] == labels, path.stem
    assert {*listed} == {path.stem for path in CHAPTERS}
