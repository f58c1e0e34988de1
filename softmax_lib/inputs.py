"""What a caller gives becomes a checked array, its axes, a mask or a target; or an error that says what is wrong.

All backends check here. A function that makes arrays takes the array library `xp`, numpy or cupy.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import normalize_axis_tuple

# Imported here and not where it is used: NumPy would import it at the first use, and a child process that is forked
# meanwhile would wait for that import for ever.
from numpy.ma import MaskedArray

Array = npt.NDArray[Any]
Axis = int | tuple[int, ...] | None
Pair = tuple[Any, Any]


class Target(NamedTuple):
    """What a loss is held against: class indices or distributions; of the two, the other is None."""

    classes: Any
    """The class of each example, in the shape of the logits without the axis of classes."""
    ignored: Any
    """Whether an example counts for nothing, in the same shape; None where all count."""
    shares: Any
    """A distribution for each example, in the shape of the logits and the type that was given."""
    label_smoothing: float
    """The part of each target that is spread evenly over all classes."""

    @property
    def is_plain(self) -> bool:
        """Whether each example has one class and no more."""
        return self.shares is None and not self.label_smoothing

    def beside(self, axis: int) -> Any:
        """The target as an array that has the axis of classes, if only with length 1."""
        return np.expand_dims(self.classes, axis) if self.shares is None else self.shares

    def without_ignored(self, result: Any, axis: int | None = None, xp: Any = np) -> Any:
        """The loss of each example, or its gradient along an `axis` of classes, with 0 for those that do not count."""
        if self.ignored is None:
            return result
        ignored = self.ignored if axis is None else xp.expand_dims(self.ignored, axis)
        return xp.where(ignored, result.dtype.type(0), result)


# --- arrays ----------------------------------------------------------------------------------------------------------


def as_logits(function: str, x: Any, name: str = "x", xp: Any = np) -> Array:
    """`x` as an array of floats in this machine's byte order: NumPy's, or `xp`'s if it is one of those."""
    array = _as_array(function, x, name, xp)
    kind = array.dtype.kind
    if kind == "f":
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    # Most of ml_dtypes' types are of NumPy's kind "V" (void). Their integers cast safely to int8, their floats to
    # float32, and nothing else of that kind does.
    if kind in "biu" or np.can_cast(array.dtype, np.int8):
        return array.astype(np.float64)
    if array.dtype.fields is None and np.can_cast(array.dtype, np.float32):
        return array
    raise _wrong_dtype(function, array, name)


def as_logits_up_to_float64(function: str, x: Any, name: str = "x", xp: Any = np) -> Array:
    """`as_logits` for backends that have no longdouble."""
    logits = as_logits(function, x, name, xp)
    if logits.dtype == np.longdouble and np.longdouble != np.float64:
        raise TypeError(f"{function} needs softmax_lib.with_numpy for longdouble, got dtype {logits.dtype}")
    return logits


def _as_array(function: str, x: Any, name: str, xp: Any) -> Array:
    if type(x) is np.ndarray or (xp is not np and isinstance(x, xp.ndarray)):
        array: Array = x
        return array
    _refuse_masked(x, name)
    if hasattr(x, "toarray"):
        raise TypeError(f"{function} expects {name} to be dense, got a {type(x).__name__}; pass {name}.toarray()")
    try:
        return np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{function}: {name} must be a rectangular array of numbers, got a ragged sequence") from error
    except (TypeError, RuntimeError) as error:  # PyTorch's, of bfloat16 and of tensors that need a gradient
        kind = f"{type(x).__module__.partition('.')[0]}.{type(x).__name__}"
        raise TypeError(
            f"{function}: {name} must be an array of numbers, but NumPy cannot read this {kind} ({error}); "
            f"pass {name} as a NumPy array, a PyTorch tensor as {name}.detach().float().numpy()"
        ) from error


def _wrong_dtype(function: str, array: Array, name: str) -> TypeError:
    told = f"{function} expects a real numeric array, got dtype {array.dtype}"
    if name == "target":
        told = f"{function} expects a target of class indices or distributions, got dtype {array.dtype}"
    if array.dtype == object:
        kinds = {type(entry).__name__: None for entry in array.flat}
        told += (
            f" ({', '.join(list(kinds)[:3])}); pass np.asarray({name}, float), a pandas object's {name}.to_numpy(float)"
        )
    return TypeError(told)


