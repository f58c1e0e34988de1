"""The interactives in JupyterLab with a live kernel: a drag reaches Python, an assignment moves the slider."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import ROOT
from tests.site.gallery import pull

SLOW = 120_000  # ms: a kernel on a busy machine

CELLS = [
    "import ipywidgets\n"
    "from softmax_lib.widgets import JacobianExplorer, LayerExplorer, LogitExplorer\n"
    "from softmax_lib.widgets import NumberField, PrecisionLab, Quiz\n"
    "from softmax_lib.examples import ANIMALS, FIVE_LOGITS\n"
    "explorer = LogitExplorer(FIVE_LOGITS)\n"
    "explorer",
    "print(f'first logit {explorer.logits[0]}, T {explorer.temperature}, p {explorer.probabilities[0]!r}')",
    "explorer.temperature = 2.5",
    "explorer.logits = [0.5, -0.5]",
    "other = LogitExplorer([1.0, 2.0, 3.0], labels=['a', 'b', 'c'])\n"
    "seen = []\n"
    "other.observe(lambda change: seen.append(change.new), 'shift')\n"
    "follower = ipywidgets.FloatSlider(min=-256, max=256)\n"
    "ipywidgets.link((other, 'shift'), (follower, 'value'))\n"
    "ipywidgets.VBox([other, follower])",
    "print(f'seen {seen}, follower {follower.value}')",
    "follower.value = 250",
    "quiz = Quiz('Which?', {'1': 'One.', '0': 'Zero.'}, '0')\nquiz",
    "print(f'choice {quiz.choice}')",
    "layer = LayerExplorer(**ANIMALS._asdict(), selected=1)\nlayer",
    "print(f'hidden {layer.hidden}, weights {layer.weights[1]}')",
    "slopes = JacobianExplorer([1.0, 2.0, 3.0], labels=['a', 'b', 'c'])\nslopes",
    "print(slopes, slopes.jacobian[slopes.row, slopes.column].item())",
    "slopes.row, slopes.nudge = 2, -1.5",
    "lab = PrecisionLab([10.0, 12.0])\nlab",
    "print(lab, lab.naive.tolist(), lab.shifted.tolist())",
    "lab.format, lab.shift = 'bfloat16', 100",
    "field = NumberField('How many?', 12, {6: 'Half.'}, hint='Count.', reason='So.')\nfield",
    "field.mistakes = {6: 'Half of it.'}",
    "field.answer = 13",
]


def notebook(cells: list[str]) -> str:
    blank = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {
            "cells": [blank | {"id": f"cell-{i}", "source": source} for i, source in enumerate(cells)],
            "metadata": {"kernelspec": kernel},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab of its own, on a folder with the notebooks to try."""
    home = tmp_path_factory.mktemp("jupyter")
    work = home / "work"
    work.mkdir()
    (work / "live.ipynb").write_text(notebook(CELLS), encoding="utf-8")
    shutil.copy(ROOT / "book" / "five_logits.ipynb", work)
    notifications = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notifications.parent.mkdir(parents=True)
    notifications.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    environment = os.environ | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": work,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command + [f"--{name}={value}" for name, value in options.items()],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, home / "log")
            yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token={token}&reset"
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SLOW / 1000
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-4000:]}", pytrace=False)


