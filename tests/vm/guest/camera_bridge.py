"""Whoever imports picamera2 in the machine gets it with the bridge to a camera that is not a Pi's.

A `.pth` file loads this with every Python, as if the operating system's picamera2 were made so: the installed
program, its unit and its environment stay as they are.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


class _Ready(Loader):
    """Gives a module that has been loaded already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """It has been executed."""


class _Bridge(MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != "picamera2":
            return None
        sys.meta_path.remove(self)
        importlib.import_module("virtual_picamera2")  # the machine's own; imports picamera2 and mends it
        return ModuleSpec(fullname, _Ready(sys.modules.pop(fullname)), is_package=True)


sys.meta_path.insert(0, _Bridge())
