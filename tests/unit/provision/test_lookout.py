from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from device.model import Corners, Frame, Symbol
from device.provision.lookout import CardLookout
from tests.support.clock import ManualClock

CORNERS: Corners = ((0, 0), (9, 0), (9, 9), (0, 9))
FRAME = Frame(np.zeros((4, 4), np.uint8), 1, 0.0)
CARD, PART, PERSON = b"GATECARD1:X", b"GATEPART1:00000000/1/2:X", b"anna"


@dataclass
class Scene:
    contents: tuple[bytes, ...]
    unread: tuple[Corners, ...] = (CORNERS,)
    behind_s: float = 0.0
    handed: list[bytes] = field(default_factory=list)
    room: bool = True

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(Symbol(content, "QRCode", "zxing", CORNERS) for content in self.contents)

    def look(self, frame: Frame) -> Scene:
        del frame
        return self

    def hand(self, content: bytes) -> bool:
        self.handed += [content] if self.room else []
        return self.room


def lookout(scene: Scene, clock: ManualClock) -> CardLookout:
    return CardLookout(decoder=scene, hand=scene.hand, ends_after_s=1.0, clock=clock)


def test_cards_are_no_visitors_and_visitors_are_passed_on() -> None:
    scene = Scene((CARD, PERSON, PART))
    look = lookout(scene, ManualClock()).look(FRAME)
    assert [symbol.content for symbol in look.symbols] == [PERSON]
    assert look.unread == (CORNERS,)
    assert scene.handed == [CARD, PART]


def test_one_showing_is_handed_on_once_however_long_it_is_held() -> None:
    scene, clock = Scene((CARD,)), ManualClock()
    decoder = lookout(scene, clock)
    for _ in range(5):
        decoder.look(FRAME)
        clock.advance(0.6)
    assert scene.handed == [CARD]
    clock.advance(1.0)
    decoder.look(FRAME)
    assert scene.handed == [CARD, CARD]


def test_a_card_for_which_there_is_no_room_is_handed_on_later() -> None:
    scene, clock = Scene((CARD,), room=False), ManualClock()
    decoder = lookout(scene, clock)
    decoder.look(FRAME)
    scene.room = True
    decoder.look(FRAME)
    assert scene.handed == [CARD]
