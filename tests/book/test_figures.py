"""The pictures stored in the chapters: in the page's colours and typeface, for the page's column and for a phone."""

import base64
import inspect
import io
import re
from functools import cache
from xml.etree import ElementTree

import nbformat
import numpy as np
import PIL.Image
import pytest
from matplotlib.figure import Figure

from softmax_lib import figures
from softmax_lib.figures.paper import NARROW, PAPER, WIDE, picture, share, spread
from tests import ROOT
from tools.notebooks import BOOK

SVG = "{http://www.w3.org/2000/svg}"
TOKEN = re.compile(r"var\(--sw-([\w-]+), ([^()]+)\)")
LIGHT = dict(
    re.findall(
        r"--sw-([\w-]+): (?:light-dark\()?(#\w{6})", (ROOT / "widgets/src/tokens.css").read_text(encoding="utf-8")
    )
)


@cache
def pictures():
    """Every picture of every chapter, and its PNG, by chapter and the number of its cell."""
    found = {}
    for path in sorted(BOOK.glob("*.ipynb")):
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
            for output in cell.get("outputs", []):
                if "image/svg+xml" in output.get("data", {}):
                    png = base64.b64decode(output.data.get("image/png", ""))
                    found[f"{path.stem}-{number}"] = output.data["image/svg+xml"], png
    return found


def elements(name):
    """The elements of a picture that have a style, each with its properties."""
    for element in ElementTree.fromstring(pictures()[name][0]).iter():
        if element.tag != f"{SVG}svg" and element.get("style"):
            yield element, dict(entry.split(": ", 1) for entry in element.get("style").split("; "))


def pixels(png):
    return np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


every_picture = pytest.mark.parametrize("name", pictures())


def test_the_chapters_have_pictures():
    assert len(pictures()) >= 25


@every_picture
def test_every_colour_is_the_pages(name):
    for token, light in TOKEN.findall(pictures()[name][0]):
        if token != "sans":
            assert light == ("#ffffff" if token == "bg" else LIGHT[token]), token
    for element in ElementTree.fromstring(pictures()[name][0]).iter():
        for paint in ("fill", "stroke"):
            if element.get(paint, "").startswith("#"):
                assert re.search(rf"\b{paint}: var\(--sw-[\w-]+, {element.get(paint)}\)", element.get("style", ""))


@every_picture
def test_a_drawing_without_its_styles_is_the_same_in_the_light(name):
    """GitHub drops what it does not know of a style, and rectangles without a fill are black."""
    styled = list(elements(name))
    assert len(styled) > 10
    for element, properties in styled:
        for of, value in properties.items():
            assert element.get(of) == TOKEN.fullmatch(value)[2]


@every_picture
def test_a_small_png_is_stored_for_notebooks_that_are_not_trusted(name):
    svg, png = pictures()[name]
    drawn = pixels(png)
    assert drawn.shape[1::-1] == tuple(map(int, re.search(r'width="(\d+)" height="(\d+)"', svg).groups()))
    assert len(png) < 30_000
    assert (drawn == 255).all(axis=-1).mean() > 0.2  # white paper
    assert (abs(drawn - [0x1A, 0x1D, 0x21]).sum(axis=-1) < 40).any()  # and ink


@every_picture
def test_every_word_is_text_in_the_pages_typeface(name):
    drawn = pictures()[name][0]
    fonts = re.findall(r"<text[^>]*font-family: ([^;\"]*)", drawn)
    assert len(fonts) == drawn.count("<text")
    assert set(fonts) == {"var(--sw-sans, system-ui, sans-serif)"}


@every_picture
def test_it_is_drawn_for_the_column_and_for_a_phone_with_letters_to_read(name):
    figure = ElementTree.fromstring(pictures()[name][0])
    wide, narrow = figure.findall(f"{SVG}svg")
    assert [float(drawing.get("viewBox").split()[2]) for drawing in (wide, narrow)] == [WIDE, NARROW] == [745, 358]
    assert [drawing.get("display") for drawing in (wide, narrow)] == [None, "none"]
    assert wide.get("viewBox").split()[2:] == [figure.get("width"), figure.get("height")]
    assert all(list(drawing.iter(f"{SVG}text")) for drawing in (wide, narrow))
    sizes = re.findall(r'font-size="([\d.]+)px"', pictures()[name][0])
    assert min(map(float, sizes)) >= 12


@every_picture
def test_it_says_what_it_shows(name):
    figure = ElementTree.fromstring(pictures()[name][0])
    assert figure.get("role") == "img"
    assert len(figure.get("aria-label")) > 60


@every_picture
def test_what_it_refers_to_is_in_the_same_drawing(name):
    """A drawing that is not shown takes what it defines with it."""
    for drawing in ElementTree.fromstring(pictures()[name][0]).findall(f"{SVG}svg"):
        ids = {tag.get("id") for tag in drawing.iter() if tag.get("id")}
        assert set(re.findall(r"(?:url\(|href=\")#([\w-]+)", ElementTree.tostring(drawing, encoding="unicode"))) == ids


def test_a_reader_is_not_asked_for_the_width():
    assert list(inspect.signature(figures.ladder).parameters) == ["results", "shape"]
    assert inspect.signature(figures.ladder).return_annotation is figures.Picture


def test_a_figure_is_the_same_in_every_run():
    drawn = figures.where_exp_ends()
    assert drawn.svg == figures.where_exp_ends().svg
    # nbval compares no PNG: its bytes are not the same with every version of Pillow.
    (stored,) = (png for svg, png in pictures().values() if svg == drawn.svg)
    assert abs(pixels(drawn._repr_png_()) - pixels(stored)).mean() < 1


def test_the_paper_is_the_pages():
    assert PAPER == "sw-bg"
    assert 'fill="#ffffff" style="fill: var(--sw-bg, #ffffff)"' in figures.where_exp_ends().svg


@pytest.mark.parametrize(
    ("p", "written"),
    [
        (0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.0239, "2.4 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.6439, "64 %"),
        (0.987, "99 %"),
        (0.9912, "99.1 %"),
        (0.9995, ">99.9 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_written_as_in_a_newspaper(p, written):
    assert share(p) == written.replace(" ", "\u2009")


def test_crowded_names_make_room_both_ways_and_keep_their_order():
    assert spread([0.1, 0.5, 0.52, 0.9], 0.1) == pytest.approx([0.1, 0.46, 0.56, 0.9])


@pytest.mark.parametrize(("aligned", "anchor"), [("center", "middle"), ("right", "end")])
def test_lines_of_one_text_are_anchored_at_one_place(aligned, anchor):
    """Matplotlib places the beginning of each by its own typeface, which is not the page's."""

    @picture
    def drawing(width):
        figure = Figure(figsize=(width / 72, 2))
        figure.text(0.5, 0.5, "m = 5.1\nand a longer line", ha=aligned)
        return figure, "two lines"

    lines = re.findall(r"<text ([^>]*)>", drawing().svg)
    assert len(lines) == 4  # two in the wide drawing and two in the narrow one
    for width, drawn in zip((WIDE, NARROW), (lines[:2], lines[2:]), strict=True):
        assert all(f'text-anchor="{anchor}"' in line for line in drawn)
        places = [float(re.search(r"translate\(([\d.]+)", line)[1]) for line in drawn]
        assert places == pytest.approx([width / 2, width / 2], abs=0.1)
