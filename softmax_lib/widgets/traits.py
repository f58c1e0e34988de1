"""What a field of each kind may hold, in traits that say what is wrong with any other value."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from softmax_lib.examples import NextWord
from softmax_lib.widgets.facts import (
    FEWEST_CHOICES,
    FEWEST_WORDS,
    FORMATS,
    LONGEST_LABEL,
    LONGEST_SENTENCE,
    LONGEST_TIME,
    MOST_CLASSES,
    MOST_EXAMPLES,
    MOST_PROMPTS,
    MOST_RUNGS,
    MOST_WORDS,
    SHORTEST_TIME,
    SLIDERS,
    TIME_UNITS,
    Field,
)

if TYPE_CHECKING:
    from traitlets import TraitType
else:

    class TraitType(traitlets.TraitType):
        def __class_getitem__(cls, kinds: Any) -> type:
            """Traitlets can do this since 5.10, and Colab has 5.7."""
            return cls


class InvalidState(traitlets.TraitError, ValueError):
    """A value that no interactive can show. It is a TraitError so that traitlets rolls back."""


def trait(field: Field) -> TraitType[Any, Any]:
    """The trait of a field, by its kind. It follows the view, and the view follows it."""
    default = traitlets.Undefined if field.required else field.default
    return _KINDS[field.kind](default).tag(sync=True)


def check_count(name: str, values: Sequence[Any] | None, other_name: str, others: Sequence[Any]) -> None:
    """Raise InvalidState if there are `values`, and not as many as `others`."""
    if values is not None and len(values) != len(others):
        raise InvalidState(f"{name} must be as many as {other_name}, {len(others)}, got {len(values)}: {values!r}")


def check_index(name: str, index: int, other_name: str, others: Sequence[Any]) -> None:
    """Raise InvalidState if `index` is none of `others`."""
    if index >= len(others):
        raise InvalidState(f"{name} must be an index into {other_name}, 0 to {len(others) - 1}, got {index}")


def check_range(name: str, number: int | float | None, least: int, most: int) -> None:
    """Raise InvalidState if there is a `number`, and it is not from `least` to `most`."""
    if number is not None and not least <= number <= most:
        raise InvalidState(f"{name} must be from {least} to {most}, got {number}")


class Number(TraitType[float, float]):
    rule = "a finite number"

    def validate(self, obj: Any, value: Any) -> float:
        number = _as_float(value)
        if number is None or not self.allows(number):
            raise InvalidState(f"{self.name} must be {self.rule}, got {value!r}")
        return number

    def allows(self, number: float) -> bool:
        return True


class PositiveNumber(Number):
    rule = "a finite number greater than 0"

    def allows(self, number: float) -> bool:
        return number > 0


class Numbers(TraitType[list[float], Any]):
    def validate(self, obj: Any, value: Any) -> list[float]:
        numbers = _as_floats(value)
        if numbers is None:
            raise InvalidState(f"{self.name} must be 1 to {MOST_CLASSES} finite numbers, got {value!r}")
        return numbers


class ThreeNumbers(TraitType[list[float], Any]):
    def validate(self, obj: Any, value: Any) -> list[float]:
        numbers = _as_floats(value)
        if numbers is None or len(numbers) != 3:
            raise InvalidState(f"{self.name} must be three finite numbers, got {value!r}")
        return numbers


class Matrix(TraitType[list[list[float]], Any]):
    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        rows = [_as_floats(row) for row in _as_list(value)]
        good = [row for row in rows if row is not None]
        if not 1 <= len(rows) <= MOST_CLASSES or len(good) < len(rows) or len({len(row) for row in good}) > 1:
            raise InvalidState(
                f"{self.name} must be 1 to {MOST_CLASSES} rows of equally many finite numbers, "
                f"at most {MOST_CLASSES}, got {value!r}"
            )
        return good


class Examples(TraitType[list[list[float]], Any]):
    """The logits of many examples. A message names the one row that is wrong: nobody would find it among hundreds."""

    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        rows = _as_list(value)
        if not 1 <= len(rows) <= MOST_EXAMPLES:
            got = len(rows) if rows else repr(value)
            raise InvalidState(f"{self.name} must be 1 to {MOST_EXAMPLES} rows, one for each example, got {got}")
        good: list[list[float]] = []
        for i, row in enumerate(rows):
            numbers = _as_floats(row)
            if numbers is None or (good and len(numbers) != len(good[0])):
                raise InvalidState(
                    f"{self.name} must be rows of equally many finite numbers, 1 to {MOST_CLASSES}, "
                    f"got {row!r} as row {i}"
                )
            good.append(numbers)
        return good


class Classes(TraitType[list[int], Any]):
    def validate(self, obj: Any, value: Any) -> list[int]:
        classes = _as_list(value)
        for i, index in enumerate(classes):
            if not _is_index(index):
                raise InvalidState(f"{self.name} must be indices of classes, from 0, got {index!r} for example {i}")
        if not classes:
            raise InvalidState(f"{self.name} must be a sequence of indices of classes, one at least, got {value!r}")
        return [int(index) for index in classes]


class Labels(TraitType[list[str] | None, Any]):
    allow_none = True

    def validate(self, obj: Any, value: Any) -> list[str]:
        labels = _as_list(value)
        if not labels or not all(isinstance(label, str) and label.strip() for label in labels):
            raise InvalidState(f"{self.name} must be None or a sequence of texts, none empty, got {value!r}")
        for label in labels:
            if len(label) > LONGEST_LABEL:
                raise InvalidState(f"{self.name} must have at most {LONGEST_LABEL} characters each, got {label!r}")
        return labels


class Index(TraitType[int, Any]):
    def validate(self, obj: Any, value: Any) -> int:
        if not _is_index(value):
            raise InvalidState(f"{self.name} must be an index from 0, got {value!r}")
        return int(value)


class IndexOrNone(Index):
    allow_none = True


class Integer(TraitType[int, Any]):
    rule = "an integer"

    def validate(self, obj: Any, value: Any) -> int:
        if not _is_integer(value):
            raise InvalidState(f"{self.name} must be {self.rule}, got {value!r}")
        return int(value)


class IntegerOrNone(Integer):
    rule = "None or an integer"
    allow_none = True


class Prompts(TraitType[list[NextWord], Any]):
    """Texts with their next words. A message names the one prompt that is wrong, as `Examples` does."""

    def validate(self, obj: Any, value: Any) -> list[NextWord]:
        prompts = [_as_list(prompt) for prompt in _as_list(value)]
        if not 1 <= len(prompts) <= MOST_PROMPTS or any(len(prompt) != 3 for prompt in prompts):
            raise InvalidState(
                f"{self.name} must be 1 to {MOST_PROMPTS} triples of text, words and logits, got {value!r}"
            )
        return [self._valid(i, *prompt) for i, prompt in enumerate(prompts)]

    def _valid(self, i: int, text: Any, words: Any, logits: Any) -> NextWord:
        names = _as_list(words)
        given = _as_list(logits)
        numbers = [number for item in given if (number := _as_float(item)) is not None]
        wrong = None
        if not _are_texts([text], LONGEST_SENTENCE):
            wrong = f"texts of 1 to {LONGEST_SENTENCE} characters, got {text!r}"
        elif not FEWEST_WORDS <= len(names) <= MOST_WORDS or not _are_texts(names, LONGEST_LABEL):
            wrong = f"{FEWEST_WORDS} to {MOST_WORDS} words of 1 to {LONGEST_LABEL} characters, got {words!r}"
        elif not len(numbers) == len(given) == len(names):
            wrong = f"a finite logit for each of the {len(names)} words, got {logits!r}"
        elif numbers != sorted(numbers, reverse=True):
            wrong = f"the likeliest word first, and logits that never rise, got {logits!r}"
        if wrong:
            raise InvalidState(f"{self.name} must have {wrong} in prompt {i}")
        return NextWord(text, tuple(names), tuple(numbers))


class Time(Number):
    rule = f"from {SHORTEST_TIME:g} to {LONGEST_TIME:g} seconds"

    def allows(self, number: float) -> bool:
        return SHORTEST_TIME <= number <= LONGEST_TIME


class Times(TraitType[list[float], Any]):
    def validate(self, obj: Any, value: Any) -> list[float]:
        times = [_as_float(item) for item in _as_list(value)]
        good = [time for time in times if time is not None and SHORTEST_TIME <= time <= LONGEST_TIME]
        if not 1 <= len(times) <= MOST_RUNGS or len(good) < len(times):
            raise InvalidState(f"{self.name} must be 1 to {MOST_RUNGS} times, each {Time.rule}, got {value!r}")
        return good


class Names(TraitType[list[str], Any]):
    def validate(self, obj: Any, value: Any) -> list[str]:
        names = _as_list(value)
        if not 1 <= len(names) <= MOST_RUNGS or not _are_texts(names, LONGEST_LABEL):
            raise InvalidState(
                f"{self.name} must be 1 to {MOST_RUNGS} texts of 1 to {LONGEST_LABEL} characters, got {value!r}"
            )
        return names


class Sentences(TraitType[list[str] | None, Any]):
    allow_none = True

    def validate(self, obj: Any, value: Any) -> list[str]:
        sentences = _as_list(value)
        if not sentences or not _are_texts(sentences, LONGEST_SENTENCE):
            raise InvalidState(
                f"{self.name} must be None or texts of 1 to {LONGEST_SENTENCE} characters, got {value!r}"
            )
        return sentences


class TimeUnit(TraitType[str, str]):
    def validate(self, obj: Any, value: Any) -> str:
        if not isinstance(value, str) or value not in TIME_UNITS:
            raise InvalidState(f"{self.name} must be one of {list(TIME_UNITS)}, got {value!r}")
        return value


class Format(TraitType[str, str]):
    def validate(self, obj: Any, value: Any) -> str:
        if not isinstance(value, str) or value not in FORMATS:
            raise InvalidState(f"{self.name} must be one of {list(FORMATS)}, got {value!r}")
        return value


class Sliders(TraitType[list[str], Any]):
    def validate(self, obj: Any, value: Any) -> list[str]:
        names = _as_list(value)
        if not all(name in SLIDERS for name in names) or isinstance(value, str):
            raise InvalidState(f"{self.name} must be a sequence of names from {list(SLIDERS)}, got {value!r}")
        return [name for name in SLIDERS if name in names]


class Text(TraitType[str, str]):
    def validate(self, obj: Any, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise InvalidState(f"{self.name} must be a text that is not empty, got {value!r}")
        return value


class Unit(TraitType[str, str]):
    def validate(self, obj: Any, value: Any) -> str:
        if not isinstance(value, str) or len(value) > LONGEST_LABEL:
            raise InvalidState(f"{self.name} must be a text of at most {LONGEST_LABEL} characters, got {value!r}")
        return value


class Flag(TraitType[bool, bool]):
    def validate(self, obj: Any, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise InvalidState(f"{self.name} must be True or False, got {value!r}")
        return bool(value)


class Choices(TraitType[dict[str, str], Any]):
    def __init__(self, default_value: Any = traitlets.Undefined) -> None:
        super().__init__(default_value)
        # A list of pairs in JavaScript: its objects put keys that look like integers first.
        self.tag(to_json=lambda choices, _: [list(pair) for pair in choices.items()])

    def validate(self, obj: Any, value: Any) -> dict[str, str]:
        choices = dict(value) if isinstance(value, Mapping) else {}
        texts = [*choices.keys(), *choices.values()]
        if not FEWEST_CHOICES <= len(choices) <= MOST_CLASSES or not all(
            isinstance(t, str) and t.strip() for t in texts
        ):
            raise InvalidState(
                f"{self.name} must map {FEWEST_CHOICES} to {MOST_CLASSES} texts to replies, none empty, got {value!r}"
            )
        return choices


class Mistakes(TraitType[dict[float, str], Any]):
    def __init__(self, default_value: Any = traitlets.Undefined) -> None:
        super().__init__(default_value)
        # A list of pairs in JavaScript: the keys of its objects are texts.
        self.tag(to_json=lambda mistakes, _: [list(pair) for pair in mistakes.items()])

    def validate(self, obj: Any, value: Any) -> dict[float, str]:
        given = value if isinstance(value, Mapping) else {}
        mistakes = {number: text for wrong, text in given.items() if (number := _as_float(wrong)) is not None}
        texts = all(isinstance(text, str) and text.strip() for text in given.values())
        if not 1 <= len(given) <= MOST_CLASSES or len(mistakes) != len(given) or not texts:
            raise InvalidState(
                f"{self.name} must map 1 to {MOST_CLASSES} finite numbers to texts, none empty, got {value!r}"
            )
        return mistakes


_KINDS: dict[str, Callable[[Any], TraitType[Any, Any]]] = {
    "number": Number,
    "positive number": PositiveNumber,
    "numbers": Numbers,
    "three numbers": ThreeNumbers,
    "matrix": Matrix,
    "examples": Examples,
    "classes": Classes,
    "labels": Labels,
    "index": Index,
    "integer": Integer,
    "integer or none": IntegerOrNone,
    "prompts": Prompts,
    "time": Time,
    "times": Times,
    "time unit": TimeUnit,
    "names": Names,
    "sentences": Sentences,
    "index or none": IndexOrNone,
    "format": Format,
    "sliders": Sliders,
    "text": Text,
    "unit": Unit,
    "flag": Flag,
    "switch": Flag,
    "choices": Choices,
    "mistakes": Mistakes,
    "choice": partial(traitlets.Unicode, allow_none=True),
}


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_index(value: Any) -> bool:
    return _is_integer(value) and bool(value >= 0)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else []


def _are_texts(values: list[Any], longest: int) -> bool:
    return all(isinstance(text, str) and text.strip() and len(text) <= longest for text in values)


def _as_float(value: Any) -> float | None:
    if isinstance(value, bool | str | bytes):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _as_floats(value: Any) -> list[float] | None:
    numbers = [_as_float(item) for item in _as_list(value)]
    finite = [number for number in numbers if number is not None]
    return finite if 1 <= len(numbers) <= MOST_CLASSES and len(finite) == len(numbers) else None
