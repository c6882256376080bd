"""The kiosk speaks what is new, one thing at a time, a hint only when it has stood for a while; never when muted."""

import pytest

from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.types import Cue
from appliance.texts import Language
from kiosk_ui.voice import HINT_S, Voice
from kiosk_ui.voice_prompts import Prompt

KK, RU = Language.KAZAKH, Language.RUSSIAN


class Words:
    """An utterance that lasts until it is stopped."""

    def __init__(self) -> None:
        self.heard = True

    def running(self) -> bool:
        """Until then."""
        return self.heard

    def stop(self) -> None:
        """Now."""
        self.heard = False


class Mouth:
    """Keeps what was said, and how loud."""

    def __init__(self, *, dumb: bool = False) -> None:
        self.said: list[tuple[Prompt, Language]] = []
        self.words: list[Words] = []
        self.loud: list[float] = []
        self.rung: list[float] = []
        self.bells: list[Words] = []
        self._dumb = dumb

    def say(self, prompt: Prompt, language: Language, volume: float) -> Words | None:
        """Begin."""
        self.said.append((prompt, language))
        self.loud.append(volume)
        if self._dumb:
            return None
        self.words.append(Words())
        return self.words[-1]

    def ring(self, volume: float) -> Words | None:
        """The bell."""
        self.rung.append(volume)
        if self._dumb:
            return None
        self.bells.append(Words())
        return self.bells[-1]

    @property
    def prompts(self) -> list[Prompt]:
        """Without languages."""
        return [prompt for prompt, _ in self.said]


def test_a_state_is_spoken_once_when_it_comes() -> None:
    """However often it is shown; the hints that come and go in it do not bring it up again."""
    mouth = Mouth()
    voice = Voice(mouth)
    for tick in range(20):
        voice.look(State.ALIGN, Hint.CLOSER if 5 <= tick < 8 else None, None, KK, tick / 10)
    voice.look(State.HOLD, None, None, KK, 2.0)
    assert mouth.prompts == [State.ALIGN, State.HOLD]


def test_a_hint_is_spoken_when_it_has_stood() -> None:
    """The same one, after 2.5 s, once; another one in between starts the time anew."""
    mouth = Mouth()
    voice = Voice(mouth)
    voice.look(State.ALIGN, None, None, KK, 0.0)
    for at, hint in ((1.0, Hint.CLOSER), (3.4, Hint.CLOSER), (3.45, Hint.BACK), (5.9, Hint.BACK)):
        voice.look(State.ALIGN, hint, None, KK, at)
    assert mouth.prompts == [State.ALIGN]
    for at in (3.45 + HINT_S, 7.0, 9.0):
        voice.look(State.ALIGN, Hint.BACK, None, KK, at)
    assert mouth.prompts == [State.ALIGN, Hint.BACK]
    voice.look(State.ALIGN, None, None, KK, 10.0)
    voice.look(State.ALIGN, Hint.BACK, None, KK, 11.0)
    voice.look(State.ALIGN, Hint.BACK, None, KK, 11.0 + HINT_S)
    assert mouth.prompts == [State.ALIGN, Hint.BACK, Hint.BACK]


def test_a_cue_is_spoken_at_once() -> None:
    """The challenge waits for nobody; the same cue a second time is a new one."""
    mouth = Mouth()
    voice = Voice(mouth)
    for at, cue in ((0.0, Cue.STRAIGHT), (0.1, Cue.STRAIGHT), (1.0, Cue.LEFT), (2.0, Cue.STRAIGHT)):
        voice.look(State.CHALLENGE, None, cue, KK, at)
    assert mouth.prompts == [Cue.STRAIGHT, Cue.LEFT, Cue.STRAIGHT]


def test_the_newest_breaks_off_what_is_being_said() -> None:
    """Never two at once; when the patient is gone, silence."""
    mouth = Mouth()
    voice = Voice(mouth)
    voice.look(State.ALIGN, None, None, KK, 0.0)
    voice.look(State.HOLD, None, None, KK, 0.5)
    assert [words.heard for words in mouth.words] == [False, True]
    before = voice.speaking
    voice.look(State.IDLE, None, None, KK, 1.0)
    assert [words.heard for words in mouth.words] == [False, False]
    assert (before, voice.speaking) == (True, False)
    voice.look(State.HOLD, None, None, KK, 2.0)
    assert mouth.prompts == [State.ALIGN, State.HOLD, State.HOLD]


