from __future__ import annotations

from device.decode.agreement import Agreement
from device.decode.finding import Finding, Quad

ANYWHERE: Quad = ((0, 0), (9, 0), (9, 9), (0, 9))


def _finding(content: bytes, margin: float | None = None, side: int | None = None) -> Finding:
    return Finding(corners=ANYWHERE, content=content, margin=margin, side=side)


def test_a_short_content_from_a_doubtful_step_needs_a_second_look() -> None:
    agreement = Agreement()
    assert not agreement.believes(_finding(b"8820"), doubtful=True)
    agreement.next_look()
    assert not agreement.believes(_finding(b"092"), doubtful=True)
    assert agreement.believes(_finding(b"8820"), doubtful=True)


def test_a_second_look_much_later_does_not_count() -> None:
    agreement = Agreement()
    agreement.believes(_finding(b"8820"), doubtful=True)
    for _ in range(31):
        agreement.next_look()
    assert not agreement.believes(_finding(b"8820"), doubtful=True)


def test_another_showing_does_not_count() -> None:
    agreement = Agreement()
    agreement.believes(_finding(b"8820"), doubtful=True)
    agreement.forget()
    assert not agreement.believes(_finding(b"8820"), doubtful=True)


def test_long_contents_and_sure_steps_and_good_symbols_are_believed_at_once() -> None:
    agreement = Agreement()
    assert agreement.believes(_finding(b"046090123456"), doubtful=True)
    assert agreement.believes(_finding(b"8820"), doubtful=False)
    assert agreement.believes(_finding(b"8820", margin=0.9, side=33), doubtful=True)


def test_small_or_barely_corrected_symbols_are_not() -> None:
    agreement = Agreement()
    assert not agreement.believes(_finding(b"8820", margin=0.9, side=21), doubtful=True)
    assert not agreement.believes(_finding(b"8821", margin=0.1, side=33), doubtful=True)


def test_waiting_contents_are_bounded() -> None:
    agreement = Agreement()
    for number in range(100):
        agreement.believes(_finding(b"%d" % number), doubtful=True)
    assert not agreement.believes(_finding(b"3"), doubtful=True)
    assert agreement.believes(_finding(b"99"), doubtful=True)
