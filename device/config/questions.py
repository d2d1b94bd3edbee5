"""What `gate-scanner config init` asks. Imports nothing heavy: the command line names every flag at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLAIN_PORT: Final = "1883"
"""The usual port without TLS, and taken as the wish to have none."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be asked.

    Attributes:
        path: of the setting that the answer is for.
        flag: by which it is answered on the command line.
        text: for people.
        usual: what an empty line stands for; empty: the setting is left out, unless it is `required`.
        required: whether there must be an answer.
        after: only asked when this setting was answered.
    """

    path: str
    flag: str
    text: str
    usual: str = ""
    required: bool = False
    after: str = ""


QUESTIONS: Final = (
    Question("gate.tenant", "--tenant", "The district or organisation, as it named itself", required=True),
    Question("gate.site", "--site", "The place, with one gate or more", required=True),
    Question("gate.name", "--name", "This gate, unique within the place", required=True),
    Question("gate.direction", "--direction", "Which way people pass: in, out or both", "both"),
    Question("camera.source", "--camera", "Camera: picamera2 (ribbon cable) or v4l2 (USB)", "picamera2"),
    Question("panel.relay.pin", "--relay-pin", "BCM pin of the relay that opens; empty: no relay"),
    Question(
        "panel.relay.active_high",
        "--relay-active-high",
        "Does the relay pull at 3.3 V? Many relay boards want: no",
        "yes",
        after="panel.relay.pin",
    ),
    Question("uplink.host", "--broker", "Host of the district's broker; empty: keep events here"),
    Question("uplink.port", "--port", "Port: 8883 with TLS, 1883 without", "8883", after="uplink.host"),
    Question(
        "uplink.tls.ca_file",
        "--ca-file",
        "File of the authority that signed the broker's certificate; empty: a public one",
        after="uplink.host",
    ),
    Question("uplink.username", "--username", "User name at the broker; empty: none", after="uplink.host"),
    Question(
        "uplink.password_file",
        "--password-file",
        "File that holds the password and nothing else",
        "mqtt.password",
        after="uplink.username",
    ),
)


def questions_after(answers: Mapping[str, str]) -> Iterator[Question]:
    """What is still to be asked, in order; ask again after every answer."""
    for question in QUESTIONS:
        plain = question.path.startswith("uplink.tls.") and answers.get("uplink.port") == PLAIN_PORT
        if question.path not in answers and not plain and (not question.after or answers.get(question.after)):
            yield question
