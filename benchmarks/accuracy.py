"""How far softmax and its relatives are from the exact answer, here and in the peers.

mpmath computes the exact answer with 60 digits, for the logits after they were rounded to their
type. The error of softmax, log_softmax and logsumexp is in units in the last place (ULP): one unit
is the distance from the correctly rounded answer to the next number of the type. The error of the
two gradients is relative, component by component. A result that is not finite has the error "inf".
"""

import argparse
import functools
import importlib
import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import ml_dtypes
import mpmath
import numpy as np
import numpy.typing as npt

from benchmarks import report
from softmax_lib import softmax

Array = npt.NDArray[Any]
Functions = dict[str, Callable[..., Any]]

DIGITS = 60
DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}
IN_ULPS = ("softmax", "log_softmax", "logsumexp")
OPERATIONS = (*IN_ULPS, "softmax_vjp", "cross_entropy_grad")
PACKAGES = ("numpy", "ml-dtypes", "mpmath", "scipy", "torch", "numba")

# --- the exact answers -----------------------------------------------------------------------------------------------


def exact(row: Array) -> dict[str, list[Any]]:
    """softmax, log_softmax and logsumexp of a row.

    Nothing cancels: the maximum's own term is 1, and log1p takes the sum of the others.
    """
    # Equal logits have equal answers, and 100 000 logits in half precision take few values.
    values, where, counts = np.unique(row.astype(np.float64), return_inverse=True, return_counts=True)
    maximum = mpmath.mpf(values[-1])
    shifted = [mpmath.mpf(value) - maximum for value in values.tolist()]
    exponentials = [mpmath.exp(value) for value in shifted]
    *others, ties = (e * n for e, n in zip(exponentials, counts.tolist(), strict=True))
    rest = mpmath.fsum([*others, ties - 1])
    log_total = mpmath.log1p(rest)
    probabilities = [e / (1 + rest) for e in exponentials]
    logarithms = [value - log_total for value in shifted]
    return {
        "softmax": [probabilities[i] for i in where],
        "log_softmax": [logarithms[i] for i in where],
        "logsumexp": [maximum + log_total],
    }


def exact_vjp(probabilities: Array, vector: Array) -> list[Any]:
    """p_i sum_j p_j (v_i - v_j), for probabilities that rounding may keep from summing to one."""
    p, v = ([mpmath.mpf(value) for value in array.tolist()] for array in (probabilities, vector))
    total, inner = mpmath.fsum(p), mpmath.fdot(p, v)
    return [a * (b * total - inner) for a, b in zip(p, v, strict=True)]


def exact_gradient(row: Array, target: int) -> list[Any]:
    """The probabilities, minus 1 at the target."""
    gradient = exact(row)["softmax"]
    gradient[target] -= 1
    return gradient


# --- errors ----------------------------------------------------------------------------------------------------------

Units = tuple[Array, Array, Array]


def units(expected: Iterable[Any], dtype: npt.DTypeLike) -> Units:
    """Each number's unit in the last place of `dtype`, as an exponent, and the number in that unit.

    The number is in two parts, high and low. So float64 holds it to 100 bits, also where it is too
    small for float64.
    """
    information = ml_dtypes.finfo(dtype)
    digits, smallest = information.nmant + 1, information.minexp - information.nmant
    parts = []
    for value in expected:
        with mpmath.workprec(digits):
            _, exponent = mpmath.frexp(+value)
        last = max(int(exponent) - digits, smallest) if value else smallest
        in_units = mpmath.ldexp(value, -last)
        high = float(in_units)
        parts.append((last, high, float(in_units - high)))
    exponents, high_parts, low_parts = zip(*parts, strict=True)
    return np.array(exponents), np.array(high_parts), np.array(low_parts)


def ulps(got: Array, expected: Units) -> Array:
    """How many units in the last place `got` is off; inf where it is not finite."""
    exponents, high, low = expected
    with np.errstate(all="ignore"):
        errors = np.abs((np.ldexp(np.ravel(got).astype(np.float64), -exponents) - high) - low)
    return np.where(np.isfinite(errors), errors, np.inf)


def relative(got: Array, expected: Sequence[Any]) -> Array:
    """|got - expected| / |expected|; inf where `got` is not finite."""
    pairs = zip(np.ravel(got).astype(np.float64).tolist(), expected, strict=True)
    return np.array([float(abs((g - e) / e)) if np.isfinite(g) else np.inf for g, e in pairs])


# --- hostile families ------------------------------------------------------------------------------------------------


class Question(NamedTuple):
    """A question to every library, and a function that says how far an answer is off."""

    operation: str
    inputs: tuple[Array, ...]
    unit: str
    errors: Callable[[Array], Array]


