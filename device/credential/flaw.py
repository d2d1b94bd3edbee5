"""How the steps of a signed code say that one of them failed. Never leaves this room."""

from __future__ import annotations


class Flawed(ValueError):
    """The payload breaks a rule of its kind. Caught by the kind, which answers `malformed`.

    Attributes:
        word: the fixed word that becomes `Credential.detail`; never content.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word
