"""The tables and bars that stand for an interactive where no script runs, and how numbers read there."""

import html
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from softmax_lib.widgets.facts import COLOURS, UNNAMED_CLASS


def stored_form(kind: str, content: str, **sizes: int) -> str:
    """Wrap `content`. The `sizes` let the stylesheet keep the room that the live view will take."""
    style = "".join(f"--{name}:{size};" for name, size in sizes.items())
    return f'<div class="sw sw-stored {kind}" style="{style}">{content}</div>'


def folded_answer(question: str, answer: str, given: str = "") -> str:
    """What is asked and given, and the answer where only a reader who wants it looks."""
    facts = f"<p>{html.escape(given)}</p>" if given else ""
    return stored_form(
        "sw-guess",
        f'<p class="sw-asked">{html.escape(question)}</p>{facts}'
        f'<details class="sw-answer"><summary>Show the answer</summary><p>{html.escape(answer)}</p></details>',
    )


def logit_table(
    caption: str, names: Sequence[str], logits: Sequence[float], probabilities: npt.NDArray[np.float64]
) -> str:
    """The logit and the probability of each class."""
    rows = [
        f'<td class="sw-control">{show_given(z)}</td>{probability_cell(p)}'
        for z, p in zip(logits, probabilities, strict=True)
    ]
    head = heads("class") + heads("logit <i>z</i>", kind="sw-control") + heads("probability")
    return table(caption, head, names, rows)


def table(caption: str, head: str, names: Sequence[str], rows: Sequence[str], kind: str = "") -> str:
    """A table with a row for each name; `rows` are the cells beside the names."""
    of_kind = f' class="{kind}"' if kind else ""
    body = "".join(
        f'<tr class="sw-c{i % COLOURS}"><th scope="row">{html.escape(name)}</th>{row}</tr>'
        for i, (name, row) in enumerate(zip(names, rows, strict=True))
    )
    return f"<table{of_kind}><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def heads(*names: str, kind: str = "") -> str:
    """The heads of columns. The names are HTML."""
    of_kind = f' class="{kind}"' if kind else ""
    return "".join(f'<th scope="col"{of_kind}>{name}</th>' for name in names)


def probability_cell(p: float) -> str:
    """A cell with a bar and the number; ``data-value`` has all its digits."""
    width = f"{p:.2%}" if math.isfinite(p) else "0"
    return (
        f'<td class="sw-p" data-value="{float(p)!r}">'
        f'<span class="sw-bar"><span style="width:{width}"></span></span><span>{show_probability(p)}</span></td>'
    )


def class_names(labels: list[str] | None, count: int) -> list[str]:
    """The labels, or names for classes that have none."""
    return labels or [UNNAMED_CLASS.format(i) for i in range(1, count + 1)]


# `show`, `show_probability` and `show_given` write as ``widgets/src/format.ts`` does.


def show(x: float) -> str:
    """Four significant digits: "0.9025", "1.234e307", "∞"."""
    if not math.isfinite(x):
        return {math.inf: "∞", -math.inf: "−∞"}.get(x, "NaN")
    if x == 0:
        return "0"
    mantissa, _, exponent = f"{x:.3e}".partition("e")
    text = f"{x:#.4g}".rstrip(".") if -4 <= int(exponent) < 4 else f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−", 1) if x < 0 else text


def show_probability(p: float) -> str:
    """Like `show`, but never "1.000" for what is not 1: "1 − 3e-8"."""
    if p == 1:
        return "1"
    return f"1 − {1 - p:.0e}".replace("e-0", "e-") if p < 1 and show(p) == "1.000" else show(p)


def show_short(x: float) -> str:
    """At most seven characters for a number from -1 to 1: "0.1545", "−4e-5"."""
    text = f"{x:.0e}".replace("e-0", "e-") if 0 < abs(x) < 0.00005 else f"{x:.4f}" if x else "0"
    return text.replace("-", "−", 1) if x < 0 else text.replace("nan", "NaN")


def show_given(x: float) -> str:
    """A number as it was given, to six significant digits: "1.3", not "1.300"."""
    return f"{x:.6g}".replace("-", "−", 1) if x < 0 else f"{x:.6g}"


def show_share(p: float) -> str:
    """A share of one whole, as a newspaper prints it and ``widgets/src/numbers.ts`` does: "64 %", "under 0.1 %"."""
    if not math.isfinite(p):
        return "NaN"
    percent = 100 * p
    if p in (0, 1):
        text = f"{percent:.0f}"
    elif percent < 0.1:
        text = "under 0.1"
    elif percent > 99.9:
        text = "over 99.9"
    else:
        text = f"{percent:.1f}" if percent < 9.95 or percent >= 99 else f"{percent:.0f}"
    return f"{text}\N{THIN SPACE}%"
