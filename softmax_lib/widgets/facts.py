"""The facts of the interactives: ``facts.json``, which esbuild bundles into the TypeScript as well.

The file lists the fields of each interactive, in the order in which they are stored and written into
links. A field has a kind, and a default unless its value must be given:
``"temperature": {"positive number": {"default": 1.0}}``. The kind stands as a key because TypeScript
knows the keys of a JSON file by name, but widens the values to string or number: so the types of the
states follow from this file too. A new kind needs a trait in ``traits.py``, and a parser in
``widgets/src/state.ts``.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple


class FloatFormat(NamedTuple):
    """A format's significant bits, and the exponent of its largest numbers."""

    bits: int
    exponent: int


class Field(NamedTuple):
    """The kind of a field, and the default that it has unless it is required."""

    kind: str
    required: bool
    default: Any


def _field(facts: dict[str, dict[str, Any]]) -> Field:
    ((kind, more),) = facts.items()
    return Field(kind, "default" not in more, more.get("default"))


_FACTS = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))

MOST_CLASSES: int = _FACTS["limits"]["most_classes"]
LONGEST_LABEL: int = _FACTS["limits"]["longest_label"]
FEWEST_CHOICES: int = _FACTS["limits"]["fewest_choices"]
MOST_RUNGS: int = _FACTS["limits"]["most_rungs"]
MOST_EXAMPLES: int = _FACTS["limits"]["most_examples"]
BINS: int = _FACTS["limits"]["bins"]
"""Of equal width, for what a classifier says of itself."""
MOST_PROMPTS: int = _FACTS["limits"]["most_prompts"]
FEWEST_WORDS: int = _FACTS["limits"]["fewest_words"]
MOST_WORDS: int = _FACTS["limits"]["most_words"]
MOST_DRAWS: int = _FACTS["limits"]["most_draws"]
"""One column of dots has room for so many."""
MOST_TOKENS: int = _FACTS["limits"]["most_tokens"]
"""A phone has room for a matrix of so many rows and columns."""
MOST_DIMENSIONS: int = _FACTS["limits"]["most_dimensions"]
LARGEST_SEED: int = _FACTS["limits"]["largest_seed"]
LONGEST_SENTENCE: int = _FACTS["limits"]["longest_sentence"]
SHORTEST_TIME: float = _FACTS["limits"]["shortest_time"]
LONGEST_TIME: float = _FACTS["limits"]["longest_time"]
"""In seconds; what is longer or shorter cannot be told from a mistake."""
MOST_ULP: int = _FACTS["limits"]["most_ulp"]
"""Beyond an error of this many ULP, a decimal digit is lost."""
EXACT_TO_ULP: int = _FACTS["limits"]["exact_to_ulp"]
"""What stands for the exact answer is a float64, good to this many ULP."""
UNNAMED_CLASS: str = _FACTS["unnamed_class"]
COLOURS: int = _FACTS["colours"]
SLIDERS: tuple[str, ...] = tuple(_FACTS["sliders"])
"""What may stand under the softmax machine, for what no bar shows."""
TIME_UNITS: dict[str, float] = _FACTS["time_units"]
"""How many of each unit are a second."""
FORMATS = {name: FloatFormat(**facts) for name, facts in _FACTS["formats"].items()}
INTERACTIVES = {
    name: {field: _field(facts) for field, facts in fields.items()} for name, fields in _FACTS["interactives"].items()
}
"""The fields of each interactive, by the names of its class and of the field."""