def families(dtype: str, length: int) -> dict[str, Array]:
    """Matrices of logits, each of which probes another weakness. K is 512, in one case `length`."""
    short = min(512, length)
    generator = np.random.default_rng(0)
    kind = DTYPES[dtype]
    information = ml_dtypes.finfo(kind)
    normals = generator.standard_normal((4, short))
    lowest = np.log(2.0) * (information.minexp - information.nmant)  # exp gives the smallest subnormal number
    tail = np.linspace(lowest - 1, np.log(2.0) * information.minexp + 3, short - 1)
    made = {
        "wide spread (sigma 100)": 100 * normals,
        "near ties": 1 + 4 * float(information.eps) * normals,
        f"long (K = {length})": generator.standard_normal((1, length)),
        "tail near the subnormals": np.concatenate([[0.0], tail])[np.newaxis],
        "shift by +1e4": normals + 1e4,
        "shift by -1e4": normals - 1e4,
        "one dominant logit": np.concatenate([np.full((4, 1), 25.0), normals[:, 1:]], axis=1),
    }
    return {name: logits.astype(kind) for name, logits in made.items()}


def gradient_families(dtype: str, length: int) -> dict[str, tuple[Array, Array, Array]]:
    """Logits, the target class of each row, and a vector to multiply by."""
    if dtype not in ("float32", "float64"):
        return {}
    generator = np.random.default_rng(0)
    short = min(512, length)
    normals, vectors = generator.standard_normal((2, 4, short))
    dominant = np.concatenate([np.full((4, 1), 25.0), normals[:, 1:]], axis=1)
    first, second = np.zeros(4, np.int64), np.ones(4, np.int64)
    made = {
        "37.43 and 0": (np.array([[37.43, 0.0]]), first[:1], np.array([[1.0, 0.0]])),
        "the dominant logit is the target": (dominant, first, np.eye(short)[first]),
        "another than the dominant logit": (dominant, second, np.eye(short)[second]),
        "wide spread (sigma 10)": (10 * normals, second, vectors),
        "ordinary (sigma 1)": (normals, second, vectors),
    }
    kind = DTYPES[dtype]
    return {name: (x.astype(kind), target, v.astype(kind)) for name, (x, target, v) in made.items()}


def questions(dtype: str, length: int) -> Iterator[tuple[str, Callable[[], list[Question]]]]:
    """The families by name, and for each a function that makes its questions.

    It is called when their turn has come, because it takes a second where K = 100 000.
    """

    def in_ulps(x: Array) -> list[Question]:
        answers = [exact(row) for row in x]
        made = []
        for operation in IN_ULPS:
            expected = units(itertools.chain.from_iterable(answer[operation] for answer in answers), DTYPES[dtype])
            made.append(Question(operation, (x,), "ulp", functools.partial(ulps, expected=expected)))
        return made

    def in_relation(x: Array, target: Array, v: Array) -> list[Question]:
        p = softmax(x)
        vjp = [value for pair in zip(p, v, strict=True) for value in exact_vjp(*pair)]
        gradient = [value for pair in zip(x, target.tolist(), strict=True) for value in exact_gradient(*pair)]
        return [
            Question("softmax_vjp", (p, v), "relative", functools.partial(relative, expected=vjp)),
            Question("cross_entropy_grad", (x, target), "relative", functools.partial(relative, expected=gradient)),
        ]

    for name, x in families(dtype, length).items():
        yield name, functools.partial(in_ulps, x)
    for name, arrays in gradient_families(dtype, length).items():
        yield name, functools.partial(in_relation, *arrays)


# --- who is held against them ----------------------------------------------------------------------------------------


def _softmax_lib(backend: str) -> Functions:
    module = importlib.import_module(f"softmax_lib.{backend}")
    return {name: getattr(module, name) for name in OPERATIONS}


def _scipy() -> Functions:
    from scipy import special

    return {name: functools.partial(getattr(special, name), axis=-1) for name in IN_ULPS}


def _formula() -> Functions:
    """The gradients in their usual form, from probabilities that are right."""

    def vjp(p: Array, v: Array) -> Array:
        return p * (v - (p * v).sum(axis=-1, keepdims=True))

    def gradient(x: Array, target: Array) -> Array:
        p = softmax(x)
        return p - (np.arange(x.shape[-1]) == target[:, np.newaxis]).astype(x.dtype)

    return {"softmax_vjp": vjp, "cross_entropy_grad": gradient}


