"""What every group of settings is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from device.config.nodes import EMPTY


class Section(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    empty_is_meant: ClassVar[bool] = True
    """Whether a section without anything below it is the section with its defaults."""

    @model_validator(mode="before")
    @classmethod
    def _everything_commented_out(cls, value: object) -> object:
        return {} if value is EMPTY and cls.empty_is_meant else value
