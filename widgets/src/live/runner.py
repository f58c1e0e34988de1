"""Runs a cell as a notebook does: what the last line gives is shown, and an error is told in the reader's own lines."""

import ast
import io
import json
import logging
import os
import sys
import traceback
import warnings

os.environ["MPLBACKEND"] = "agg"  # there is no window
logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell that it looks for fonts
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")  # plt.show(): the page does show it


names = {"__name__": "__main__"}  # of all cells
sources = {}


def run(source, name):
    """Run a cell; return as JSON what its last line gives and the figures it leaves open in pyplot.

    Or else its error and, in `missing`, a name that it does not know.
    """
    sources[name] = source.splitlines()
    try:
        tree = ast.parse(source, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)
        value = None if last is None else eval(compile(ast.Expression(last.value), name, "eval"), names)
        answer = {} if value is None or source.rstrip().endswith(";") else shown(value)
        if figures := open_figures():
            answer["figures"] = figures
    except BaseException as error:  # SystemExit too: what the reader wrote does not end Python
        answer = {"error": told(error, name)}
        if isinstance(error, NameError):
            answer["missing"] = error.name
    finally:
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")
        sys.stdout.flush()
        sys.stderr.flush()
    return json.dumps(answer)


def shown(value):
    for form in ("svg", "html"):
        made = getattr(value, f"_repr_{form}_", None)
        if made is not None and (text := made()) is not None:
            return {form: text}
    matplotlib = sys.modules.get("matplotlib.figure")
    if matplotlib and isinstance(value, matplotlib.Figure):
        return {"svg": drawn(value)}
    return {"text": in_lines(value)}


def open_figures():
    """Those of pyplot, as SVG."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return [drawn(pyplot.figure(number)) for number in pyplot.get_fignums()] if pyplot else []


def drawn(figure):
    svg = io.StringIO()
    figure.savefig(svg, format="svg", bbox_inches="tight")
    return svg.getvalue()


def in_lines(value):
    """The value as a notebook prints it: a tuple or list that does not fit a line has a line an entry."""
    text = repr(value)
    if type(value) not in (tuple, list) or ("\n" not in text and len(text) < 80):
        return text
    opening, closing = text[0], text[-1]
    entries = (in_lines(each).replace("\n", "\n ") for each in value)
    return opening + ",\n ".join(entries) + ("," if type(value) is tuple and len(value) == 1 else "") + closing


def told(error, name):
    """The error itself, and under it the lines of the cells that led to it."""
    text = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError):
        return f"{text}\n  line {error.lineno}: {(error.text or '').strip()}"
    for step in reversed(traceback.extract_tb(error.__traceback__)):
        if step.filename in sources:
            where = "line" if step.filename == name else "in a cell above, line"
            text += f"\n  {where} {step.lineno}: {sources[step.filename][step.lineno - 1].strip()}"
    return text
