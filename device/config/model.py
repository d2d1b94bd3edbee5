"""Every setting there is: its type and unit, limits, default and meaning, in this one place.

The loader's answers, the editor's schema and the reference are made from what stands here. A setting's
name carries its unit where it has one. A file is written relative to the folder of the configuration file.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from device.config.nodes import EMPTY
from device.config.scalars import (
    CertificateFile,
    Chip,
    ClientId,
    ClockTime,
    Date,
    Days,
    DaySpan,
    Dioptres,
    File,
    Flag,
    Host,
    KindWord,
    ListFile,
    Micros,
    Millis,
    Number,
    PasswordFile,
    Pin,
    Pixels,
    PosterHost,
    PrivateKeyFile,
    PseudonymKeyFile,
    PublicKeyFile,
    Rate,
    Scene,
    SealingKeyFile,
    Seconds,
    Size,
    Slug,
    Text,
    TrustFile,
    UserName,
    VideoDevice,
    Whole,
    WholeSeconds,
    Words,
    Zone,
    days_of,
)
from device.model import Direction, KeptField
from device.policy.rules import PassbackMode, UntrustedClock


class Section(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    empty_is_meant: ClassVar[bool] = True
    """Whether a section without anything below it is the section with its defaults."""

    @model_validator(mode="before")
    @classmethod
    def _everything_commented_out(cls, value: object) -> object:
        return {} if value is EMPTY and cls.empty_is_meant else value


# -- gate -----------------------------------------------------------------------------------------


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


# -- credentials and rules ------------------------------------------------------------------------


class Credentials(Section):
    """What is known beforehand about codes people hold up."""

    poster_hosts: tuple[PosterHost, ...] = Field(
        ("qr.tokhaiyte.vn", "qr.pccovid.gov.vn"),
        max_length=64,
        description="Hosts of location posters: these codes name a place, not a person, and are told apart.",
    )

    trust_list: TrustFile | None = Field(
        None,
        description="Keys of issuers whose signatures count: JSON, as `gate-scanner keys` writes it. Without "
        "it no signed code is accepted.",
    )
    audiences: tuple[Text, ...] = Field(
        (),
        max_length=16,
        description="Further names this gate answers to where a pass says which gates it is for. NAME, "
        "SITE/NAME and TENANT/SITE/NAME always count, and so do SITE and TENANT/SITE.",
        examples=[["CHOT-03"]],
    )


class Hours(Section):
    """One opening time; the gate is open while any of them holds."""

    days: tuple[DaySpan, ...] = Field(
        ("mon-sun",),
        min_length=1,
        max_length=7,
        description="Days it begins on.",
        examples=[["mon-fri", "sun"]],
    )
    opens: ClockTime = Field(alias="from", description="Beginning, local time.", examples=["06:30"])
    closes: ClockTime = Field(
        alias="to",
        description="End, local time. Earlier than `from`: on the next day. 22:00 to 06:00 is one night.",
        examples=["18:00"],
    )

    effective_from: Date | None = Field(
        None,
        description="The first day it begins on. Left out: it is in force already.",
        examples=["2026-09-05"],
    )
    effective_until: Date | None = Field(
        None, description="The last day it begins on. Left out: until it is changed.", examples=["2027-05-31"]
    )

    @property
    def weekdays(self) -> frozenset[int]:
        """The days as numbers; 0 is Monday."""
        return frozenset[int]().union(*(days_of(span) for span in self.days))


class Passback(Section):
    """What happens when somebody passes in the same direction twice, as far as this gate has seen."""

    mode: PassbackMode = Field(
        PassbackMode.OFF,
        description="`hard` denies; `soft` grants, and the event says `passback`. Needs a gate whose "
        "`direction` is in or out.",
    )
    forget_after_s: Seconds = Field(
        43_200.0,
        ge=60,
        le=604_800,
        description="This long after a person passed, it is not known any more on which side they are.",
    )


class Policy(Section):
    """Who may pass."""

    accept: tuple[KindWord, ...] = Field(
        ("vn.cccd", "vn.qr-national"), min_length=1, description="Kinds of code this gate takes."
    )
    hours: tuple[Hours, ...] = Field(
        (), max_length=32, description="Opening hours. None at all: always open."
    )
    closed_on: tuple[Date, ...] = Field(
        (),
        max_length=366,
        description="Days on which the gate does not open; a night that began the day before goes on.",
        examples=[["2027-02-06"]],
    )
    deny_list: ListFile | None = Field(
        None,
        description="Who is refused: one identifier a line, or a list as `gate-scanner list make` makes it.",
    )
    allow_list: ListFile | None = Field(
        None, description="Who alone may pass, beside those on the roster; written like the deny list."
    )
    roster: ListFile | None = Field(
        None,
        description="Who alone may pass, beside those on the allow list, each within times of their own: "
        "identifier, from, until.",
    )
    list_keys: tuple[PublicKeyFile, ...] = Field(
        (),
        max_length=8,
        description="Public Ed25519 keys of who may issue lists, PEM. With them a list that none of them has "
        "signed is refused, and the one in force stays. Left out: lists need no signature.",
    )
    repeat_s: Seconds = Field(
        10.0,
        ge=0,
        le=86_400,
        description="A code granted less than this ago is answered with 'already shown'.",
    )
    untrusted_clock: UntrustedClock = Field(
        UntrustedClock.ACCEPT,
        description="What becomes of checks that need the time before the clock is set: left out, or failed.",
    )
    passback: Passback = Field(Passback(), description="The same way twice.")
    capacity: Whole | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Persons inside at most, as far as this gate has seen them go in and out. Left out: no "
        "limit.",
    )
    suspended: Flag = Field(False, description="`true`: nobody passes for now; everything is recorded.")


# -- panel ----------------------------------------------------------------------------------------


class Lamp(Section):
    """A light on a pin of its own."""

    pin: Pin = Field(description="BCM number, as in GPIO17; not the place on the header.", examples=[17])
    active_high: Flag = Field(True, description="Whether the line is on at 3.3 V. `false`: on at 0 V.")


class Lights(Section):
    """The lights; leave out what is not wired."""

    green: Lamp | None = Field(None, description="Granted.")
    yellow: Lamp | None = Field(None, description="Attention: wrong kind of code, already shown.")
    red: Lamp | None = Field(None, description="Refused; fault.")
    blue: Lamp | None = Field(None, description="Ready; starting.")


class Buzzer(Section):
    """The buzzer."""

    pin: Pin = Field(description="BCM number.", examples=[18])
    kind: Literal["passive", "active"] = Field(
        "passive",
        description="A passive one plays the tone it is given; an active one has a tone of its own.",
    )
    active_high: Flag = Field(True, description="Whether it sounds at 3.3 V.")


class Relay(Section):
    """The relay that lets a person through."""

    pin: Pin = Field(description="BCM number.", examples=[24])
    pulse_s: Seconds = Field(1.0, ge=0.05, le=60, description="How long it is pulled for one person.")
    active_high: Flag = Field(
        True, description="Whether it is pulled at 3.3 V. Many relay boards want `false`."
    )


class Panel(Section):
    """Lights, buzzer and relay."""

    driver: Literal["lgpio", "mock"] = Field(
        "lgpio", description="`lgpio` drives real pins; `mock` only remembers, for tests and the demo."
    )
    chip: Chip = Field("auto", description="The GPIO chip's label; `auto` finds the Raspberry Pi's own.")
    lights: Lights = Field(Lights(), description="The lights.")
    buzzer: Buzzer | None = Field(None, description="Left out: no buzzer.")
    relay: Relay | None = Field(None, description="Left out: no relay.")


class Contact(Section):
    """A contact on a pin of its own."""

    pin: Pin = Field(description="BCM number.", examples=[5])
    active_high: Flag = Field(
        False, description="Whether it tells something at 3.3 V. `false`: at 0 V, as a button to ground does."
    )
    pull: Literal["up", "down", "none"] = Field(
        "up", description="The resistor that holds the level while the contact is open."
    )


class Button(Contact):
    """A button for whoever minds the gate. Every press is recorded."""

    opens: Flag = Field(
        False,
        description="`true`: lets one person through, once the press is on the card. No emergency exit.",
    )


class Beam(Contact):
    """A light barrier behind the gate: counts who goes through, and notices who was not let through."""

    pass_within_s: Seconds = Field(
        10.0, ge=1, le=120, description="Whoever is let through goes through within this time."
    )


class Tamper(Contact):
    """A switch in the case, closed while the case is."""

    active_high: Flag = Field(
        True,
        description="Whether the open case is told at 3.3 V, as by a switch to ground that opens with it.",
    )


class Inputs(Section):
    """What tells the gate something, on the same chip as the panel; leave out what is not wired."""

    button: Button | None = Field(None, description="A button.")
    beam: Beam | None = Field(None, description="A light barrier; active while it is interrupted.")
    tamper: Tamper | None = Field(None, description="A switch in the case.")


# -- journal and privacy --------------------------------------------------------------------------


class Journal(Section):
    """The events on the card."""

    path: File = Field(Path("/var/lib/gate-scanner/journal.db"), description="The journal's file.")
    max_bytes: Size = Field(
        512 * 2**20,
        ge=2**21,
        le=2**36,
        description="Bound of the file and what belongs to it. An event takes 1 KiB.",
    )
    keep_days: Days = Field(30, ge=0, le=3650, description="Delivered events are kept this long.")
    when_full: Literal["refuse", "drop_oldest"] = Field(
        "refuse",
        description="When nothing delivered can go: record no more, or drop undelivered events, counted.",
    )
    when_unavailable: Literal["refuse", "admit"] = Field(
        "refuse", description="When an event cannot be recorded: grant nobody, or answer all the same."
    )

    @property
    def lists_folder(self) -> Path:
        """Where the last good lists are kept, each as KIND.list."""
        return self.path.with_name("lists")


class Privacy(Section):
    """What is kept of a person."""

    pseudonym_key_file: PseudonymKeyFile | None = Field(
        None,
        description="Secret key of the pseudonyms that stand for persons in events; at least 16 bytes, "
        "made with `head -c 32 /dev/urandom`. Gates that share it know a person by the same pseudonym. "
        "Left out: a key of this gate's own is made beside the journal.",
    )
    previous_pseudonym_key_file: PseudonymKeyFile | None = Field(
        None,
        description="The key before it, while it is replaced: lists and anti-passback still know persons by "
        "their former pseudonyms. Events carry the new ones at once.",
    )
    previous_pseudonym_until: Date | None = Field(
        None,
        description="The last day on which the key before it counts, in the gate's time zone.",
        examples=["2026-12-31"],
    )
    seal_to: SealingKeyFile | None = Field(
        None,
        description="The district's public X25519 key, PEM or base64, as `gate-scanner keys seal` makes it. "
        "What `keep` names is sealed to it in each event; only the district can open it. Left out: nothing "
        "of it is kept.",
        examples=["district-seal.pub"],
    )
    keep: tuple[KeptField, ...] | None = Field(
        None,
        description="What is kept of who somebody is, where `seal_to` or `keep_clear` says how. Left out: "
        "`identifier` and `name`.",
        examples=[["identifier"]],
    )
    keep_of_passes: tuple[KeptField, ...] = Field(
        (), description="The same of a pass, which its issuer knows by its number anyway."
    )
    keep_clear: Flag = Field(
        False,
        description="`true`: what `keep` names stands readable in the journal and at the broker, for whoever "
        "takes the box as well. Not together with `seal_to`.",
    )
    controller: Words = Field(
        "",
        description="Who is responsible for the data, for the public notice (`gate-scanner notice`).",
        examples=["UBND xã Phú Vang"],
    )
    contact: Words = Field(
        "",
        description="Whom people may ask about their data, for the notice.",
        examples=["0234 000 0000, 1 Lê Lợi, dulieu@phu-vang.example"],
    )
    purpose: Words = Field(
        "",
        description="What the data are for, in Vietnamese, for the notice. Left out: to control who comes in "
        "and goes out.",
    )
    purpose_english: Words = Field("", description="The same in English.")

    @property
    def kept(self) -> tuple[KeptField, ...]:
        """What is kept of a person's own code, if anything is."""
        return (KeptField.IDENTIFIER, KeptField.NAME) if self.keep is None else self.keep


