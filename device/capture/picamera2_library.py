"""The door to picamera2: the one file that imports it, what is used of it, and what its errors mean.

Its methods are declared here because picamera2 cannot be imported off a Pi, where the types are checked. A
test compares them with its source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from device.errors import CameraUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    import numpy as np
    import numpy.typing as npt

    from device.capture.camera_controls import ControlValue


class Request(Protocol):
    """What is used of `picamera2.request.CompletedRequest`."""

    def get_metadata(self) -> dict[str, Any]: ...

    def release(self) -> None: ...


class Mapped(Protocol):
    """What is used of an entered `picamera2.MappedArray`."""

    @property
    def array(self) -> npt.NDArray[np.uint8]: ...


class Mapper(Protocol):
    """What is used of `picamera2.MappedArray`: a stream's buffer, lent while entered."""

    def __call__(self, request: Request, stream: str, *, write: bool) -> AbstractContextManager[Mapped]: ...


class Camera(Protocol):
    """What is used of `picamera2.Picamera2`."""

    @property
    def camera_controls(self) -> Mapping[str, tuple[Any, Any, Any]]: ...

    def create_video_configuration(
        self,
        *,
        main: dict[str, Any],
        lores: dict[str, Any] | None,
        buffer_count: int,
        display: str | None,
        encode: str | None,
    ) -> dict[str, Any]: ...

    def configure(self, camera_config: dict[str, Any]) -> None: ...

    def stream_configuration(self, name: str) -> dict[str, Any]: ...

    def set_controls(self, controls: dict[str, ControlValue]) -> None: ...

    def start(self) -> None: ...

    # wait=False gives a job at once; anything else would block here.
    def capture_request(self, *, wait: bool) -> Any: ...  # noqa: ANN401 - the job is picamera2's own affair

    def wait(self, job: Any, *, timeout: float) -> Request: ...  # noqa: ANN401 - as above

    def cancel_all_and_flush(self) -> None: ...

    def close(self) -> None: ...


class Library(Protocol):
    """What is used of the module `picamera2`."""

    @property
    def Picamera2(self) -> Callable[[int], Camera]: ...  # noqa: N802 - the library's name

    @property
    def MappedArray(self) -> Mapper: ...  # noqa: N802 - as above


def load_picamera2() -> Library:
    """Imports picamera2; seconds, the first time.

    Raises:
        CameraUnavailable: it is not installed, or what is installed does not work together.
    """
    try:
        import picamera2  # noqa: PLC0415 - off a Pi it does not exist, and nobody else may need it
    except ModuleNotFoundError as error:
        if error.name == "picamera2":
            raise CameraUnavailable(
                "picamera2 is not installed: sudo apt install python3-picamera2, and an environment made"
                " with --system-site-packages"
            ) from error
        raise CameraUnavailable(
            f"picamera2 cannot be loaded, {error.name} is missing:"
            " sudo apt install --reinstall python3-picamera2"
        ) from error
    except Exception as error:  # a binary part that was built for another numpy raises ValueError, say
        raise CameraUnavailable(
            f"picamera2 cannot be loaded: {error}; on Debian 12 it needs numpy < 2"
        ) from error
    library: Library = picamera2
    return library


def explain(error: BaseException, name: str) -> str:
    """What a technician can do about a camera that would not start."""
    text = "; ".join(str(e) for e in _chain(error)).lower()
    if "busy" in text:
        return f"{name} is in use by another program: sudo fuser -v /dev/media* names it"
    if "no camera number" in text or "camera(s) not found" in text or isinstance(error, IndexError):
        return f"{name} was not found: check both ends of its cable, then rpicam-hello --list-cameras"
    if "permission denied" in text or "dmaheap" in text:
        return f"{name} may not be used by this account: it must be in group video"
    if "cannot allocate" in text or "failed to allocate" in text:
        return f"{name} got no contiguous memory: stop other users of it, or raise cma= in config.txt"
    return f"{name} cannot be started: {innermost(error)}"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it, innermost last."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    return chain


def innermost(error: BaseException) -> str:
    """What the deepest cause says."""
    first = _chain(error)[-1]
    return str(first) or type(first).__name__