class Lab:
    """One notebook, open in JupyterLab."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.set_default_timeout(SLOW)
        page.goto(address)
        expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible(timeout=SLOW)
        page.wait_for_function("jupyterapp.shell.currentWidget?.sessionContext")
        # Until the kernel has said who it is, a cell that is run is dropped without a word.
        page.evaluate("""async () => {
            const { sessionContext } = jupyterapp.shell.currentWidget;
            await sessionContext.ready;
            await sessionContext.session.kernel.info;
        }""")

    def cell(self, index: int) -> Locator:
        return self.page.locator(f'.jp-CodeCell[data-windowed-list-index="{index}"]')

    def run_all(self) -> None:
        self.page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")

    def run(self, index: int) -> str:
        """Runs a cell to its end, and returns what it shows."""
        self.cell(index).locator(".jp-InputPrompt").click()
        self.page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
        expect(self.cell(index).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=SLOW)
        return self.cell(index).locator(".jp-Cell-outputWrapper").inner_text().strip()


@pytest.fixture
def open_lab(browser: Browser, jupyterlab: str) -> Iterator:
    pages = []

    def open_notebook(name: str) -> Lab:
        page = browser.new_page(viewport={"width": 1200, "height": 5000})  # tall: Lab draws the cells in view only
        pages.append(page)
        return Lab(page, jupyterlab.format(name))

    yield open_notebook
    for page in pages:
        page.close()


def test_a_slider_drives_python_and_python_the_slider(open_lab):
    lab = open_lab("live.ipynb")
    for index in (0, 1):
        lab.run(index)
    widget = lab.cell(0).locator(".softmax-widget")
    slider = widget.get_by_role("slider", name="logit of class 1")
    expect(slider).to_have_value("1.3", timeout=SLOW)
    expect(widget.get_by_role("button", name="Copy link")).to_have_count(0)

    pull(lab.page, slider, 40)
    dragged = float(slider.input_value())
    assert dragged == pytest.approx(3.3, abs=0.6)
    shown = widget.locator("[data-value]").first.get_attribute("data-value")
    printed = lab.run(1)
    assert printed.startswith(f"first logit {dragged}, T 1.0, p ")
    assert float(printed.split("(")[1].rstrip(")")) == pytest.approx(float(shown or "nan"), rel=4e-16)

    lab.run(2)
    expect(widget.get_by_role("slider", name="temperature")).to_have_attribute("aria-valuetext", "temperature 2.5")
    expect(widget.get_by_role("spinbutton", name="temperature")).to_have_value("2.5")
    lab.run(3)
    expect(widget.locator("[data-value]")).to_have_count(2)
    expect(widget.get_by_role("slider", name="logit of class 2")).to_have_value("-0.5")

    widget.get_by_role("button", name="Reset").click()
    expect(widget.locator("[data-value]")).to_have_count(5)
    assert lab.run(1).startswith("first logit 1.3, T 1.0")


def test_observe_and_link_work(open_lab):
    lab = open_lab("live.ipynb")
    for index in (0, 4):
        lab.run(index)
    cell = lab.cell(4)
    shift = cell.get_by_role("slider", name="shift all")
    shift.press("PageUp")
    expect(shift).to_have_value("1")
    expect(cell.locator(".widget-readout")).to_have_text("1.00")
    assert lab.run(5) == "seen [1.0], follower 1.0"
    lab.run(6)
    expect(cell.get_by_role("spinbutton", name="shift all")).to_have_value("250.0")


def test_quiz_and_layer_reach_python(open_lab):
    lab = open_lab("live.ipynb")
    for index in (0, 7, 9):
        lab.run(index)
    choices = lab.cell(7).locator(".sw-choice")
    expect(choices).to_have_text(["1", "0"])
    choices.first.click()
    expect(lab.cell(7).get_by_text("Not quite.")).to_be_visible()
    assert lab.run(8) == "choice 1"
    lab.cell(9).get_by_role("slider", name="hidden 2").press("PageUp")
    lab.cell(9).get_by_role("spinbutton", name="weight of dog on hidden 3").fill("-2")
    assert lab.run(10) == "hidden [1.5, 1.5, 2.0], weights [0.0, 0.5, -2.0]"


def test_a_field_is_answered_by_keyboard_and_python_changes_what_is_right(open_lab):
    lab = open_lab("live.ipynb")
    for index in (0, 17):
        lab.run(index)
    field, said = lab.cell(17).get_by_role("textbox", name="How many?"), lab.cell(17).locator(".sw-verdict")
    for typed, says in (("6", "✗ Not quite. Half."), ("12", "✓ Right. So.")):
        field.fill("")
        field.press_sequentially(typed)
        field.press("Enter")
        expect(said).to_have_text(says)
        expect(field).to_be_focused()
    lab.run(19)
    expect(said).to_have_text("✗ Not quite. Too small. Count.")
    field.fill("6")
    field.press("Enter")
    lab.run(18)
    expect(said).to_have_text("✗ Not quite. Half of it.")


def test_jacobian_and_lab_drive_python_and_python_them(open_lab):
    lab = open_lab("live.ipynb")
    for index in (0, 11, 14):
        lab.run(index)
    slopes = lab.cell(11)
    slopes.get_by_role("slider", name="logit of a").press("PageUp")
    slopes.get_by_role("button", name="∂p(a)/∂z(a)").press("ArrowRight")
    slopes.get_by_role("slider", name="nudge").press("ArrowLeft")
    shown = slopes.locator(".sw-heat:has(.sw-chosen)").get_attribute("data-value")
    state = "logits=[2.0, 2.0, 3.0], labels=['a', 'b', 'c'], column=1, nudge=0.0"
    printed, _, slope = lab.run(12).rpartition(" ")
    assert printed == f"JacobianExplorer({state})"
    assert float(slope) == pytest.approx(float(shown or "nan"), rel=1e-15)
    lab.run(13)
    expect(slopes.locator(".sw-chosen")).to_have_accessible_name(re.compile(r"^∂p\(c\)/∂z\(b\) = "))
    expect(slopes.get_by_role("slider", name="nudge")).to_have_value("-1.5")
    expect(slopes.get_by_role("table", name="The logit of b moves by −1.5")).to_be_visible()

    precision = lab.cell(14)
    expect(precision.get_by_role("cell", name="∞ overflow")).to_have_count(1)
    precision.get_by_role("slider", name="shift all").press("ArrowLeft")
    precision.get_by_role("combobox", name="format").select_option("float32")
    expect(precision.get_by_role("cell", name="∞ overflow")).to_have_count(0)
    quotients = precision.locator(".sw-steps [data-value]").evaluate_all("cells => cells.map(c => +c.dataset.value)")
    state = "logits=[10.0, 12.0], format='float32', shift=-1.0"
    assert lab.run(15) == f"PrecisionLab({state}) {quotients[:2]} {quotients[2:]}"
    lab.run(16)
    expect(precision.get_by_role("combobox", name="format")).to_have_value("bfloat16")
    expect(precision.get_by_role("slider", name="shift all")).to_have_value("100")
    expect(precision.get_by_role("cell", name="∞ overflow")).to_have_count(2)


def test_a_chapter_reads_before_it_is_run_or_trusted(open_lab):
    lab = open_lab("five_logits.ipynb")
    book = lab.page.get_by_role("link", name="The softmax book")
    expect(book).to_have_attribute("href", re.compile(r"/five_logits\.html$"), timeout=SLOW)
    expect(lab.page.get_by_role("link", name="batch")).to_have_attribute(
        "href", re.compile(r"/glossary\.md\b.*#term-batch$")
    )
    cited = lab.page.get_by_role("link", name="Radečić, 2020")
    expect(cited).to_have_attribute("href", re.compile(r"/references\.md\b.*#radecic2020$"))
    expect(lab.page.locator("aside", has_text="In the article, the sum is 181.73")).to_be_visible()

    guess, explorer, figure = (lab.cell(index) for index in (3, 6, 15))
    expect(guess.get_by_text("the part of the strip that you expect")).to_be_visible()
    expect(guess.locator(".jp-Placeholder")).to_be_visible()  # its code is folded
    assert "reason" not in guess.inner_text()
    for interactive in (guess, explorer):
        expect(interactive.get_by_text("To use this in a notebook, run its cell.")).to_be_visible()
    expect(figure.locator('img[src^="data:image/png"]')).to_be_visible()

    shown = lab.page.locator(".jp-Notebook").inner_text()
    assert not re.search(r"\{(term|cite|ref|eq|literalinclude)\}|unknown (role|directive)", shown, re.IGNORECASE)


def test_a_chapter_comes_alive(open_lab):
    lab = open_lab("five_logits.ipynb")
    lab.run_all()
    assert lab.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    slider = lab.page.locator(".softmax-widget:not([data-widget])").get_by_role("slider", name="logit of").first
    value = float(slider.input_value())
    slider.press("ArrowRight")
    expect(slider).to_have_value(f"{value + 0.1:.1f}")
    own = lab.page.locator(".jupyter-widgets.widget-slider").first
    expect(own).to_be_visible(timeout=SLOW)