# -- uplink and service ---------------------------------------------------------------------------


class Tls(Section):
    """An encrypted connection. `tls: {}` trusts what the operating system trusts."""

    empty_is_meant: ClassVar[bool] = False

    ca_file: CertificateFile | None = Field(
        None,
        description="The authority that signs the broker's certificate. Left out: the operating system's.",
    )
    cert_file: CertificateFile | None = Field(
        None, description="This gate's certificate, where the broker wants one."
    )
    key_file: PrivateKeyFile | None = Field(
        None, description="The certificate's private key, without a passphrase."
    )
    alpn: Flag = Field(
        False, description="Offer the protocol name `mqtt`, as brokers on port 443 want it (RFC 7301)."
    )
    server_name: Host | None = Field(
        None, description="The name in the broker's certificate, where it is not `host`."
    )


class Uplink(Section):
    """The connection to the district's MQTT broker."""

    enabled: Flag = Field(True, description="`false`: events stay in the journal.")
    host: Host | None = Field(
        None, description="The broker. Needed while `enabled`.", examples=["mqtt.example.vn"]
    )
    port: Whole = Field(8883, ge=1, le=65535, description="Usually 8883 with TLS and 1883 without.")
    client_id: ClientId | None = Field(None, description="Left out: gate-TENANT-SITE-NAME.")
    username: UserName | None = Field(None, description="Where the broker wants one.")
    password_file: PasswordFile | None = Field(None, description="A file with the password and nothing else.")
    tls: Tls | None = Field(None, description="Left out: no encryption.")
    window: Whole = Field(20, ge=1, le=1000, description="Events on their way at the same time.")
    keepalive_s: WholeSeconds = Field(
        30, ge=5, le=3600, description="A silent connection is tried this often."
    )
    backoff_min_s: Seconds = Field(
        1.0, ge=0.1, le=60, description="Longest wait before the first new attempt."
    )
    backoff_max_s: Seconds = Field(60.0, ge=1, le=3600, description="Longest wait before any new attempt.")
    daily_bytes: Whole = Field(
        0,
        ge=0,
        le=10**12,
        description="For a mobile contract: bytes a day, 0 for no bound. Counted are the events and messages "
        "the gate sends, each with 154 bytes for headers and its receipt; connecting and keepalives (0.5 MB "
        "a day at 30 s) come on top. Up to four fifths of it every event goes at once. From there on events "
        "go together every 15 minutes, at a seventh of the data. When it is spent they wait in the journal "
        "for midnight in `gate.timezone`. What the gate says about itself (`state`, `health`) goes in any "
        "case.",
    )
    district_key_file: PublicKeyFile | None = Field(
        None,
        description="The district's public Ed25519 key, PEM. With it the gate believes the district when it "
        "says which events it has stored, and sends others again. Left out: what the broker has counts.",
    )


class Service(Section):
    """The program itself."""

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")


class Settings(Section):
    """A gate's configuration, complete and valid."""

    gate: Gate
    camera: Camera = Camera()
    decode: Decode = Decode()
    credentials: Credentials = Credentials()
    policy: Policy = Policy()
    panel: Panel = Panel()
    inputs: Inputs = Inputs()
    journal: Journal = Journal()
    privacy: Privacy = Privacy()
    uplink: Uplink = Uplink()
    service: Service = Service()

    @property
    def client_id(self) -> str:
        """By which the broker knows this gate."""
        gate = self.gate
        return self.uplink.client_id or f"gate-{gate.tenant}-{gate.site}-{gate.name}"
