"""What may be spoken aloud: states, hints and cues, by their fixed words and nothing else.

The screen is read by one person, a voice is heard by the whole hall. So what is spoken is chosen by enum values only:
no name, service, time or number can get here. When it is spoken is decided in `voice`.
"""

from typing import Final

from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.types import Cue
from appliance.texts import Label, Language, cue_text, hint_text, screen_text, state_text

Prompt = State | Hint | Cue
"""Everything that can be said."""

SILENT: Final = frozenset({State.IDLE, State.CHECKING, State.SAVING, State.CHALLENGE, State.LEAVING})
"""Nobody is there, it is over at once, or the cues speak."""


def prompt_of(state: State, hint: Hint | None, cue: Cue | None) -> Prompt | None:
    """What goes with what is shown, as on the screen: the cue before the hint before the state."""
    return cue or hint or (None if state in SILENT else state)


def prompt_name(prompt: Prompt) -> str:
    """The name of the recording without language and ending: `hint-closer`."""
    return f"{type(prompt).__name__.lower()}-{prompt.value}"


def prompt_words(prompt: Prompt, language: Language) -> str:
    """The words, those of the screen; a confirmation asks without greeting."""
    match prompt:
        case State.CONFIRM:
            return screen_text(Label.QUESTION, language)
        case State():
            return state_text(prompt, language)
        case Hint():
            return hint_text(prompt, language)
        case Cue():
            return cue_text(prompt, language)
