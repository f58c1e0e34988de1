"""The interactives' Python face, a file for each.

What the reader sees move is written in TypeScript, in the repository's ``widgets/``, and esbuild turns
it into ``softmax_lib/static/``. In a live notebook Python and the view change the same traits. The
stored output of a cell is the same state as plain HTML, which the site's script brings to life.
"""

try:
    import anywidget  # noqa: F401
except ImportError as missing:
    raise ImportError('softmax_lib.widgets needs anywidget: pip install "softmax-lib[widgets]"') from missing

from softmax_lib.widgets.attention_explorer import AttentionExplorer
from softmax_lib.widgets.calibration_explorer import CalibrationExplorer
from softmax_lib.widgets.guess import Guess, GuessNumber
from softmax_lib.widgets.jacobian_explorer import JacobianExplorer
from softmax_lib.widgets.ladder import Ladder
from softmax_lib.widgets.layer_explorer import LayerExplorer
from softmax_lib.widgets.logit_explorer import LogitExplorer
from softmax_lib.widgets.loss_explorer import LossExplorer
from softmax_lib.widgets.number_field import NumberField
from softmax_lib.widgets.online_stepper import OnlineStepper
from softmax_lib.widgets.precision_lab import PrecisionLab
from softmax_lib.widgets.quiz import Quiz
from softmax_lib.widgets.sampling_explorer import SamplingExplorer
from softmax_lib.widgets.simplex_explorer import SimplexExplorer
from softmax_lib.widgets.traits import InvalidState

__all__ = [
    "AttentionExplorer",
    "CalibrationExplorer",
    "Guess",
    "GuessNumber",
    "InvalidState",
    "JacobianExplorer",
    "Ladder",
    "LayerExplorer",
    "LogitExplorer",
    "LossExplorer",
    "NumberField",
    "OnlineStepper",
    "PrecisionLab",
    "Quiz",
    "SamplingExplorer",
    "SimplexExplorer",
]
