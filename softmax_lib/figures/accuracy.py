"""The figures and tables of the chapter on accuracy: what `benchmarks/accuracy.py` found."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from softmax_lib.figures.paper import (
    LIBRARIES,
    LINE,
    RULE,
    WASH,
    WIDE,
    Table,
    marks,
    picture,
    power_ticks,
    sheet,
)

_OURS = ("with_numpy", "with_numba")
_FEWEST_ULP = 0.01  # A smaller error is drawn as this one.
_EPSILONS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


@picture
def errors_of_the_families(width: float, results: Sequence[dict[str, Any]], operation: str) -> tuple[Figure, str]:
    """The largest error of each library, for every family of inputs and every number format.

    The results are the rows of `measurements.read("accuracy")`.
    """
    rows = [row for row in results if row["operation"] == operation and "max" in row]
    families, dtypes = (list(dict.fromkeys(row[key] for row in rows)) for key in ("family", "dtype"))
    libraries = [library for library in LIBRARIES if any(row["library"] == library for row in rows)]
    errors = {(row["library"], row["dtype"], row["family"]): float(row["max"]) for row in rows}
    end = 10.0 ** math.ceil(math.log10(max(filter(math.isfinite, errors.values()))) + 0.1)

    def worst(library: str, *dtypes: str) -> float:
        return max(error for (of, dtype, _), error in errors.items() if of == library and dtype in dtypes)

    ours = math.ceil(max(worst(library, *dtypes) for library in _OURS if library in libraries))
    title = f"{operation}: softmax_lib is never more than {ours} ULP off"
    row = 34 if width == WIDE else 46
    figure = sheet(width, 210 + (row * len(families) + 50) * -(-len(dtypes) // 2), title)
    panels = figure.subplots(-(-len(dtypes) // 2), 2, sharex=True, sharey=True).ravel()
    for axes, dtype in zip(panels, dtypes, strict=True):
        promised = 4 if dtype == "float64" else 1
        axes.axvspan(_FEWEST_ULP / 2, promised, color=WASH, linewidth=0, zorder=0)
        if "with_numba" in libraries:
            axes.axvline(4, color=RULE, linestyle="dashed", linewidth=1.5, zorder=0)
        for place, library in enumerate(libraries):
            _, _, colour, marker = LIBRARIES[library]
            found = [errors.get((library, dtype, family), math.nan) for family in families]
            heights = np.arange(len(families)) + 0.2 * (place - (len(libraries) - 1) / 2)
            axes.semilogx(np.clip(found, _FEWEST_ULP, end), heights, marker, color=colour, markersize=7)
        for between in range(1, len(families)):
            axes.axhline(between - 0.5, color=LINE, linewidth=1)
        axes.set_title(dtype)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelbottom=True)
        axes.spines["left"].set_visible(False)
    for axes in panels[len(dtypes) - 2 :]:
        axes.set_xlabel("largest error, ULP" if width == WIDE else "error, ULP")
    every = 2 if end < 1e6 and width == WIDE else 4
    power_ticks(axes.xaxis, range(round(math.log10(_FEWEST_ULP)), round(math.log10(end)) + 1, every), "≤ ")
    axes.minorticks_off()
    axes.set_xlim(_FEWEST_ULP / 2, 2 * end)
    axes.set_yticks(range(len(families)), [textwrap.fill(_family(name), 14) for name in families])
    axes.set_ylim(len(families) - 0.5, -0.5)
    named = [(LIBRARIES[of][0], *LIBRARIES[of][2:]) for of in libraries]
    promised_for = [("promised for NumPy", WASH, "band")]
    if "with_numba" in libraries:
        promised_for.append(("promised for Numba", RULE, "--"))
    marks(figure, named + promised_for, 3 if width == WIDE else 2)
    worsts = (
        f"{dtype}: " + ", ".join(f"{LIBRARIES[of][1]} at most {_plain(worst(of, dtype))}" for of in libraries) + " ULP."
        for dtype in dtypes
    )
    alt = (
        f"Dots on logarithmic axes: the largest error of {operation} for {len(families)} families of inputs, by "
        f"library (NumPy is softmax_lib's) and number format. {' '.join(worsts)}"
    )
    return figure, alt


def errors_table(results: Sequence[dict[str, Any]], operation: str) -> Table:
    """The largest errors in numbers: rows by number format and family, a column a library."""
    rows = [row for row in results if row["operation"] == operation]
    libraries = [library for library in LIBRARIES if any(row["library"] == library for row in rows)]
    ours = sum(library in _OURS for library in libraries)
    heads = "".join(f'<th scope="col">{LIBRARIES[library][1]}</th>' for library in libraries)
    groups = []
    for dtype in dict.fromkeys(row["dtype"] for row in rows):
        of_dtype = [row for row in rows if row["dtype"] == dtype]
        groups.append(f'<tbody><tr><th scope="rowgroup" colspan="{len(libraries) + 1}">{dtype}</th></tr>')
        for family in dict.fromkeys(row["family"] for row in of_dtype):
            found = {row["library"]: row for row in of_dtype if row["family"] == family}
            cells = "".join(f"<td>{_error(found.get(library, {}))}</td>" for library in libraries)
            groups.append(f'<tr><th scope="row">{_family(family)}</th>{cells}</tr>')
        groups.append("</tbody>")
    unit = "in ULP" if rows[0]["unit"] == "ulp" else "relative to the exact component"
    notes = "bold: a decimal digit or more is lost"
    if any("returned" in row for row in rows):
        notes += "; *: answered in float64"
    html = (
        f'<div class="pst-scrollable-table-container"><table class="table numbers">'
        f"<caption>{operation}: the largest error, {unit} <small>({notes})</small></caption>"
        f'<thead><tr><th scope="col" rowspan="2">family</th><th scope="colgroup" colspan="{ours}">softmax_lib</th>'
        f'<th scope="colgroup" colspan="{len(libraries) - ours}">others</th></tr><tr>{heads}</tr></thead>'
        f"{''.join(groups)}</table></div>"
    )
    return Table(html, f"Table of the largest errors of {operation}")


def _plain(error: float) -> str:
    return f"{error:.0f}" if 100 <= error < 1e5 else f"{error:.2g}".replace("e+", "e")


def _error(row: dict[str, Any]) -> str:
    """An error as HTML; bold if it is more than ten units in the last place, a decimal digit."""
    if "max" not in row:
        return "–"
    error, in_ulp = float(row["max"]), row["unit"] == "ulp"
    if error == 0 or math.isinf(error):
        text = "∞" if error else "0"
    elif _FEWEST_ULP <= error < 9999.5:
        text = f"{error:.{2 if error < 9.995 else 1 if error < 99.95 else 0}f}"
    elif in_ulp and error < 1:
        text = f"&lt; {_FEWEST_ULP}"
    else:  # "1.2e15", as in the interactives
        mantissa, exponent = f"{error:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}".replace("-", "−")
    text += "*" if "returned" in row else ""
    return f"<b>{text}</b>" if error > 10 * (1 if in_ulp else _EPSILONS[row["dtype"]]) else text


def _family(name: str) -> str:
    """A family's name, typeset."""
    for plain, set_ in (
        ("sigma ", "σ\u00a0=\u00a0"),
        ("K = 100000", "K\u00a0=\u00a010⁵"),
        ("-1e4", "−10⁴"),
        ("+1e4", "+10⁴"),
    ):
        name = name.replace(plain, set_)
    return name
