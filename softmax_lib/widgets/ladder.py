"""Programs that do the same work, each faster than the last, beside a limit that nobody can pass."""

import html
from typing import Any

from softmax_lib.widgets.facts import INTERACTIVES, TIME_UNITS
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import heads, stored_form, table
from softmax_lib.widgets.traits import check_count, check_index, trait

_FIELDS = INTERACTIVES["Ladder"]


class Ladder(Interactive):
    """The rungs of a ladder as bars as long as their times, and as a race to the limit.

    Parameters
    ----------
    names : sequence of 1 to 20 str
        At most 24 characters each.
    seconds : sequence of float
        What each rung takes, as it was measured.
    limit : float
        The seconds that nobody can beat.
    limit_name : str, default "one copy"
        What takes them.
    unit : "s", "ms", "µs" or "ns", default "ms"
        The unit in which times are shown.
    changes : sequence of str, optional
        For each rung, a sentence on what it changed.
    selected : int, optional
        The rung that is described; the last if left out.

    Examples
    --------
    >>> Ladder(["three lines", "no temporaries"], [0.087, 0.052], limit=0.004)
    Ladder(names=['three lines', 'no temporaries'], seconds=[0.087, 0.052], limit=0.004)
    """

    names = trait(_FIELDS["names"])
    seconds = trait(_FIELDS["seconds"])
    limit = trait(_FIELDS["limit"])
    limit_name = trait(_FIELDS["limit_name"])
    unit = trait(_FIELDS["unit"])
    changes = trait(_FIELDS["changes"])
    selected = trait(_FIELDS["selected"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("seconds", values["seconds"], "names", values["names"])
        check_count("changes", values["changes"], "names", values["names"])
        if values["selected"] is not None:
            check_index("selected", values["selected"], "names", values["names"])

    def fallback(self) -> str:
        scale = TIME_UNITS[self.unit]
        slowest = max(self.seconds)
        rows = [
            f'<td data-value="{time!r}">'
            f'<span class="sw-bar"><span style="width:{time / slowest:.2%}"></span></span></td>'
            f"<td>{_two_digits(time * scale)}</td><td>{_two_digits(self.seconds[0] / time)}</td>"
            for time in self.seconds
        ]
        limit = f"{html.escape(self.limit_name)}, the limit, takes {_two_digits(self.limit * scale)}"
        head = heads("rung", "", f"time in {self.unit}", "times as fast as the first")
        return stored_form("sw-ladder", table(f"The time of each rung; {limit}", head, self.names, rows))


def _two_digits(x: float) -> str:
    return f"{x:.0f}" if x >= 99.5 else f"{x:#.2g}".rstrip(".")
