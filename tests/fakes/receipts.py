"""Signed events of invented visits, as large as real ones: every identifier is of full length and random."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.core.decision import Reason
from appliance.core.events import (
    CheckedIn,
    Circumstances,
    Comparison,
    ConfirmedWithoutFace,
    Event,
    LivenessMethod,
    Refused,
    WithoutFace,
)
from appliance.core.types import Cue, LivenessVerdict
from sync.envelope import EVENT_TYP, Moment, TimeAnchor, TimeTrust, event_payload
from sync.envelope import Event as Envelope
from sync.signing import Signer, sign_compact

SERVICE_CODE = "A02.005.000"


@dataclass(frozen=True)
class Visits:
    """What a desk signs; the seed decides every identifier and figure."""

    signer: Signer
    device: str = "desk-almaty-clinic5-01"
    seed: int = 1

    def checked_in(self, wall: datetime) -> str:
        """A visit by face."""
        chance = random.Random(self.seed)
        pack = _hex(chance, 64)
        compared = Comparison(
            pack, "list", round(chance.random(), 4), round(chance.random(), 4), 0.4187, 0.05, 0.3, 43, 5120, 129, 0,
            extrapolated=False,
        )  # fmt: skip
        about = _about(chance, pack, wall)
        reasons = (Reason.MATCH, Reason.LIVE)
        event = CheckedIn(
            _hex(chance, 64), "2026-11-26-0042", SERVICE_CODE, "doctor-7", _hex(chance, 32), _hex(chance, 64), reasons,
            compared, about,
        )  # fmt: skip
        return self._signed(event, chance, wall)

    def without_face(self, wall: datetime) -> str:
        """A visit by IIN and code."""
        chance = random.Random(self.seed)
        about = _about(chance, _hex(chance, 64), wall)
        who = _hex(chance, 64)
        event = ConfirmedWithoutFace(
            who, "2026-11-26-0042", SERVICE_CODE, "doctor-7", WithoutFace.IIN_CODE, (Reason.WITHOUT_FACE,), about
        )
        return self._signed(event, chance, wall)

    def refused(self, wall: datetime) -> str:
        """No visit."""
        chance = random.Random(self.seed)
        about = _about(chance, _hex(chance, 64), wall)
        return self._signed(Refused(None, (Reason.NO_MATCH,), None, None, about), chance, wall)

    def _signed(self, event: Event, chance: random.Random, wall: datetime) -> str:
        anchor = TimeAnchor(_boot(chance), 1_234_567, wall - timedelta(minutes=1), 35)
        moment = Moment(wall, 1_294_567, _boot(chance), TimeTrust.FUND, 36, anchor)
        number = chance.randint(2, 40_000)
        envelope = Envelope(
            event.KIND, event.VERSION, _hex(chance, 32), self.device, number, _hex(chance, 64), moment,
            dict(event.data()),
        )  # fmt: skip
        return sign_compact(self.signer, EVENT_TYP, event_payload(envelope))


def _about(chance: random.Random, pack: str, wall: datetime) -> Circumstances:
    return Circumstances(
        pack, _hex(chance, 16), "0.1.0", "usb-046d_HD_Pro_Webcam_C920", wall.isoformat(timespec="milliseconds"), 1, (),
        chance.randint(50, 95), LivenessVerdict.LIVE, LivenessMethod.CHALLENGE, "answered",
        round(chance.random(), 4), 0.75, 0.05, (Cue.CLOSER, Cue.LEFT),
    )  # fmt: skip


def _hex(chance: random.Random, digits: int) -> str:
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def _boot(chance: random.Random) -> str:
    digits = _hex(chance, 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
