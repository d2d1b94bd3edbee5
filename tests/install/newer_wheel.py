"""newer_wheel WHEEL NAME LINE: adds a line to the wheel's file of this name, as the next release might."""

from __future__ import annotations

import sys
import zipfile


def main(wheel: str, name: str, line: str) -> None:
    """Writes it anew."""
    with zipfile.ZipFile(wheel) as old:
        files = {one: old.read(one) for one in old.namelist()}
    (changed,) = (one for one in files if one.endswith(f"/{name}"))
    files[changed] += f"{line}\n".encode()
    with zipfile.ZipFile(wheel, "w") as new:
        for one, content in files.items():
            new.writestr(one, content)


if __name__ == "__main__":
    main(*sys.argv[1:])
