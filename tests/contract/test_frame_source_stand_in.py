"""The stand-in for picamera2 is worth something only while it looks like picamera2: compared with its source.

picamera2 cannot be imported off a Pi, so its source is read, not run.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support import picamera2_stand_in

if TYPE_CHECKING:
    from pathlib import Path

# The oldest that the extra `picamera2` allows, and the newest that was tried for real.
VERSIONS = ("0.3.22", "0.3.38")

CLASSES = {
    picamera2_stand_in.Picamera2: "picamera2/picamera2.py",
    picamera2_stand_in.CompletedRequest: "picamera2/request.py",
    picamera2_stand_in.MappedArray: "picamera2/request.py",
}

# Made by the library itself; the source under test never calls it.
NOT_COMPARED = {("CompletedRequest", "__init__")}


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of a method: its name, and its default as source text; None without one."""

    name: str
    default: str | None


@pytest.fixture(params=VERSIONS)
def wheel(request: pytest.FixtureRequest) -> Path:
    """picamera2's wheel, fetched once and kept in pytest's cache."""
    version = str(request.param)
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir(f"picamera2-{version}")
    if not any(folder.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run(
            [*pip, "--dest", str(folder), f"picamera2=={version}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"picamera2 {version} could not be fetched:\n{done.stderr}")
    path: Path = next(folder.glob("*.whl"))
    return path


def real_methods(wheel: Path, file: str, class_name: str) -> dict[str, ast.FunctionDef]:
    with zipfile.ZipFile(wheel) as archive:
        module = ast.parse(archive.read(file))
    body = next(n.body for n in module.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    # Of a method with overloads the last definition is the one that runs.
    return {n.name: n for n in body if isinstance(n, ast.FunctionDef)}


def real_parameters(method: ast.FunctionDef) -> list[Parameter]:
    arguments = method.args.posonlyargs + method.args.args
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(method.args.defaults))
    defaults += method.args.defaults
    return [
        Parameter(a.arg, None if d is None else ast.unparse(d))
        for a, d in zip(arguments, defaults, strict=True)
    ]


def stand_in_parameters(method: object) -> list[Parameter]:
    assert callable(method)
    empty = inspect.Parameter.empty
    return [
        Parameter(p.name, None if p.default is empty else repr(p.default))
        for p in inspect.signature(method).parameters.values()
    ]


def differences(stand_in: type, real: dict[str, ast.FunctionDef]) -> list[str]:
    found = []
    for name, member in vars(stand_in).items():
        public = not name.startswith("_") or name in {"__init__", "__enter__", "__exit__"}
        if not public or (stand_in.__name__, name) in NOT_COMPARED:
            continue
        if isinstance(member, property):
            if name not in real or not any(ast.unparse(d) == "property" for d in real[name].decorator_list):
                found.append(f"{name} is no property")
        elif callable(member):
            if name not in real:
                found.append(f"there is no {name}")
            elif not same(stand_in_parameters(member), real_parameters(real[name])):
                found.append(f"{name} has other parameters: {ast.unparse(real[name].args)}")
    return found


def same(ours: list[Parameter], theirs: list[Parameter]) -> bool:
    """Equal names in order, and equal defaults: `...` stands for one that is libcamera's or varies."""
    return [p.name for p in ours] == [p.name for p in theirs] and all(
        a.default in ("Ellipsis", b.default) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("stand_in", CLASSES, ids=lambda c: c.__name__)
def test_the_stand_in_has_the_methods_and_parameters_of_the_real_class(stand_in: type, wheel: Path) -> None:
    assert differences(stand_in, real_methods(wheel, CLASSES[stand_in], stand_in.__name__)) == []


@pytest.mark.slow
def test_a_wait_that_times_out_in_picamera2_is_a_timeout_error_of_python(wheel: Path) -> None:
    """`Job.get_result` hands its timeout to a `Future`: since 3.11 that raises the built-in TimeoutError."""
    method = real_methods(wheel, "picamera2/job.py", "Job")["get_result"]
    assert "self._future.result(timeout=timeout)" in ast.unparse(method)


def test_a_method_that_the_library_has_not_is_noticed() -> None:
    class Fancy:
        def zoom(self, factor: float = 2) -> float:
            return factor

    source = "class Fancy:\n def zoom(self, factor=3): ...\n"
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    real = {n.name: n for n in body.body if isinstance(n, ast.FunctionDef)}
    assert differences(Fancy, {}) == ["there is no zoom"]
    assert differences(Fancy, real) == ["zoom has other parameters: self, factor=3"]
