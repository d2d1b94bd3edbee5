"""What hangs on which pin."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from device.config.model.base import Section
from device.config.scalars import Chip, Flag, Pin, Seconds


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
