"""The connection to the district's broker."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from device.config.model.base import Section
from device.config.scalars import (
    CertificateFile,
    ClientId,
    Flag,
    Host,
    PasswordFile,
    PrivateKeyFile,
    PublicKeyFile,
    Seconds,
    UserName,
    Whole,
    WholeSeconds,
)


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
