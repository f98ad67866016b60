"""Numba's extension interface as this package sees it: untyped.

Numba ships type hints that describe its user interface and not what extending it needs; every name is `Any`
here so that the checker looks at our code and not at theirs.
"""

from __future__ import annotations

from typing import Any

import numba
import numba.core.cgutils
import numba.core.errors
import numba.core.typing.templates
import numba.extending

types: Any = numba.types
njit: Any = numba.njit
cgutils: Any = numba.core.cgutils
intrinsic: Any = numba.extending.intrinsic
models: Any = numba.extending.models
register_model: Any = numba.extending.register_model
lower_getattr_generic: Any = numba.extending.lower_getattr_generic
infer_getattr: Any = numba.core.typing.templates.infer_getattr
AttributeTemplate: Any = numba.core.typing.templates.AttributeTemplate
NumbaError: Any = numba.core.errors.NumbaError
TypingError: Any = numba.core.errors.TypingError
