"""The base class of the interactives."""

import html
import json
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from softmax_lib.widgets.facts import INTERACTIVES, Field

_STATIC = Path(__file__).parents[1] / "static"
_FIELD_NAMES = {name for fields in INTERACTIVES.values() for name in fields}


class Interactive(anywidget.AnyWidget):
    """What all interactives share: their constructor, their script, and a stored form without ids or timings.

    A subclass has a trait for each of its fields in ``facts.json``, which are also the arguments of its constructor, in
    their order, and it has the methods `check` and `fallback`.
    """

    __signature__: Signature
    _esm = _STATIC / "widgets.js"
    _css = _STATIC / "widgets.css"
    _component = traitlets.Unicode().tag(sync=True)
    _stored = traitlets.Dict().tag(sync=True)  # what Reset goes back to

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__name__ in INTERACTIVES:
            cls.__signature__ = _signature(INTERACTIVES[cls.__name__])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            given = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        given.apply_defaults()
        super().__init__(**given.arguments.pop("more"), **given.arguments)

    def check(self, values: dict[str, Any]) -> None:
        """Raise InvalidState if these values, each valid for itself, do not fit together."""
        raise NotImplementedError

    def fallback(self) -> str:
        """The HTML that stands for the interactive where no script runs."""
        raise NotImplementedError

    def shorthand(self) -> dict[str, str]:
        """What the plain text says instead of values that are long, and stand in the picture."""
        return {}

    @traitlets.default("_component")
    def _default_component(self) -> str:
        # A reader's own subclass is shown as the class of this package that it extends.
        return next(c.__name__ for c in type(self).__mro__ if c.__module__.startswith(f"{__package__}."))

    @traitlets.default("_stored")
    def _default_stored(self) -> dict[str, Any]:
        return self._state()

    @traitlets.validate(*_FIELD_NAMES)
    def _only_what_fits_together(self, proposal: Any) -> Any:
        self.check({name: getattr(self, name) for name in self._fields} | {proposal.trait.name: proposal.value})
        return proposal.value

    @property
    def _fields(self) -> dict[str, Field]:
        return INTERACTIVES[self._component]

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.get_state(list(self._fields))
        return state

    def __repr__(self) -> str:
        values = ((name, field, getattr(self, name)) for name, field in self._fields.items())
        short = self.shorthand()
        shown = (
            f"{name}={short.get(name, repr(value))}"
            for name, field, value in values
            if field.required or value != field.default
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return data | {"text/plain": repr(self), "text/html": self._html()}, metadata

    def _html(self) -> str:
        state = json.dumps(self._state(), ensure_ascii=False, allow_nan=False)
        return (
            f'<div class="softmax-widget" data-widget="{self._component}" data-state="{html.escape(state)}">'
            f'<p class="sw-run">To use this in a notebook, run its cell.</p>{self.fallback()}</div>'
        )


def _signature(fields: dict[str, Field]) -> Signature:
    """A parameter for each field, by its name alone where it is required and one before it is not."""
    parameters: list[Parameter] = []
    by_name_alone = False
    for name, field in fields.items():
        by_name_alone |= field.required and any(before.default is not Parameter.empty for before in parameters)
        kind = Parameter.KEYWORD_ONLY if by_name_alone else Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(Parameter(name, kind, default=Parameter.empty if field.required else field.default))
    return Signature([*parameters, Parameter("more", Parameter.VAR_KEYWORD)])
