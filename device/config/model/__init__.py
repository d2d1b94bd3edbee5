"""Every setting there is: its type and unit, limits, default and meaning, in this one place.

The loader's answers, the editor's schema and the reference are made from what stands here. A setting's
name carries its unit where it has one. A file is written relative to the folder of the configuration file.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from device.config.model.access import Credentials, Hours, Passback, Policy
from device.config.model.base import Section
from device.config.model.keeping import Journal, Privacy
from device.config.model.sending import Tls, Uplink
from device.config.model.sight import Camera, Decode, Gate, Picamera2, Replay, V4l2
from device.config.model.wiring import (
    Beam,
    Button,
    Buzzer,
    Contact,
    Inputs,
    Lamp,
    Lights,
    Panel,
    Relay,
    Tamper,
)

__all__ = [
    "Beam",
    "Button",
    "Buzzer",
    "Camera",
    "Contact",
    "Credentials",
    "Decode",
    "Gate",
    "Hours",
    "Inputs",
    "Journal",
    "Lamp",
    "Lights",
    "Panel",
    "Passback",
    "Picamera2",
    "Policy",
    "Privacy",
    "Relay",
    "Replay",
    "Section",
    "Service",
    "Settings",
    "Tamper",
    "Tls",
    "Uplink",
    "V4l2",
]


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
