"""CBOR (RFC 8949) reduced to plain data: the only door to cbor2.

Whole numbers, floats, texts, bytes, lists, maps, booleans and null. Tags make decimals, shared references
and cycles: none is taken but the two for dates, which are dropped. No duplicate keys, no undefined and no
simple values, bounded depth, nothing behind the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any, NoReturn, TypeAlias

import cbor2

from device.credential.flaw import Flawed

Plain: TypeAlias = "bool | int | float | str | bytes | list[Plain] | dict[int | str, Plain] | None"

MAX_DEPTH = 16
"""Health certificates nest 6 deep, passes 2."""


_DATE_TAGS = frozenset({0, 1})
"""Some countries' certificates mark their dates so; what is marked is taken as the plain text or number."""


_TagDecoder: TypeAlias = Callable[[Any, bool], object]


class _Tags(Mapping[int, _TagDecoder]):
    """Answers for every tag, so that cbor2's own decoders are never asked."""

    def __getitem__(self, tag: int) -> _TagDecoder:
        if tag in _DATE_TAGS:
            return _untagged
        return _refuse

    def __iter__(self) -> Iterator[int]:
        return iter(_DATE_TAGS)

    def __len__(self) -> int:
        return len(_DATE_TAGS)


def _untagged(value: object, _immutable: bool) -> object:  # noqa: FBT001 - cbor2 calls it so
    return value


def _refuse(*_: object) -> NoReturn:
    raise ValueError("a tag that is not plain data")


_TAGS = _Tags()


def decode(data: bytes) -> Plain:
    """The one item that `data` is. Raises Flawed; never anything else."""
    source = BytesIO(data)
    try:
        decoder = cbor2.CBORDecoder(
            source,
            semantic_decoders=_TAGS,
            tag_hook=_refuse,
            max_depth=MAX_DEPTH,
            allow_duplicate_keys=False,
        )
        item: object = decoder.decode()
    except (cbor2.CBORError, ValueError, ArithmeticError, TypeError, MemoryError, RecursionError):
        # The named ones beside CBORError are what older releases let through for hostile lengths and depths.
        raise Flawed("cbor") from None
    if source.tell() != len(data):
        raise Flawed("trailing_bytes")
    return _plain(item)


def encode(item: Plain) -> bytes:
    """The canonical (deterministic) form of plain data."""
    return cbor2.dumps(item, canonical=True)


def _plain(item: Any) -> Plain:  # noqa: ANN401 - this is where unknown data becomes known
    match item:
        case None | bool() | int() | float() | str() | bytes():
            return item
        case list():
            return [_plain(part) for part in item]
        case dict() if all(type(key) in {int, str} for key in item):
            return {key: _plain(value) for key, value in item.items()}
        case _:
            raise Flawed("cbor")
