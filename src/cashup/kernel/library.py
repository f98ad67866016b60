"""The kernel as machine code: built once, kept on disk, called from Python and from compiled strategies."""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from cashup.kernel.cache import cache_directory
from cashup.kernel.function import REGISTRY, KernelFunction

#: Modules whose functions make up the library.
_MODULES: Final = (
    "rounding",
    "ledger",
    "lifecycle",
    "entry",
    "margin",
    "fills",
    "triggers",
    "path",
    "quiet",
    "match",
    "loop",
    "replica",
    "compiling.accounts",
    "compiling.submitting",
)
_DIGEST_BYTES: Final = 32


@cache
def load() -> Any:
    """Return the execution engine that holds the kernel's machine code; build it or take it from the cache.

    The symbols of exported functions are published to the linker, so that compiled strategies can refer to
    them.
    """
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for name in _MODULES:
        importlib.import_module(f"cashup.kernel.{name}")
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    cpu = llvm.get_host_cpu_name()
    machine = target.create_target_machine(
        cpu=cpu, features=features, opt=3, jit=True, codemodel="jitdefault"
    )
    key = hashlib.sha256(f"{llvm.llvm_version_info}{cpu}{features}".encode()).hexdigest()[:12]
    path = cache_directory() / f"library-{key}.o"
    stored = _read(path)
    if stored is None:
        module = _build(llvm, machine)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.set_object_cache(notify_func=lambda _module, code: _write(path, code))
    else:
        # The engine asks the cache for an object by module; an empty module is enough to make it ask.
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(stored))
    engine.finalize_object()
    for function in REGISTRY.values():
        if function.exported:
            llvm.add_symbol(function.symbol, engine.get_function_address(function.symbol))
    return engine


def _build(llvm: Any, machine: Any) -> Any:
    from cashup.kernel.bindings import write_adapter
    from cashup.kernel.translator import translate

    source = translate(REGISTRY.values(), "cashup_kernel")
    for function in REGISTRY.values():
        if function.exported:
            write_adapter(source, function)
    module = llvm.parse_assembly(str(source))
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.inlining_threshold = 150
    options.loop_vectorization = False
    options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def address_of(function: KernelFunction[..., Any]) -> int:
    """Return the address of an exported kernel function."""
    return int(load().get_function_address(function.symbol))


def from_python(function: KernelFunction[..., Any]) -> Callable[..., Any]:
    """Return the Python callable of an exported kernel function."""
    from cashup.kernel.bindings import adapter_symbol, bind

    return bind(function, load().get_function_address(adapter_symbol(function)))


def _read(path: Path) -> bytes | None:
    """Return stored code if it is whole: a torn file must never be run."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(path: Path, code: bytes) -> None:
    """Store code whole or not at all; a read-only home only costs the time to build it again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        Path(name).replace(path)
    except OSError:
        return
