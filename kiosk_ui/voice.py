"""When the kiosk speaks and rings: what is new at once, a hint when it has stood for a while, one thing at a time.

What may be said is `voice_prompts`', how it sounds `voice_speaker`'s. Time is an argument, monotonic seconds. Lives on
the window's thread.
"""

from dataclasses import dataclass
from typing import Final

from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.types import Cue
from appliance.texts import Language
from kiosk_ui.voice_prompts import Prompt, prompt_of
from kiosk_ui.voice_speaker import Speaker, Utterance

HINT_S: Final = 2.5
"""How long a hint is shown before it is spoken, too: who reads it has followed it by then."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is shown, in which state and language, since when."""

    state: State
    prompt: Prompt
    language: Language
    since: float


class Voice:
    """The newest prompt wins: what is still being said is broken off."""

    def __init__(self, speaker: Speaker, *, volume: float = 0.6, muted: bool = False) -> None:
        """volume: 0..1; another value is the caller's bug (ValueError)."""
        self._speaker = speaker
        self._standing: _Standing | None = None
        self._said: set[Prompt] = set()
        self._utterance: Utterance | None = None
        self._bell: Utterance | None = None
        self._called = False
        self._muted = muted
        self._volume = 0.0
        self.set_volume(volume)

    @property
    def muted(self) -> bool:
        """Whether the patient turned it off."""
        return self._muted

    @property
    def speaking(self) -> bool:
        """Whether something is heard now."""
        return self._utterance is not None and self._utterance.running()

    def look(self, state: State, hint: Hint | None, cue: Cue | None, language: Language, now: float) -> None:
        """Tell what is shown now, again and again; each prompt is spoken once for each time it is shown anew.

        A state is spoken once until another one comes, whatever hints are shown meanwhile; everything is said again
        in another language. When the reception is called it rings, before a word is said: who mutes the voice mutes
        what is said to the patient, not what calls for help.
        """
        self._ring(state)
        before, prompt = self._standing, prompt_of(state, hint, cue)
        if prompt is None:
            self.close()
            return
        if before is None or before.state is not state or before.language is not language:
            self._said.clear()
        elif before.prompt is not prompt:
            self._said &= {state}
        if before is None or (before.state, before.prompt, before.language) != (state, prompt, language):
            before = self._standing = _Standing(state, prompt, language, now)
        wait = HINT_S if isinstance(prompt, Hint) else 0.0
        if self._bell is not None and self._bell.running():
            return
        if prompt not in self._said and now - before.since >= wait:
            self._said.add(prompt)
            self._say(prompt, language)

    def _ring(self, state: State) -> None:
        """Once for each call."""
        called = state is State.HELP
        if called and not self._called and self._volume > 0.0:
            self._hush()
            self._bell = self._speaker.ring(self._volume)
        if not called and self._bell is not None:
            self._bell.stop()  # a player that hangs does not keep the voice waiting for ever
            self._bell = None
        self._called = called

    def repeat(self) -> None:
        """Say what is shown once more, for who did not understand."""
        if self._standing is not None:
            self._said.add(self._standing.prompt)
            self._say(self._standing.prompt, self._standing.language)

    def mute(self, *, on: bool) -> None:
        """Turn it off, at once, or on."""
        self._muted = on
        if on:
            self._hush()

    def set_volume(self, volume: float) -> None:
        """For the next prompt; 0..1."""
        if not 0.0 <= volume <= 1.0:
            raise ValueError("a volume is 0 to 1")
        self._volume = volume

    def close(self) -> None:
        """Fall silent, and begin anew with whoever comes next."""
        self._standing = None
        self._said.clear()
        self._hush()

    def _say(self, prompt: Prompt, language: Language) -> None:
        self._hush()
        if not self._muted and self._volume > 0.0:
            self._utterance = self._speaker.say(prompt, language, self._volume)

    def _hush(self) -> None:
        if self._utterance is not None:
            self._utterance.stop()
            self._utterance = None