def test_another_language_is_spoken_from_the_beginning() -> None:
    """Who chose it wants to hear it."""
    mouth = Mouth()
    voice = Voice(mouth)
    for language in (KK, RU, RU):
        voice.look(State.CONFIRM, None, None, language, 0.0)
    assert mouth.said == [(State.CONFIRM, KK), (State.CONFIRM, RU)]


def test_a_mute_kiosk_says_nothing() -> None:
    """From this moment on; what was shown meanwhile is not made up for."""
    mouth = Mouth()
    voice = Voice(mouth)
    voice.look(State.ALIGN, None, None, KK, 0.0)
    voice.mute(on=True)
    assert (voice.muted, voice.speaking) == (True, False)
    voice.look(State.HOLD, None, None, KK, 1.0)
    voice.mute(on=False)
    voice.look(State.HOLD, None, None, KK, 2.0)
    assert mouth.prompts == [State.ALIGN]
    voice.look(State.RECEIPT, None, None, KK, 3.0)
    assert mouth.prompts == [State.ALIGN, State.RECEIPT]


def test_the_volume_is_that_of_the_next_prompt() -> None:
    """Nothing at all at zero; another value is a bug."""
    mouth = Mouth()
    voice = Voice(mouth, volume=0.25)
    for volume, state in ((0.25, State.ALIGN), (0.0, State.HOLD), (1.0, State.RECEIPT)):
        voice.set_volume(volume)
        voice.look(state, None, None, KK, 0.0)
    assert mouth.loud == [0.25, 1.0]
    with pytest.raises(ValueError, match="0 to 1"):
        voice.set_volume(1.1)


def test_what_is_shown_can_be_repeated() -> None:
    """A hint that has not been spoken yet, too, and then it is not spoken again by itself; nothing when nothing is."""
    mouth = Mouth()
    voice = Voice(mouth)
    voice.repeat()
    voice.look(State.ALIGN, Hint.CLOSER, None, KK, 0.0)
    voice.repeat()
    voice.look(State.ALIGN, Hint.CLOSER, None, KK, 5.0)
    assert mouth.prompts == [Hint.CLOSER]


def test_without_a_voice_all_goes_on() -> None:
    """A speaker that cannot say it is no failure."""
    mouth = Mouth(dumb=True)
    voice = Voice(mouth)
    voice.look(State.ALIGN, None, None, KK, 0.0)
    voice.look(State.HOLD, None, None, KK, 1.0)
    voice.close()
    assert mouth.prompts == [State.ALIGN, State.HOLD]
    assert not voice.speaking


def test_a_call_for_help_rings_before_it_is_spoken() -> None:
    """Once for each call, and breaks off what is being said; the words come when the bell is over."""
    mouth = Mouth()
    voice = Voice(mouth, volume=0.4)
    voice.look(State.ALIGN, None, None, KK, 0.0)
    for tick in range(3):
        voice.look(State.HELP, None, None, KK, 1.0 + tick / 10)
    assert (mouth.rung, mouth.prompts, mouth.words[0].heard) == ([0.4], [State.ALIGN], False)
    mouth.bells[0].stop()
    voice.look(State.HELP, None, None, KK, 2.0)
    voice.look(State.IDLE, None, None, KK, 3.0)
    voice.look(State.HELP, None, None, KK, 4.0)
    assert (mouth.rung, mouth.prompts) == ([0.4, 0.4], [State.ALIGN, State.HELP])


def test_the_bell_rings_for_a_patient_who_muted_the_voice() -> None:
    """It calls the reception and tells nothing; a desk whose volume is nothing has no bell, either."""
    mouth, silent = Mouth(dumb=True), Mouth()
    voice, off = Voice(mouth), Voice(silent, volume=0.0)
    voice.mute(on=True)
    for each in (voice, off):
        each.look(State.HELP, None, None, KK, 0.0)
    assert (len(mouth.rung), silent.rung) == (1, [])