def _refuse_masked(array: object, name: str) -> None:
    """A mask would be lost without a word."""
    if isinstance(array, MaskedArray):
        fill = "-np.inf" if name == "x" else "..."
        raise TypeError(f"masked arrays are not supported; pass {name}.filled({fill})")


def check_same_shape(p: Array, v: Array) -> None:
    """Refuse a vector `v` that has not the shape of the probabilities."""
    if v.shape != p.shape:
        raise ValueError(f"v must have the shape of p, {p.shape}, got {v.shape}")


# --- axes ------------------------------------------------------------------------------------------------------------


def as_axes(array: Array, axis: Axis) -> tuple[int, ...]:
    """`axis` as axes that `array` has, counted from the first."""
    ndim = max(array.ndim, 1)  # A scalar is a slice of one entry.
    if type(axis) is int and axis == -1:
        return (ndim - 1,)
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not all(isinstance(a, int | np.integer) and not isinstance(a, bool) for a in axes):
        raise TypeError(f"axis must be an int, a tuple of ints or None, got {axis!r}")
    return tuple(normalize_axis_tuple(axes, ndim, "axis"))


def as_axis(array: Array, axis: int, name: str = "x") -> int:
    """`axis` as the one axis of classes."""
    if array.ndim == 0:
        raise ValueError(f"{name} must have an axis of classes, got a scalar")
    axes = as_axes(array, axis)
    if len(axes) != 1 or axis is None or isinstance(axis, tuple):
        raise TypeError(f"axis must be an int, got {axis!r}")
    return axes[0]


# --- mask and out ----------------------------------------------------------------------------------------------------


def as_mask(where: Any, logits: Array, xp: Any = np) -> Any:
    """`where` in the shape of the logits, or None if all take part."""
    if where is None:
        return None
    _refuse_masked(where, "where")
    try:
        # NumPy reads what another library might not: CuPy has no strings, for one.
        mask = where if isinstance(where, xp.ndarray) else np.asarray(where)
    except ValueError as error:
        raise ValueError("where must be a rectangular array of bool, got a ragged sequence") from error
    if mask.dtype != bool:
        raise TypeError(f"where must be an array of bool, got dtype {mask.dtype}")
    try:
        return xp.broadcast_to(xp.asarray(mask), logits.shape)
    except ValueError:
        raise ValueError(f"where must broadcast to the shape of x, {logits.shape}, got shape {mask.shape}") from None


def masked(logits: Array, mask: Any, xp: Any = np) -> Array:
    """The logits, with -inf where they take no part."""
    if mask is None:
        return logits
    nothing = logits.dtype.type(-np.inf)
    if not np.isinf(nothing):  # as in most types of 8 bits and fewer
        raise TypeError(f"where needs logits of a type that has an infinity, got dtype {logits.dtype}")
    # CuPy selects from bfloat16 as from float32.
    return xp.where(mask, logits, nothing).astype(logits.dtype, copy=False)


def check_out(out: Any, logits: Array, name: str = "x", xp: Any = np) -> None:
    """Refuse an `out` that cannot hold a result of the shape and type of the logits."""
    is_array = isinstance(out, xp.ndarray) and not isinstance(out, MaskedArray | np.matrix)
    if not is_array or out.dtype != logits.dtype:
        kind = "an ndarray" if xp is np else "a cupy.ndarray"
        foreign = "numpy.ndarray" if isinstance(out, np.ndarray) and xp is not np else type(out).__name__
        raise TypeError(
            f"out must be {kind} of dtype {logits.dtype}, got {f'dtype {out.dtype}' if is_array else foreign}"
        )
    if out.shape != logits.shape:
        raise ValueError(f"out must have the shape of {name}, {logits.shape}, got {out.shape}")
    if xp is np and not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")
    if xp is not np and out.device != logits.device:
        raise ValueError(f"out must be on the device of {name}, {logits.device}, got {out.device}")
    if out.size and any(stride == 0 and count > 1 for stride, count in zip(out.strides, out.shape, strict=True)):
        raise ValueError("out must be writeable, got a broadcast array")


# --- targets and pairs -----------------------------------------------------------------------------------------------


