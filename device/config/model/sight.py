"""Which gate this is, its camera, and how codes are read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from device.config.model.base import Section
from device.config.scalars import (
    Dioptres,
    Flag,
    Micros,
    Millis,
    Number,
    Pixels,
    Rate,
    Scene,
    Seconds,
    Slug,
    Text,
    VideoDevice,
    Whole,
    Zone,
)
from device.model import Direction


class Gate(Section):
    """Which gate this is. Tenant, site and name make its topics at the broker and never change."""

    tenant: Slug = Field(
        description="The district or organisation the gate belongs to.", examples=["phu-vang"]
    )
    site: Slug = Field(description="The place with one or more gates.", examples=["an-bang-market"])
    name: Slug = Field(description="This gate, unique within its site.", examples=["north-door"])
    direction: Direction = Field(Direction.BOTH, description="Which way people pass here.")
    place: Text = Field("", description="Where it stands, in words for people.", examples=["North door"])
    timezone: Zone = Field("Asia/Ho_Chi_Minh", description="The time zone opening hours are meant in.")


# -- camera and decoder ---------------------------------------------------------------------------


class Picamera2(Section):
    """A camera on the ribbon cable of a Raspberry Pi."""

    index: Whole = Field(0, ge=0, le=3, description="Which one, when there are several.")
    exposure_us: Micros = Field(
        5000,
        ge=50,
        le=100_000,
        description="Exposure time, fixed, so that a moving hand is not smeared. 5000 is 1/200 s. Others are "
        "tried while a code in view is burnt out or dark.",
    )
    gain: Number | None = Field(
        None,
        ge=1,
        le=64,
        description="Analogue gain. Left out, the camera follows the light by itself.",
    )
    focus_dioptres: Dioptres = Field(
        5.0,
        ge=0,
        le=32,
        description="Focus, fixed: 1 divided by the distance in metres. 5 is 20 cm. Others are tried while a "
        "code in view is blurred. Cameras without a movable lens ignore it.",
    )
    lores_width: Pixels = Field(
        320,
        ge=64,
        le=1280,
        multiple_of=2,
        description="Width of the small second picture in which movement is looked for.",
    )


class V4l2(Section):
    """A USB camera."""

    device: VideoDevice = Field("/dev/video0", description="Its device file.")


class Replay(Section):
    """Recorded pictures instead of a camera, for tests and the demo."""

    path: Scene | None = Field(None, description="A folder of pictures, shown by name, or a video.")
    repeat: Flag = Field(False, description="Begin again at the end; otherwise the program ends.")


class Camera(Section):
    """Where pictures come from."""

    source: Literal["picamera2", "v4l2", "replay"] = Field(
        "picamera2", description="A ribbon-cable camera, a USB camera, or recorded pictures."
    )
    width: Pixels = Field(1280, ge=320, le=4608, multiple_of=2, description="Width of the picture.")
    height: Pixels = Field(720, ge=240, le=2592, multiple_of=2, description="Height of the picture.")
    frames_per_second: Rate = Field(30.0, ge=1, le=120, description="Pictures taken a second.")
    stall_s: Seconds = Field(
        3.0, ge=0.5, le=60, description="A camera without a picture for this long is opened anew."
    )
    reopen_attempts: Whole = Field(
        3,
        ge=0,
        le=100,
        description="Openings in a row without a picture, before the program ends and is restarted.",
    )
    landmark: Text = Field(
        "",
        description="Text of a code fixed in view, on the opposite frame, say. It is nobody's; when it has "
        "not been read for a day, the nightly check says so: the camera is covered, moved or dirty.",
    )
    picamera2: Picamera2 = Field(Picamera2(), description="Used when `source` is `picamera2`.")
    v4l2: V4l2 = Field(V4l2(), description="Used when `source` is `v4l2`.")
    replay: Replay = Field(Replay(), description="Used when `source` is `replay`.")


class Decode(Section):
    """How codes are read from pictures."""

    deadline_ms: Millis = Field(
        1000,
        ge=50,
        le=10_000,
        description="A picture that takes longer is given up, and its process replaced.",
    )
    budget_ms: Millis = Field(
        150,
        ge=0,
        le=5000,
        description="The longest a picture with a code that is hard to read is worked on; the next one "
        "goes on where it stopped. 0: the quickest look only.",
    )
    engines: tuple[Literal["zxing", "zbar"], ...] = Field(
        ("zxing", "zbar"), min_length=1, description="Which readers are asked, in this order."
    )
    showing_ends_after_s: Seconds = Field(
        1.0,
        ge=0.1,
        le=60,
        description="A code out of view for this long counts as shown anew when it returns.",
    )
