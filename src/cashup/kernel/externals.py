"""The kernel as seen by functions that Numba compiles: strategies.

`place`, `bracket`, `target`, ... here are external functions with the signatures of `kernel.entry`; inside a
compiled function they are called like any other. Import this module before Numba loads such a function from
its
cache: a symbol the linker does not know ends the process.
"""

from __future__ import annotations

from typing import Any

from numba import types

from cashup.kernel import entry, library
from cashup.kernel.cache import use_cache_directory
from cashup.kernel.function import FLOAT, KernelFunction

use_cache_directory()
library.load()


def _external(function: KernelFunction[..., Any]) -> Any:
    kinds = [types.float64 if kind == FLOAT else types.int64 for kind in function.arguments]
    returns = types.float64 if function.returns == FLOAT else types.int64
    return types.ExternalFunction(function.symbol, returns(*kinds))


place: Any = _external(entry.place)
bracket: Any = _external(entry.bracket)
new_group: Any = _external(entry.new_group)
oco: Any = _external(entry.oco)
cancel: Any = _external(entry.cancel)
cancel_all: Any = _external(entry.cancel_all)
close_position: Any = _external(entry.close_position)
target: Any = _external(entry.target)
target_size: Any = _external(entry.target_size)
equity: Any = _external(entry.equity)
available: Any = _external(entry.available)


def address_of(dispatcher: Any) -> int:
    """Return the C address of a Numba function compiled for one signature: what `loop.run` takes."""
    result = dispatcher.get_compile_result(dispatcher.nopython_signatures[0])
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))