def as_target(
    function: str,
    target: Any,
    logits: Array,
    axis: int,
    label_smoothing: Any = 0.0,
    ignore_index: Any = None,
    xp: Any = np,
) -> Target:
    """`target` as class indices or as distributions."""
    smoothing = _as_smoothing(label_smoothing)
    given = xp.asarray(_as_numbers(function, target, "target", xp))
    shape = logits.shape[:axis] + logits.shape[axis + 1 :]
    count = logits.shape[axis]
    if given.shape == shape and (given.dtype.kind in "iu" or given.size == 0):
        classes, ignored = _as_classes(given, count, axis, logits, ignore_index, xp)
        return Target(classes, ignored, None, smoothing)
    if given.shape != logits.shape:
        raise ValueError(
            f"target must be class indices of shape {shape} or distributions of shape {logits.shape}, "
            f"got {given.dtype} of shape {given.shape}"
        )
    if ignore_index is not None:
        raise ValueError(f"ignore_index must be None where target is distributions, got {ignore_index!r}")
    _check_shares(given, axis, xp)
    return Target(None, None, given, smoothing)


def _as_numbers(function: str, target: Any, name: str, xp: Any) -> Array:
    """`target` as it is, once it is known to be made of real numbers."""
    array = _as_array(function, target, name, xp)
    if array.dtype.kind not in "biu":
        array = as_logits(function, array, name, xp)
    return array


def _as_classes(given: Any, count: int, axis: int, logits: Array, ignore_index: Any, xp: Any) -> tuple[Any, Any]:
    ignored = None
    if given.dtype != np.uint64:  # CuPy compares no array with an int that its type cannot hold.
        given = given.astype(np.int64, copy=False)
    if ignore_index is not None:
        if isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer):
            raise TypeError(f"ignore_index must be an int or None, got {ignore_index!r}")
        range_ = np.iinfo(given.dtype)
        ignored = given == ignore_index if range_.min <= ignore_index <= range_.max else xp.zeros(given.shape, bool)
        given = xp.where(ignored, given.dtype.type(0), given)
    if given.size and count == 0:
        raise ValueError(f"x must have at least one class along axis {axis} for a target, got shape {logits.shape}")
    wrong = (given < 0) | (given >= count)
    if ignored is not None:
        wrong &= ~ignored
    if wrong.any():
        raise ValueError(f"target must be a class index from 0 to {count - 1}, got {int(given[wrong].ravel()[0])}")
    return xp.ascontiguousarray(given, dtype=np.int64).reshape(given.shape), ignored


def _check_shares(shares: Any, axis: int, xp: Any) -> None:
    dtype = shares.dtype
    if dtype.kind not in "biuf":
        shares = shares.astype(np.float32)
    least = shares.min() if shares.size else 0
    check_distributions(dtype, least, shares.sum(axis=axis, dtype=np.float64), xp)


def check_distributions(dtype: np.dtype[Any], least: Any, sums: Any, xp: Any = np) -> None:
    """Refuse what is no distribution, by its least entry and its sum, but for what rounding may have done to one."""
    unit = float(np.spacing(dtype.type(1))) if dtype.kind not in "biu" else 0.0
    if not least >= -4 * unit:
        raise ValueError(f"target must be a distribution, none negative or NaN, got {float(least)}")
    sums = xp.atleast_1d(sums)
    excess = xp.abs(sums - 1)
    if (excess > max(1e-3, 2 * unit)).any():
        worst = float(sums.ravel()[int(xp.argmax(excess))])
        raise ValueError(f"target must be a distribution that sums to 1, got a sum of {worst}")


def _as_smoothing(label_smoothing: Any) -> float:
    """`label_smoothing` as the share that is spread evenly over all classes."""
    if isinstance(label_smoothing, bool) or not isinstance(label_smoothing, int | float | np.integer | np.floating):
        raise TypeError(f"label_smoothing must be a number from 0 to 1, got {label_smoothing!r}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be a number from 0 to 1, got {label_smoothing!r}")
    return float(label_smoothing)


def as_pair(name: str, pair: Any) -> Pair:
    """`pair` as its two parts, not yet checked to be arrays."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"{name} must be a pair (maximum, total) from normalizer, got {pair!r}")
    return pair[0], pair[1]
