"""Every figure of the book, and its tables of numbers: a function each, in one file a chapter.

A figure of several chapters is in the file of the first. What the files share is in `paper.py`.
"""

try:
    import matplotlib  # noqa: F401
except ImportError as missing:
    raise ImportError('softmax_lib.figures needs Matplotlib: pip install "softmax-lib[figures]"') from missing

from softmax_lib.figures.accuracy import errors_of_the_families, errors_table
from softmax_lib.figures.attention import undivided_scores_saturate
from softmax_lib.figures.bug_museum import loss_of_softmax_twice
from softmax_lib.figures.calibration import reliability
from softmax_lib.figures.cat_dog_tiger import layer_of_the_network, probabilities_of_a_batch
from softmax_lib.figures.cross_entropy import (
    confusion,
    learning_curves,
    slopes_of_three_losses,
    surest_mistakes,
    what_each_class_looks_for,
)
from softmax_lib.figures.cupy import (
    butterfly,
    calls_return_early,
    crossover_measured,
    crossover_of_the_limits,
    row_in_registers,
    sectors_of_a_warp,
    softmax_on_a_gpu,
    traffic_of_softmax,
    way_to_the_gpu,
)
from softmax_lib.figures.dask import pairs_merge_in_a_tree
from softmax_lib.figures.five_logits import axis_says_what_sums_to_one, from_logits_to_probabilities
from softmax_lib.figures.formula import plain_division_fails, two_classes_are_the_sigmoid
from softmax_lib.figures.jacobian import (
    directions_of_the_jacobian,
    gradient_check_error,
    slope_vanishes_when_sure,
    tangent_of_a_nudge,
)
from softmax_lib.figures.numba import ladder, race, speed_beside_peers
from softmax_lib.figures.paper import Picture, Table
from softmax_lib.figures.stability import sums_that_stop_growing, where_exp_ends
from softmax_lib.figures.temperature import choices_grow_with_temperature

__all__ = [
    "Picture",
    "Table",
    "axis_says_what_sums_to_one",
    "butterfly",
    "calls_return_early",
    "choices_grow_with_temperature",
    "confusion",
    "crossover_measured",
    "crossover_of_the_limits",
    "directions_of_the_jacobian",
    "errors_of_the_families",
    "errors_table",
    "from_logits_to_probabilities",
    "gradient_check_error",
    "ladder",
    "layer_of_the_network",
    "learning_curves",
    "loss_of_softmax_twice",
    "pairs_merge_in_a_tree",
    "plain_division_fails",
    "probabilities_of_a_batch",
    "race",
    "reliability",
    "row_in_registers",
    "sectors_of_a_warp",
    "slope_vanishes_when_sure",
    "slopes_of_three_losses",
    "softmax_on_a_gpu",
    "speed_beside_peers",
    "sums_that_stop_growing",
    "surest_mistakes",
    "tangent_of_a_nudge",
    "traffic_of_softmax",
    "two_classes_are_the_sigmoid",
    "undivided_scores_saturate",
    "way_to_the_gpu",
    "what_each_class_looks_for",
    "where_exp_ends",
]
