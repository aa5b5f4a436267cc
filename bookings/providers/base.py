"""What any provider of video rooms can do."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import Protocol


class VideoAway(Exception):
    """The provider does not answer, or not in a way that can be understood."""


@dataclasses.dataclass(frozen=True)
class RoomPlan:
    """A private room that opens and closes at instants, for so many people."""

    name: str
    opens_at: datetime.datetime
    closes_at: datetime.datetime
    seats: int


@dataclasses.dataclass(frozen=True)
class Guest:
    """Who comes into a room. The owner may mute and remove others."""

    user_id: uuid.UUID
    name: str
    is_owner: bool
    is_audio_only: bool = False


class Recorder(Protocol):
    """A provider whose rooms can be recorded. Each call raises `VideoAway` where it does not answer."""

    name: str

    def start_recording(self, room: str) -> None:
        """Record what happens in a room from now on."""

    def stop_recording(self, room: str) -> None:
        """Record no more, and let nobody begin; stopped already, or gone, is as well."""

    def recordings_of(self, room: str) -> list[str]:
        """The names of what was recorded in a room and is stored."""

    def link_to(self, recording: str, *, seconds: int) -> str:
        """Where it can be watched for so long."""

    def delete_recording(self, recording: str) -> None:
        """Delete it; gone already is as well."""


class Video(Protocol):
    name: str

    @property
    def reports_attendance(self) -> bool:
        """Whether it reports who comes and leaves, so that an absence from its record means something."""

    def make_room(self, plan: RoomPlan) -> str:
        """Make the room, or bring the one of this name in line with the plan. Returns its address.

        Raises:
            VideoAway: as it says.
        """

    def has_room(self, name: str) -> bool:
        """Whether it is still there.

        Raises:
            VideoAway: as it says.
        """

    def delete_room(self, name: str) -> None:
        """Delete it; gone already is as well.

        Raises:
            VideoAway: as it says.
        """

    def shut_out(self, room: str, user_id: uuid.UUID) -> None:
        """Take somebody out of a room, and let them in no more, whatever token they have; a room that is gone is as well. Where the
        provider knows no such thing, nothing happens.

        Raises:
            VideoAway: as it says.
        """

    def token_for(self, plan: RoomPlan, guest: Guest) -> str:
        """What lets this one person into this one room while it is open; empty where the provider knows no tokens.

        Raises:
            VideoAway: as it says.
        """
