"""What the reception's window shows of the day and of one patient: maps in the words of one language; pure.

What is shown is `reception_queue`'s and `front_desk`'s to know; this only says it.
"""

from collections.abc import Callable

from appliance.core.by_hand import ByHand
from appliance.core.reception_events import CorrectionReason, FaceFailure, IdentityCheck
from appliance.core.standing import Status
from appliance.front_desk import Handover
from appliance.front_texts import Front, front_text
from appliance.reception_queue import Card, Queue, QueueRow
from appliance.reception_texts import causes_text, correction_text, face_failure_text, identity_text, status_text
from appliance.texts import Label, Language, age_text, screen_text

Values = dict[str, object]

_TONES = {
    Status.NEEDS_HELP: "bad",
    Status.WAITING: "plain",
    Status.NOT_COME: "attention",
}
"""How a chip is coloured; confirmed ones, of whatever way, are good. The words say it too."""


def day_values(queue: Queue, hand: ByHand, over: Handover, language: Language, *, searched: bool) -> Values:
    """The queue, what was done by hand, and the day as it would be handed over. searched: not everything is shown."""
    age = age_text(int(over.oldest or 0), language)
    unsent = front_text(Front.UNSENT if over.unsent else Front.NOTHING_UNSENT, language, n=str(over.unsent), age=age)
    return {
        "rows": [row_values(row, language) for row in queue.rows],
        "calls": [
            {
                "call": call.call,
                "text": front_text(Front.CALLED_AT, language, at=call.at[11:16]),
                "claimed": front_text(Front.CLAIMED, language) if call.claimed else "",
            }
            for call in queue.calls
        ],
        "strangers": [
            {"attempt": attempt.event, "text": front_text(Front.STRANGER, language, at=attempt.at[11:16])}
            for attempt in queue.strangers
        ],
        "empty": front_text(Front.NOTHING_FOUND if searched else Front.NOTHING_TODAY, language),
        "byHand": front_text(Front.BY_HAND, language, n=str(hand.done), limit=str(hand.limit)),
        "handover": [
            *(f"{status_text(status, language)}: {count}" for status, count in over.statuses.items() if count),
            front_text(Front.WAITING_CALLS, language, n=str(over.waiting)),
            *(f"{status_text(Status.BY_HAND, language)}, {name or '—'}: {count}" for name, count in over.by_hand),
            front_text(Front.CORRECTED, language, n=str(over.corrected)),
            unsent,
        ],
        "unsent": f"↑ {over.unsent} · {age}" if over.unsent else "✓",
        "unsentSaid": unsent,
        "backlog": over.unsent > 0,
    }


def row_values(row: QueueRow, language: Language) -> Values:
    """One service of today."""
    what = dict(row.names).get(language.value) or row.names[0][1]
    room = screen_text(Label.ROOM, language, room=row.room) if row.room else ""
    causes = causes_text(row.causes, language)
    claimed = front_text(Front.CLAIMED, language) if row.claimed else ""
    return {
        "service": row.service,
        "patient": row.patient,
        "starts": row.starts,
        "name": row.name or front_text(Front.NOT_ENROLLED, language),
        "known": bool(row.name),
        "last4": f"••••{row.last4}" if row.last4 else "",
        "what": "  ·  ".join(filter(None, (what, room))),
        "status": status_text(row.status, language),
        "tone": _TONES.get(row.status, "good"),
        "open": not row.receipt,
        "causes": "  ·  ".join(filter(None, (claimed, causes))),
        "claimed": claimed,
        "call": row.call if row.call is not None else -1,
    }


def card_values(card: Card, language: Language) -> Values:
    """One patient."""
    return {
        "patient": card.patient,
        "name": card.name or front_text(Front.NOT_ENROLLED, language),
        "last4": f"••••••••{card.last4}" if card.last4 else "",
        "enrolled": card.enrolled,
        "mayTry": card.enrolled and any(not row.receipt for row in card.services),
        "lookAlike": front_text(Front.LOOK_ALIKE, language) if card.look_alikes else "",
        "causes": causes_text(card.causes, language),
        "attempt": card.attempts[-1].event if card.attempts else "",
        "services": [row_values(row, language) for row in card.services],
        "receipts": [
            {
                "receipt": each.receipt,
                "number": each.receipt[:8].upper(),
                "text": f"{each.at[8:10]}.{each.at[5:7]} {each.at[11:16]}  {dict(each.names)[language.value]}",
                "how": status_text(Status(each.how.value), language) if each.how else "",
                "stands": each.corrected_by is None,
            }
            for each in card.receipts
        ],
    }


def own_words(language: Language) -> Values:
    """The window's own words, and what its choices are called."""
    plain = [word for word in Front if word not in _WITH_PARTS]
    return {
        **{word.value: front_text(word, language) for word in plain},
        "identities": _choices(IdentityCheck, lambda each: identity_text(each, language)),
        "failures": _choices(FaceFailure, lambda each: face_failure_text(each, language)),
        "corrections": _choices(CorrectionReason, lambda each: correction_text(each, language)),
        "languages": [{"code": each.value, "name": screen_text(Label.LANGUAGE, each)} for each in Language],
    }


_WITH_PARTS = frozenset(
    {
        *(Front.CALLED_AT, Front.BY_HAND, Front.HELD, Front.UNSENT, Front.CORRECTED, Front.WAITING_CALLS),
        *(Front.STRANGER, Front.PROOF_KEPT),
    }
)


def _choices(
    kind: type[IdentityCheck] | type[FaceFailure] | type[CorrectionReason], said: Callable[..., str]
) -> list[Values]:
    return [{"code": each.value, "text": said(each)} for each in kind]
