from __future__ import annotations

import re
import unicodedata
from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from device.credential.kinds import Context
from device.credential.payload import MAX_CONTENT_BYTES, read
from device.credential.registry import KINDS, PERSONAL_KINDS, about, parse
from device.credential.wrong.url import host_of
from device.model import Standing

FIXED_WORD = re.compile(r"[a-z0-9_]*")
# What the grammars are made of, so that random text comes close to them often.
PIECES = st.sampled_from(
    [
        *"|<*:/.,()[]@?#\\\n\r\t \x1d\0\x1b",
        *"0123456789",
        *["048095000111", "201234567", "0123456789", "Nam", "Nữ", "17031995", "31021995", "1995-03-17"],
        *["163000000000000011", "<1<<", "000201", "010211", "6304", "(01)", "]Q3", "M1", "HC1:", "shc:/"],
        *[
            "tel:",
            "WIFI:",
            "https://",
            "URLTO:",
            "BEGIN:VCARD",
            "eyJ",
            "NCF",
            "RRQ",
            "6BF",
            "\ufeff",
            "\u202e",
        ],
        *["GD4480123456789", "486fc3a06e67", "-", "$"],
    ]
)
CLOSE = st.lists(PIECES | st.text(max_size=5), max_size=40).map(lambda parts: "".join(parts).encode())
CONTENT = st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode()) | CLOSE


@given(CONTENT)
@example(b"")
@example(b"\xff\xfe")
@example(b"\xfe\xff\xd8\x00")
@example(b"\xef\xbb\xbf")
@example(b"1" * (MAX_CONTENT_BYTES + 1))
@example(b"|" * MAX_CONTENT_BYTES)
@example("e\u0323\u0302".encode() * 1000)
def test_any_bytes_have_exactly_one_answer(content: bytes) -> None:
    credential = parse(content, poster_hosts=frozenset({"poster.example"}))
    assert about(credential.kind)
    assert FIXED_WORD.fullmatch(credential.detail)
    assert all(FIXED_WORD.fullmatch(word) for word in credential.warnings)
    if credential.standing is Standing.WRONG_KIND:
        assert credential.kind not in PERSONAL_KINDS
        assert not credential.identifier
    else:
        assert credential.kind in PERSONAL_KINDS
    if credential.standing is Standing.MALFORMED:
        assert credential.detail
        assert not credential.identifier


@given(CONTENT)
@example(b"shc://5676")
@example(b"tel:1||a|17031995|Nam|b|03052021")
@example(b"000201010211|a|b|17031995|Nam|c|03052021")
@example(b"\x1d01|a|1995-03-17|0|163000000000000011|")
@example(b"00020101021138|a|b|c|Nam|d|e")
def test_no_payload_is_claimed_by_two_kinds(content: bytes) -> None:
    context = Context(poster_hosts=frozenset({"poster.example"}))
    assert sum(kind.recognise(read(content), context) is not None for kind in KINDS) <= 1


@given(CONTENT)
def test_the_answer_never_repeats_what_the_code_holds_outside_its_personal_fields(content: bytes) -> None:
    shown = repr(parse(b"WIFI:S:x;P:" + content))
    assert "wrong.wifi" in shown or "wrong.binary" in shown
    assert repr(parse(b"048095000111||" + content + b"|17031995|Nam|x|")).count("048095000111") == 0


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="|\0", categories=["L", "Zs"]), max_size=40)


@given(
    number=st.from_regex(r"[0-9]{12}", fullmatch=True),
    old=st.sampled_from(["", "201234567", "201234567890"]),
    name=NAMES,
    born=st.dates(),
    male=st.booleans(),
    address=NAMES,
    extra=st.integers(min_value=0, max_value=4),
)
def test_every_card_that_follows_the_grammar_is_read(
    *, number: str, old: str, name: str, born: date, male: bool, address: str, extra: int
) -> None:
    written = f"{born.day:02}{born.month:02}{born.year:04}"
    sex = "Nam" if male else "Nữ"
    text = f"{number}|{old}|{name}|{written}|{sex}|{address}|03052021" + "|" * extra
    credential = parse(text.encode())
    assert (credential.kind, credential.standing) == ("vn.cccd", Standing.CLAIMED)
    assert (credential.identifier, credential.born) == (number, born)


@given(
    qid=st.from_regex(r"[0-9]{18}", fullmatch=True),
    born=st.dates(),
    masked=st.booleans(),
    kind=st.sampled_from("01"),
)
def test_every_national_code_that_follows_the_grammar_is_read(
    *, qid: str, born: date, masked: bool, kind: str
) -> None:
    written = f"{born.year:04}-**-**" if masked else born.isoformat()
    number = "******000111" if masked else "048095000111"
    credential = parse(f"{number}|HOANG THU MAU|{written}|{kind}|{qid}|<1<<".encode())
    assert (credential.kind, credential.standing) == ("vn.qr-national", Standing.CLAIMED)
    assert (credential.identifier, credential.born) == (qid, None if masked else born)


@given(st.text(max_size=100))
def test_a_host_never_holds_what_is_not_of_the_host(text: str) -> None:
    host = host_of(text)
    assert host is None or not set("/?#\\@: \n\t") & set(host)


def test_a_poster_is_known_by_its_whole_host_only() -> None:
    hosts = frozenset({"poster.example"})
    assert parse(b"https://poster.example", poster_hosts=hosts).kind == "wrong.poster"
    assert parse(b"https://notposter.example/", poster_hosts=hosts).kind == "wrong.url"
    assert parse(b"https://poster.example.evil.example/", poster_hosts=hosts).kind == "wrong.url"
    assert parse(b"https://evil.example\\@poster.example/", poster_hosts=hosts).kind == "wrong.url"


def test_the_same_person_has_the_same_identifier_however_the_text_is_composed() -> None:
    composed = "048095000111||Hoàng Thử Mẫu|17031995|Nam|Tổ 9|03052021"
    decomposed = unicodedata.normalize("NFD", composed)
    assert parse(composed.encode()) == parse(decomposed.encode())
