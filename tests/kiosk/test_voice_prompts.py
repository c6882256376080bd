"""What can be spoken is a state, a hint or a cue in fixed words: nothing of a visit can be heard in the hall."""

import inspect
import re
from typing import get_type_hints

import pytest

from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.types import Cue
from appliance.texts import Language
from kiosk_ui import voice_prompts
from kiosk_ui.voice import Voice
from kiosk_ui.voice_prompts import SILENT, Prompt, prompt_name, prompt_of, prompt_words
from kiosk_ui.voice_speaker import ProgramSpeaker

PROMPTS: list[Prompt] = [*State, *Hint, *Cue]


@pytest.mark.parametrize("prompt", PROMPTS, ids=prompt_name)
def test_the_words_are_complete_and_name_nobody(prompt: Prompt) -> None:
    """In all languages, without a gap where a name or number would stand."""
    for language in Language:
        words = prompt_words(prompt, language)
        assert len(words) >= 3
        assert not re.search(r"[{}\d]|, ?!", words), words


def test_the_screen_and_the_voice_agree_on_what_matters() -> None:
    """The cue, else the hint, else the state; nothing where nobody listens."""
    assert prompt_of(State.CHALLENGE, Hint.CLOSER, Cue.LEFT) is Cue.LEFT
    assert prompt_of(State.ALIGN, Hint.CLOSER, None) is Hint.CLOSER
    assert prompt_of(State.CONFIRM, None, None) is State.CONFIRM
    assert [prompt_of(state, None, None) for state in SILENT] == [None] * len(SILENT)


def test_each_prompt_has_a_recording_of_its_own() -> None:
    """Names of files, in ASCII."""
    names = [prompt_name(prompt) for prompt in PROMPTS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"(state|hint|cue)-[a-z_]+", name) for name in names)


def test_nothing_but_enums_gets_to_the_voice() -> None:
    """No function on the way takes a snapshot, an offer or a text: it could not say a name if it wanted to."""
    allowed = {State, Hint, Cue, Hint | None, Cue | None, Prompt, Prompt | None, Language, float, bool}
    functions = (prompt_of, prompt_words, Voice.look, Voice.repeat, ProgramSpeaker.say)
    for function in functions:
        hints = get_type_hints(function)
        taken = {hints[name] for name in inspect.signature(function).parameters if name != "self"}
        assert taken <= allowed, function.__qualname__
    assert not hasattr(voice_prompts, "Snapshot")
