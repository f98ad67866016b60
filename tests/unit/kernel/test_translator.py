"""The translator means what Python means, and refuses what it does not know."""

from __future__ import annotations

import ctypes
import math
import sys
from types import ModuleType

import llvmlite.binding as llvm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashup.kernel import library, translator
from cashup.kernel.function import FLOAT, INT, REGISTRY, exported
from cashup.kernel.records import call_strategy  # noqa: F401 - a word sources below may use

KINDS = {INT: ctypes.c_int64, FLOAT: ctypes.c_double}


def functions_of(source: str, tmp_path, name: str):
    """Declare kernel functions from text, without leaving them in the registry."""
    path = tmp_path / f"{name}.py"
    path.write_text(
        "import math\nfrom cashup.kernel.function import FLOAT, INT, exported, internal\n"
        "from cashup.kernel.records import load_f8, load_i8, store_f8\n" + source
    )
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    before = set(REGISTRY)
    try:
        exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
        return [REGISTRY.pop(symbol) for symbol in list(REGISTRY) if symbol not in before]
    finally:
        del sys.modules[name]


@pytest.fixture
def build(tmp_path):
    """Compile kernel functions given as text; return the last one as a Python callable, and its source."""
    engines = []
    library.load()

    def make(source: str, name: str = "sample"):
        functions = functions_of(source, tmp_path, name)
        module = llvm.parse_assembly(str(translator.translate(functions, name)))
        module.verify()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        engines.append(engine)
        last = functions[-1]
        kinds = [KINDS[kind] for kind in last.arguments]
        return ctypes.CFUNCTYPE(KINDS[last.returns], *kinds)(
            engine.get_function_address(last.symbol)
        ), last.python

    return make


MIXED = """
@exported(INT, FLOAT, returns=FLOAT)
def mixed(n: int, x: float) -> float:
    total = 0.0
    for j in range(2, n):
        if j == 7 or (x < 0.0 and not j != 5):
            continue
        total += j if x > 1.0 else x
        if total > 1000.0:
            break
    while True:
        total -= 0.5
        if total < x:
            return max(total, -3.0) + abs(x) - min(n, 4) / 2
    return 0.0
"""


def test_control_flow_and_arithmetic_are_pythons(build) -> None:
    compiled, python = build(MIXED)

    @given(st.integers(-5, 60), st.floats(-50, 50))
    def check(n: int, x: float) -> None:
        assert compiled(n, x) == python(n, x)

    check()


def test_nan_compares_as_in_python(build) -> None:
    compiled, python = build(
        """
@exported(FLOAT, FLOAT)
def compare(a: float, b: float) -> int:
    bits = 0
    if a < b:
        bits += 1
    if a >= b:
        bits += 2
    if a == b:
        bits += 4
    if a != b:
        bits += 8
    if not a <= b:
        bits += 16
    return bits
"""
    )
    values = [math.nan, 0.0, -0.0, 1.0, math.inf, -math.inf]
    assert [compiled(a, b) for a in values for b in values] == [python(a, b) for a in values for b in values]


def test_functions_call_each_other_and_columns_are_reached(build) -> None:
    compiled, _ = build(
        """
@internal(INT, INT, returns=FLOAT)
def pick(column: int, i: int) -> float:
    return load_f8(column, i)

@exported(INT, INT)
def double_all(column: int, n: int) -> int:
    for i in range(n):
        store_f8(column, i, pick(column, i) * 2.0)
    return n
"""
    )
    values = (ctypes.c_double * 3)(1.0, 2.0, 3.5)
    assert compiled(ctypes.addressof(values), 3) == 3
    assert list(values) == [2.0, 4.0, 7.0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return unknown", "unknown name unknown"),
        ("return [1, 2]", "List is not part"),
        ("y = 1\n    y = 1.5\n    return y", "int wanted, float given"),
        ("return 1 < x < 3", "compare two values"),
        ("return x ** 2", "Pow of"),
        ("return print(x)", "unknown name print"),
        ("for y in x:\n        pass\n    return 1", "for loop goes over range"),
        ("with x:\n        return 1", "With is not part"),
        ("return 1 if x else 2", "bool wanted, int given"),
    ],
)
def test_anything_else_is_refused_with_its_place(build, body: str, said: str) -> None:
    with pytest.raises(SyntaxError, match=rf"sample\.py:\d+: .*{said}.*in kernel function strange"):
        build(f"\n@exported(INT)\ndef strange(x: int) -> int:\n    {body}\n")


def test_an_internal_function_is_not_for_python() -> None:
    from cashup.kernel.lifecycle import end_order

    with pytest.raises(TypeError, match="kernel functions only"):
        end_order(0, 0, 0, 0, 0)


def test_exported_decorator_keeps_the_docstring_and_checks_arguments() -> None:
    from cashup.kernel import entry

    assert "Return the id" not in (exported.__doc__ or "")
    assert (entry.cancel.__doc__ or "").startswith("Cancel an order")
    with pytest.raises(TypeError):
        entry.cancel(1)
    with pytest.raises(TypeError):
        entry.cancel("a", 1)
    with pytest.raises(TypeError):
        entry.cancel(1, 1.5)
