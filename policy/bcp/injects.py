"""What a drill pretends (訓練の想定): people absent, the directory away, sites down, half the seats. Pure.

Counterparts: `policy.bcp.overlay` (a drill that pretends gives less), `gateway.reports.score` (counts it). A drill's
inject only ever withholds what that drill would have given: what people may do anyway, and people outside its scope,
are never touched. Who plays absent follows from the drill's own words, so every node and the what-if name the same.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from policy.model import Reason, ReasonCode, Request

MOST_ABSENT: Final = 90


class Inject(StrEnum):
    """What is pretended."""

    ABSENT = "absent"
    DIRECTORY_OFF = "directory_off"
    SITE_DOWN = "site_down"
    HALF_CAPACITY = "half_capacity"

    @property
    def name_ja(self) -> str:
        """As the coordinators say it."""
        return _NAMES[self][0]

    @property
    def name_en(self) -> str:
        """English name for screens."""
        return _NAMES[self][1]


_NAMES: Final[dict[Inject, tuple[str, str]]] = {
    Inject.ABSENT: ("職員の欠勤", "Staff absent"),
    Inject.DIRECTORY_OFF: ("認証基盤の停止", "Directory away"),
    Inject.SITE_DOWN: ("拠点の停止", "Site down"),
    Inject.HALF_CAPACITY: ("席の半減", "Half the seats"),
}


@dataclass(frozen=True, slots=True)
class Injects:
    """All that a drill pretends. `sites_down` names sites of the register."""

    absent_percent: int = 0
    directory_off: bool = False
    sites_down: frozenset[str] = field(default_factory=frozenset)
    half_capacity: bool = False

    def __bool__(self) -> bool:
        return self != NONE

    def absent(self, drill: str, username: str) -> bool:
        """Whether this person plays absent in the drill of this name: about `absent_percent` of a hundred do."""
        if not self.absent_percent:
            return False
        drawn = hashlib.sha256(f"kakehashi-drill-absent|{drill}|{username.casefold()}".encode()).digest()
        return int.from_bytes(drawn[:8]) % 100 < self.absent_percent

    def withholds(self, drill: str, request: Request) -> Inject | None:
        """Why the drill does not give this, though its plan would; None when it does."""
        if self.absent(drill, request.subject.username):
            return Inject.ABSENT
        if request.resource.site in self.sites_down:
            return Inject.SITE_DOWN
        used, total = request.context.seats_used, request.context.seats_total
        if self.half_capacity and not request.context.live and (used is None or total is None or 2 * used >= total):
            return Inject.HALF_CAPACITY
        return None


NONE: Final = Injects()

_REASONS: Final[dict[Inject, tuple[str, str]]] = {
    Inject.ABSENT: (
        "【訓練】あなたは欠勤している想定です。訓練用の接続先は使えません。ふだんの業務はできます。",
        "[DRILL] You play absent in this drill and cannot use its desktops. Your usual work goes on.",
    ),
    Inject.SITE_DOWN: (
        "【訓練】この接続先のある拠点は停止している想定です。ほかの接続先を使ってください。",
        "[DRILL] The site of this desktop is down in this drill. Use another one.",
    ),
    Inject.HALF_CAPACITY: (
        "【訓練】席が半分しかない想定で、いまは満席です。しばらく待ってからもう一度お試しください。",
        "[DRILL] Only half the seats exist in this drill, and all are taken. Wait a while and try again.",
    ),
}


def reason_of(inject: Inject) -> Reason:
    """What a person reads from whom a drill withholds something."""
    text_ja, text_en = _REASONS[inject]
    return Reason(ReasonCode.DRILL_PRETENDS, text_ja, text_en)
