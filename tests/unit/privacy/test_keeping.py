from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.journal.record import as_data, canonical, parse
from device.model import (
    Credential,
    CredentialRef,
    Direction,
    Identity,
    KeptField,
    Outcome,
    Reason,
    ScanEvent,
    Sealed,
    Standing,
    Verdict,
)
from device.privacy.keeping import MAX_IDENTIFIER_BYTES, MAX_NAME_BYTES, Form, IdentityKeeper
from device.privacy.sealing import OpeningKey, SealingKey, binding
from tests.support.clock import ManualClock

SOURCE = "gate/v1/t/s/g"
CLOCK = ManualClock().reading()
DISTRICT = OpeningKey(OpeningKey.generate())
GATE = SealingKey(DISTRICT.public_pem)
BINH = Credential(
    "vn.cccd",
    Standing.CLAIMED,
    identifier="079088000111",
    name="Trần Văn Bình",
    born=date(1988, 2, 29),
)
OK = Verdict(Outcome.GRANTED, Reason.OK)
USUAL = (KeptField.IDENTIFIER, KeptField.NAME)


def ref_of(credential: Credential) -> CredentialRef:
    return CredentialRef(credential.kind, credential.standing, "ab" * 16, subject_key="ab" * 4)


def kept(keeper: IdentityKeeper, credential: Credential = BINH, verdict: Verdict = OK) -> CredentialRef:
    return keeper.keep(credential, ref_of(credential), verdict, CLOCK)


def opened(sealed: Sealed | None, credential: Credential = BINH) -> dict[str, str] | None:
    assert sealed is not None
    context = binding(
        source=SOURCE,
        event_type="gate.scan.v1",
        boot=CLOCK.boot,
        uptime_ms=CLOCK.uptime_ms,
        kind=credential.kind,
        subject="ab" * 16,
    )
    text = DISTRICT.open(sealed, context=context)
    return None if text is None else dict(json.loads(text))


def test_without_a_key_to_seal_to_nothing_is_kept_of_who_somebody_is() -> None:
    keeper = IdentityKeeper(source=SOURCE, fields=USUAL)
    assert keeper.form is Form.NOT
    assert kept(keeper) == ref_of(BINH)


def test_what_is_sealed_is_what_the_configuration_names() -> None:
    ref = kept(IdentityKeeper(source=SOURCE, seal=GATE, fields=(KeptField.BORN, KeptField.NAME)))
    assert ref.identity is None
    assert opened(ref.sealed) == {"name": "Trần Văn Bình", "born": "1988-02-29"}


def test_clear_text_is_kept_where_it_is_asked_for_and_stays_out_of_the_repr() -> None:
    ref = kept(IdentityKeeper(source=SOURCE, clear=True, fields=USUAL))
    assert ref.sealed is None
    assert ref.identity == Identity(identifier="079088000111", name="Trần Văn Bình")
    assert "Bình" not in repr(ref)
    assert "079088000111" not in repr(ref)


@pytest.mark.parametrize("kind", ["cwt.pass", "jws.pass"])
def test_a_pass_has_rules_of_its_own(kind: str) -> None:
    gate_pass = Credential(kind, Standing.VERIFIED, identifier="office/0042", name="An")
    usual = IdentityKeeper(source=SOURCE, seal=GATE, fields=USUAL)
    assert kept(usual, gate_pass).sealed is None
    asked = IdentityKeeper(source=SOURCE, seal=GATE, fields_of_passes=(KeptField.IDENTIFIER,))
    assert opened(kept(asked, gate_pass).sealed, gate_pass) == {"identifier": "office/0042"}


def test_nothing_is_kept_of_a_code_the_gate_does_not_take() -> None:
    keeper = IdentityKeeper(source=SOURCE, clear=True, fields=USUAL)
    refused = Verdict(Outcome.ATTENTION, Reason.KIND_NOT_ACCEPTED)
    assert kept(keeper, verdict=refused).identity is None
    denied = Verdict(Outcome.DENIED, Reason.DENIED_BY_LIST)
    assert kept(keeper, verdict=denied).identity is not None


def test_a_code_without_any_of_the_fields_leaves_nothing_to_seal() -> None:
    payment = Credential("wrong.payment", Standing.WRONG_KIND)
    assert kept(IdentityKeeper(source=SOURCE, seal=GATE, fields=USUAL), payment).sealed is None


@given(name=st.text(), number=st.text(), sealed=st.booleans())
def test_whatever_a_code_claims_can_be_recorded_within_a_page(
    name: str, number: str, *, sealed: bool
) -> None:
    credential = replace(BINH, name=name, identifier=number)
    keeper = IdentityKeeper(
        source=SOURCE, seal=GATE if sealed else None, clear=not sealed, fields=tuple(KeptField)
    )
    ref = kept(keeper, credential)
    event = ScanEvent(Direction.BOTH, Outcome.GRANTED, Reason.OK, ref, CLOCK, "0" * 16, "zxing", 100)
    data = canonical(as_data(event), seq=2**40, prev="0" * 64)
    assert len(data) < 960
    assert parse(data) is not None
    if sealed:
        found = opened(ref.sealed) or {}
        assert len(found.get("name", "").encode()) <= MAX_NAME_BYTES
        assert len(found.get("identifier", "").encode()) <= MAX_IDENTIFIER_BYTES


@pytest.mark.parametrize("name", ["n" * 4000, '"' * 4000, "Ễ" * 4000, "\N{PILE OF POO}" * 4000])
def test_a_name_of_thousands_of_letters_is_cut_and_says_so(name: str) -> None:
    identity = kept(
        IdentityKeeper(source=SOURCE, clear=True, fields=USUAL), replace(BINH, name=name)
    ).identity
    assert identity is not None
    assert identity.name is not None
    assert identity.name.endswith("…")
    assert (
        MAX_NAME_BYTES - 8
        <= len(json.dumps(identity.name, ensure_ascii=False).encode()) - 2
        <= MAX_NAME_BYTES
    )


def test_a_usual_name_is_kept_whole() -> None:
    name = "Công Tằng Tôn Nữ Nguyễn Thị Hoàng Phương Anh"
    identity = kept(
        IdentityKeeper(source=SOURCE, clear=True, fields=USUAL), replace(BINH, name=name)
    ).identity
    assert identity is not None
    assert identity.name == name
