"""Who comes to the gate, what they hold up and what the gate must answer: the script of the scene.

Times are seconds from the first frame, places are pixels of a 1280x720 picture. All people are invented.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.demo import cards
from device.model import Outcome, Reason

DENIED_IDENTIFIER = "001085007321"
"""Stands on the deny list that the demonstration writes."""

TAIL_S = 2.2
"""Empty picture after the last person, so that the last cue can be seen to its end."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the gate must make of a showing; `kind` is the word of the credential registry."""

    kind: str
    outcome: Outcome
    reason: Reason


@dataclass(frozen=True, slots=True)
class Pose:
    """How a thing is held: its code's middle at (x, y), then turned.

    Attributes:
        x: px from the left.
        y: px from the top.
        scale: pixels of the picture for a pixel of the thing.
        roll: degrees in the picture's plane, clockwise.
        yaw: degrees about the upright axis.
        pitch: degrees about the level axis.
    """

    x: int
    y: int
    scale: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """How the person behind the thing looks, out of focus: tones and the middle of the body in px."""

    x: int
    coat: int
    hair: int
    height: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """One code held up by one person.

    Attributes:
        who: for the contact sheet and messages; a role, not a name.
        starts_s: when the hand begins to come up.
        holds_s: how long it stays.
        prop: what is held up.
        pose: where and how.
        look: the person.
        expected: see `Expected`.
        blur_px: sigma of the defocus.
    """

    who: str
    starts_s: float
    holds_s: float
    prop: cards.Prop
    pose: Pose
    look: Look
    expected: Expected
    blur_px: float = 0.0


def story() -> tuple[Showing, ...]:
    """The showings in order of time; two that start together are two people side by side."""
    resident = cards.id_card(
        "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Tỉnh Giả Định|12072021",
        name="TRAN VAN MAU",
        born="05/06/1990",
        number="046090123456",
    )
    granted_card = Expected("vn.cccd", Outcome.GRANTED, Reason.OK)
    granted_qr = Expected("vn.qr-national", Outcome.GRANTED, Reason.OK)
    return (
        Showing(
            "a chip ID card, held at an angle",
            *(1.0, 1.4),
            resident,
            Pose(700, 300, 0.84, roll=-13, yaw=26, pitch=8),
            Look(640, 62, 34),
            granted_card,
        ),
        Showing(
            "a laminated sheet, a bit blurred",
            *(4.3, 1.4),
            cards.sheet(
                "042198000123|LE THI VI DU|1998-02-01|0|163000000000000002|<2<<",
                title="MA QR CA NHAN",
                lines=("LE THI VI DU", "In thu - specimen"),
            ),
            Pose(610, 280, 0.78, roll=6, yaw=-14, pitch=12),
            Look(600, 150, 40, 0.94),
            granted_qr,
            blur_px=1.5,
        ),
        Showing(
            "a payment code on a phone",
            *(7.6, 1.4),
            cards.phone(
                "00020101021138560010A0000007270126000697040001120000000000000208QRIBFTTA53037045802VN63047BB6",
                title="VI DU PAY",
                caption="Quet de chuyen tien",
                brightness=0.8,
            ),
            Pose(690, 300, 0.78, roll=9, yaw=12),
            Look(680, 96, 60, 1.04),
            Expected("wrong.payment", Outcome.ATTENTION, Reason.WRONG_KIND),
        ),
        Showing(
            "a card on the deny list",
            *(10.9, 1.4),
            cards.id_card(
                f"{DENIED_IDENTIFIER}||Ngô Văn Giả|17031985|Nam|12 Đường Không Có, Phường Mẫu|30042022",
                name="NGO VAN GIA",
                born="17/03/1985",
                number=DENIED_IDENTIFIER,
            ),
            Pose(740, 330, 0.86, roll=8, yaw=-22, pitch=-6),
            Look(690, 44, 26, 1.06),
            Expected("vn.cccd", Outcome.DENIED, Reason.DENIED_BY_LIST),
        ),
        Showing(
            "a phone, dimmed",
            *(14.2, 1.4),
            cards.phone(
                "079204000999|NGUYEN THU NGHIEM|2004-02-29|0|163000000000000003|<2<<",
                title="QR CA NHAN",
                caption="NGUYEN THU NGHIEM",
                brightness=0.42,
            ),
            Pose(600, 310, 0.82, roll=-7, yaw=-18, pitch=10),
            Look(640, 176, 30, 0.9),
            granted_qr,
        ),
        Showing(
            "two at once: a 2024 card",
            *(17.5, 1.6),
            cards.id_card(
                "001318004321||Phạm Bé Mẫu|01012018|Nữ|Phường Mẫu, Thành phố Ví Dụ|15032025||||",
                name="PHAM BE MAU",
                born="01/01/2018",
                number="001318004321",
            ),
            Pose(410, 330, 0.78, roll=-6, yaw=10),
            Look(330, 120, 48, 0.86),
            granted_card,
        ),
        Showing(
            "two at once: a sheet",
            *(17.6, 1.5),
            cards.sheet(
                "046085000777|DO VAN THU|1985-11-30|0|163000000000000004|<1<<",
                title="MA QR CA NHAN",
                lines=("DO VAN THU", "In thu - specimen"),
            ),
            Pose(930, 290, 0.72, roll=5, yaw=-12),
            Look(930, 72, 36, 1.05),
            granted_qr,
        ),
        Showing(
            "the first card again",
            *(21.2, 1.4),
            resident,
            Pose(660, 320, 0.82, roll=10, yaw=-20, pitch=6),
            Look(640, 62, 34),
            Expected("vn.cccd", Outcome.GRANTED, Reason.ALREADY_SHOWN),
        ),
    )
