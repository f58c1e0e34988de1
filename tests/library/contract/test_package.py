"""What importing the package and its backends asks for."""

import subprocess
import sys

import pytest


def test_importing_loads_numpy_and_nothing_heavier():
    heavy = ["numba", "cupy", "dask", "matplotlib", "anywidget", "ipywidgets", "IPython", "scipy"]
    code = f"import sys, softmax_lib; print([m for m in {heavy!r} if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("numba", "needs Numba (pip install numba); without it, softmax_lib has the same functions"),
        (
            "cupy",
            "needs CuPy (pip install cupy-cuda12x) and an NVIDIA GPU; "
            "without them, softmax_lib.with_numba and softmax_lib have the same functions",
        ),
        (
            "dask",
            "needs Dask (pip install 'dask[array,distributed]'); "
            "without it, softmax_lib has the same functions for arrays that fit into memory",
        ),
    ],
)
def test_a_backend_without_its_package_says_what_to_install(package, message):
    code = f"""
import sys
sys.modules[{package!r}] = None
try:
    import softmax_lib.with_{package}
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == f"softmax_lib.with_{package} {message}\n"


@pytest.mark.parametrize(
    ("package", "module", "name"), [("anywidget", "widgets", "anywidget"), ("matplotlib", "figures", "Matplotlib")]
)
def test_a_part_without_its_package_names_the_extra(package, module, name):
    code = f"""
import sys
sys.modules[{package!r}] = None
try:
    import softmax_lib.{module}
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == f'softmax_lib.{module} needs {name}: pip install "softmax-lib[{module}]"\n'