def _torch() -> Functions:
    import torch

    # PyTorch does not know ml_dtypes; float32 holds every bfloat16.
    def tensor(array: Array) -> Any:
        narrow = array.dtype == ml_dtypes.bfloat16
        return torch.tensor(array.astype(np.float32)).to(torch.bfloat16) if narrow else torch.tensor(array)

    def array(result: Any) -> Array:
        narrow = result.dtype == torch.bfloat16
        return result.to(torch.float32).numpy().astype(ml_dtypes.bfloat16) if narrow else result.numpy()

    def plain(function: Callable[[Any, int], Any]) -> Callable[[Array], Array]:
        return lambda x: array(function(tensor(x), -1))

    def vjp(p: Array, v: Array) -> Array:
        output = tensor(p)
        return array(torch._softmax_backward_data(tensor(v), output, -1, output.dtype))

    def gradient(x: Array, target: Array) -> Array:
        logits = tensor(x).requires_grad_()
        torch.nn.functional.cross_entropy(logits, tensor(target), reduction="sum").backward()
        return array(logits.grad)

    functions = {name: plain(getattr(torch, name)) for name in IN_ULPS}
    return functions | {"softmax_vjp": vjp, "cross_entropy_grad": gradient}


LIBRARIES: dict[str, Callable[[], Functions]] = {
    "with_numpy": lambda: _softmax_lib("with_numpy"),
    "with_numba": lambda: _softmax_lib("with_numba"),
    "scipy": _scipy,
    "torch": _torch,
    "formula": _formula,
}


def load() -> tuple[dict[str, Functions], dict[str, str]]:
    """The libraries that are here, and why the others are not."""
    here, left_out = {}, {}
    for name, functions in LIBRARIES.items():
        try:
            here[name] = functions()
        except ImportError as problem:
            left_out[name] = str(problem)
    return here, left_out


# --- the run ---------------------------------------------------------------------------------------------------------


def answer(functions: Functions, question: Question) -> dict[str, Any]:
    """The errors of one library's answer to one question, or why there is none."""
    try:
        with np.errstate(all="ignore"):
            got = np.asarray(functions[question.operation](*question.inputs))
            errors = question.errors(got)
    except Exception as problem:  # it is a result, too, that a library does not take a type
        return {"left_out": report.one_line(problem)}
    result = {"max": float(errors.max()), "mean": float(errors.mean())}
    widened = got.dtype != question.inputs[0].dtype
    return result | {"returned": got.dtype.name} if widened else result


def tables(results: Sequence[dict[str, Any]]) -> str:
    """A table of the largest errors for each operation, the libraries side by side."""
    text = []
    for operation, rows in _grouped(results, "operation"):
        libraries = list(dict.fromkeys(row["library"] for row in rows))
        lines = []
        for dtype, of_dtype in _grouped(rows, "dtype"):
            for family, cells in _grouped(of_dtype, "family"):
                errors = {row["library"]: _cell(row) for row in cells}
                lines.append((f"  {dtype}, {family}", *(errors.get(library, "") for library in libraries)))
        unit = "ULP" if rows[0]["unit"] == "ulp" else "relative"
        text.append(report.table((f"{operation}, largest error, {unit}", *libraries), lines))
    return "\n\n".join(text)


def _cell(row: dict[str, Any]) -> str:
    if "max" not in row:
        return "-"
    return f"{row['max']:.3g}" + (f" ({row['returned']})" if "returned" in row else "")


def _grouped(rows: Sequence[dict[str, Any]], key: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows by their value of `key`, in the order in which the values first come."""
    for value in dict.fromkeys(row[key] for row in rows):
        yield value, [row for row in rows if row[key] == value]


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = report.parser("accuracy", __doc__)
    parser.add_argument("--only", nargs="+", choices=OPERATIONS, default=OPERATIONS, metavar="OPERATION")
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=list(DTYPES), metavar="DTYPE")
    parser.add_argument("--length", type=_length, default=100_000, help="the largest K (100000)")
    return parser.parse_args(given)


def _length(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"the length must be a whole number from 2 on, not {text!r}")
    return int(text)


def main() -> int:
    options = arguments()
    begin = time.perf_counter()
    libraries, left_out = load()
    rows = []
    work = [(dtype, *family) for dtype in options.dtypes for family in questions(dtype, options.length)]
    progress = report.Progress(len(work))
    with mpmath.workdps(DIGITS):
        for dtype, family, make in work:
            progress.step(f"{dtype}, {family}")
            for question in make():
                facts = {"operation": question.operation, "family": family, "dtype": dtype, "unit": question.unit}
                rows += [
                    facts | {"library": library} | answer(functions, question)
                    for library, functions in libraries.items()
                    if question.operation in functions and question.operation in options.only
                ]
    progress.close()
    results = {
        "facts": report.facts(PACKAGES),
        "digits": DIGITS,
        "left_out": left_out,
        "seconds": time.perf_counter() - begin,
        "results": rows,
    }
    report.write(options.output, results)
    print(tables(rows))
    for name, reason in left_out.items():
        print(f"Left out: {name} ({reason})")
    for row in rows:
        if "left_out" in row:
            print(f"Left out: {row['library']}, {row['operation']} {row['dtype']}, {row['family']} ({row['left_out']})")
    print(f"{results['seconds']:.0f} s; written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
