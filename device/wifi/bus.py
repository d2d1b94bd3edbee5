"""The system bus: the only importer of jeepney. Its types and exceptions stop here."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from jeepney import DBusAddress, DBusErrorResponse, MatchRule, message_bus, new_method_call
from jeepney.io.blocking import open_dbus_connection
from jeepney.wrappers import unwrap_msg

from device.errors import WirelessError

CALL_S: Final = 5.0
"""NetworkManager answers within milliseconds; so much it may stand still on a busy machine."""

MAX_SIGNALS: Final = 64
"""What one attempt brings is a dozen; the newest decide."""

_WORDS: Final = {
    "ServiceUnknown": "no_manager",
    "NameHasNoOwner": "no_manager",
    "NoReply": "no_manager",
    "AccessDenied": "not_allowed",
    "PermissionDenied": "not_allowed",
    "NotAuthorized": "not_allowed",
}
"""Last part of an error's name -> what it means here; all others are `failed`."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something NetworkManager told.

    Attributes:
        path: of the object that tells it.
        interface: its interface.
        numbers: what it tells.
    """

    path: str
    interface: str
    numbers: tuple[int, ...]


class Bus:
    """One connection, for one service on the bus. Belongs to one thread; closed by `close`.

    Args:
        service: well-known name, which is not started where it does not run.

    Raises:
        WirelessError: `no_manager`: there is no bus, or no such service on it.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._heard: deque[Any] = deque(maxlen=MAX_SIGNALS)
        try:
            self._connection = open_dbus_connection("SYSTEM")
        except (OSError, RuntimeError) as error:
            raise WirelessError("no_manager", f"the system bus cannot be reached: {error}") from error
        try:
            # Only its owner's signals count: anybody may put the service's words into a signal.
            (self._owner,) = self._ask(message_bus.GetNameOwner(service))
        except WirelessError:
            self.close()
            raise

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def call(self, path: str, interface: str, method: str, signature: str = "", *words: object) -> Any:  # noqa: ANN401 - a reply has any type
        """What the service replies: a tuple. Blocks for `CALL_S` at most.

        Raises:
            WirelessError: it refuses, or does not reply.
        """
        where = DBusAddress(path, bus_name=self._service, interface=interface)
        return self._ask(new_method_call(where, method, signature or None, words))

    def properties(self, path: str, interface: str) -> dict[str, Any]:
        """An object's properties. Blocks and raises as `call`."""
        reply = self.call(path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface)
        return {name: value for name, (_, value) in reply[0].items()}

    def watch(self, interface: str, member: str) -> None:
        """Hears signals of that name from now on. Blocks and raises as `call`."""
        rule = MatchRule(type="signal", sender=self._owner, interface=interface, member=member)
        self._connection.filter(rule, queue=self._heard)
        self._ask(message_bus.AddMatch(rule))

    def signals(self) -> list[Signal]:
        """What was heard since it was asked last. Never blocks.

        Raises:
            WirelessError: the bus has gone.
        """
        try:
            while True:
                self._connection.recv_messages(timeout=0)
        except TimeoutError:
            pass
        except OSError as error:
            raise WirelessError("no_manager", "the system bus has gone") from error
        heard = [_signal(message) for message in self._heard]
        self._heard.clear()
        return heard

    def _ask(self, message: Any) -> Any:  # noqa: ANN401 - a reply has any type
        try:
            return unwrap_msg(self._connection.send_and_get_reply(message, timeout=CALL_S))
        except DBusErrorResponse as error:
            word = _WORDS.get(error.name.rsplit(".", 1)[-1], "failed")
            # What it says in words may hold the network's name.
            raise WirelessError(word, f"NetworkManager refuses: {error.name}") from None
        except OSError as error:  # a TimeoutError is one
            raise WirelessError("no_manager", "NetworkManager does not answer") from error


def _signal(message: Any) -> Signal:  # noqa: ANN401 - of the library, which has no types
    fields = message.header.fields
    by_code = {int(code): value for code, value in fields.items()}
    return Signal(by_code[1], by_code[2], tuple(n for n in message.body if isinstance(n, int)))
