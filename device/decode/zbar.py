"""The only door to zbar, through the ctypes wrapper of pyzbar.

`pyzbar.decode` itself is not used: it leaves zbar in its text mode, which rewrites Vietnamese UTF-8
(189 of 1,000 texts came back garbled, measured), and it raises on symbols without an orientation.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pyzbar import wrapper

from device.decode.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.decode.finding import Luma, Quad

# zbar.h: content as it stands in the symbol (ZBAR_CFG_BINARY there; pyzbar has no name for it).
_CONFIG_BINARY = 4
# Every symbology, for a configuration call.
_ALL = 0
# The picture format "Y800": one byte of brightness a pixel.
_Y800 = int.from_bytes(b"Y800", "little")
# zbar tells how a single symbol is turned; a text joined from several symbols has no orientation.
_ORIENTATIONS = range(4)
_CORNERS = 4


class _Handle(Protocol):
    """A pointer to one of zbar's own structures, as the wrapper hands it out; false when null."""

    contents: ctypes.Structure

    def __bool__(self) -> bool: ...


class Zbar:
    """Reads QR codes with zbar, dark on light only. Not safe from two threads at once.

    The library releases the GIL while it works. Parts of a text spread over several symbols are left
    out, joined ones too.
    """

    name = "zbar"

    def __init__(self) -> None:
        self._scanner = wrapper.zbar_image_scanner_create()
        for symbology, config, value in (
            (_ALL, wrapper.ZBarConfig.CFG_ENABLE, 0),
            (wrapper.ZBarSymbol.QRCODE, wrapper.ZBarConfig.CFG_ENABLE, 1),
            (wrapper.ZBarSymbol.QRCODE, _CONFIG_BINARY, 1),
        ):
            if wrapper.zbar_image_scanner_set_config(self._scanner, symbology, config, value):
                raise OSError("this zbar has no binary mode: version 0.23.1 or newer is needed")

    def read(self, luma: Luma) -> tuple[Finding, ...]:
        pixels = np.ascontiguousarray(luma)
        with _image(pixels) as image:
            wrapper.zbar_scan_image(self._scanner, image)
            return tuple(_findings(wrapper.zbar_image_first_symbol(image)))


@contextmanager
def _image(pixels: Luma) -> Iterator[_Handle]:
    """A zbar image over the array's own memory, for as long as the context lasts."""
    image = wrapper.zbar_image_create()
    try:
        height, width = pixels.shape
        wrapper.zbar_image_set_format(image, _Y800)
        wrapper.zbar_image_set_size(image, width, height)
        wrapper.zbar_image_set_data(image, ctypes.c_void_p(pixels.ctypes.data), pixels.size, None)
        yield image
    finally:
        wrapper.zbar_image_destroy(image)


def _findings(symbol: _Handle) -> Iterator[Finding]:
    while symbol:
        finding = _finding(symbol)
        if finding is not None:
            yield finding
        symbol = wrapper.zbar_symbol_next(symbol)


def _finding(symbol: _Handle) -> Finding | None:
    """The symbol as a finding; None for anything but one whole QR code."""
    kind = symbol.contents.type
    whole = wrapper.zbar_symbol_get_orientation(symbol) in _ORIENTATIONS
    if kind != wrapper.ZBarSymbol.QRCODE or not whole:
        return None
    if wrapper.zbar_symbol_get_loc_size(symbol) != _CORNERS:
        return None
    length = wrapper.zbar_symbol_get_data_length(symbol)
    content = ctypes.string_at(wrapper.zbar_symbol_get_data(symbol), length)
    return Finding(corners=_corners(symbol), content=content) if content else None


def _corners(symbol: _Handle) -> Quad:
    """Corners in our order; zbar goes round the other way: top left, bottom left, bottom right, top right."""
    points = [
        (float(wrapper.zbar_symbol_get_loc_x(symbol, i)), float(wrapper.zbar_symbol_get_loc_y(symbol, i)))
        for i in range(_CORNERS)
    ]
    return points[0], points[3], points[2], points[1]
