"""Load the modules of public names on first use, so that `import scripe` takes almost no time.

Whatever imports `scripe` would otherwise pay for pydantic and httpx, even a program that only shows its help.
"""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def make_lazy_exports(
    package: str, modules: Mapping[str, str], reexported: Sequence[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` (PEP 562) of a package whose names are defined in its modules.

    Args:
        package: The name of the package.
        modules: Each name, and the module that defines it.
        reexported: Light modules that are attributes of the package, as are all names in their `__all__`.

    """

    def all_modules() -> dict[str, str]:
        return dict(modules) | {
            name: f".{home}" for home in reexported for name in import_module(f".{home}", package).__all__
        }

    def load(name: str) -> object:
        if name == "__all__":
            return sorted(all_modules())
        if name in reexported:
            return import_module(f".{name}", package)
        known = modules if name in modules or name.startswith("_") else all_modules()
        if name not in known:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(known[name], package), name)
        if hasattr(value, "__qualname__") and value.__module__.startswith("scripe._"):
            # Pickles name this module, and messages show it: the private one may move. (Type aliases are left alone:
            # with some versions of typing-extensions they refuse it.)
            value.__module__ = package
        setattr(sys.modules[package], name, value)
        return value

    return load, lambda: sorted({*vars(sys.modules[package]), *all_modules()})


def stand_ins(modules: Mapping[str, str]) -> dict[str, object]:
    """Return stand-ins for classes that only annotations use; `typing.get_type_hints` loads the classes themselves."""
    from typing import ForwardRef

    load = f"__import__({__name__!r}, fromlist=['resolve']).resolve"
    return {name: ForwardRef(f"{load}({module!r}, {name!r})") for name, module in modules.items()}


class LazyModule:
    """Stands for a module that only annotations use, such as one of an extra."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> object:
        return stand_ins({name: self._module})[name]


def resolve(module: str, name: str) -> object:
    """Load a class that an annotation names; return `object` if it belongs to an extra that is not installed."""
    try:
        return getattr(import_module(module), name)
    except ImportError:
        return object
