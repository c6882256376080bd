"""The first run in a window: the steps of a real desk, taken with buttons, mouse and keyboard."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickItem, QQuickWindow
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from appliance.cli.output import EXIT_NO
from appliance.cli.place import Place
from appliance.cli.setup_dialogue import Dialogue, Host, NobodyAnswers, Source
from appliance.core.setup_steps import Outcome, Problem, SetupStep
from appliance.desk_setup import DeskSetup
from appliance.opencv import cv2
from appliance.setup_record import read_progress, record_file
from appliance.texts import Language
from kiosk_ui.camera_view import CameraView
from kiosk_ui.setup_wizard import SetupWizard
from kiosk_ui.window import load_window
from sync.clock import SystemClock
from sync.errors import DiskFull
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import make_home
from tests.kiosk.conftest import items_of


@dataclass
class Bench:
    """A desk that is being set up, in a window."""

    setup: DeskSetup
    wizard: SetupWizard
    window: QQuickWindow
    bot: QtBot

    def item(self, name: str) -> QQuickItem | None:
        """A visible item by its objectName, or None."""
        return next((item for item in items_of(self.window) if item.objectName() == name), None)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for the conversation."""
        self.bot.waitUntil(holds, timeout=20_000)
        self.window.grabWindow()

    def press(self, name: str) -> None:
        """Click it once it is there."""
        self.until(lambda: self.item(name) is not None)
        item = self.item(name)
        assert item is not None
        middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
        QTest.mouseClick(self.window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)

    def says(self, text: str) -> bool:
        """Whether a text on the screen holds this."""
        return any(text in str(item.property("text")) for item in items_of(self.window, "Txt"))

    def ended(self) -> bool:
        """Whether nothing is under way."""
        return bool(self.wizard.values["over"])


def opened(talk: Callable[[Host, SetupStep | None], None], setup: DeskSetup, bot: QtBot) -> Iterator[Bench]:
    """The window, and its end."""
    wizard, engine = SetupWizard(talk, lambda: setup.progress, Language.KAZAKH), QQmlApplicationEngine()
    window = load_window(engine, "Setup.qml", wizard=wizard)
    view = window.findChild(QObject, "view")
    assert isinstance(view, CameraView)
    wizard.look_through(view)
    window.setProperty("unread", 0)
    window.show()
    yield Bench(setup, wizard, window, bot)
    wizard.close()
    window.close()
    engine.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


@pytest.fixture
def bench(painted: None, qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    """A joined desk without a printer; its camera shows noise, fast enough and large enough."""
    del painted
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    cv2.imwrite(str(pictures / "000.png"), noise)
    for number in range(1, 60):
        (pictures / f"{number:03}.png").hardlink_to(pictures / "000.png")
    home, clock = make_home(tmp_path), ManualClock()
    setup = DeskSetup(home, clock, lambda: (), lambda _name, _text: None)
    where, source = Place(home, tmp_path / "packs"), Source(None, None, pictures)
    yield from opened(lambda host, only: Dialogue(where, setup, source, host).go(only), setup, qtbot)


def test_a_desk_is_set_up_with_buttons(bench: Bench) -> None:
    """Read back, chosen, measured, left out: each answer leads on, in the language that was chosen."""
    assert bench.says("Орнатуды бастау")
    bench.press("begin")
    bench.until(lambda: bench.says("desk-1"))
    bench.press("answer-0")
    bench.until(lambda: bench.says("English"))
    bench.press("answer-2")
    bench.until(lambda: bench.setup.progress.of(SetupStep.CAMERA) is not None)
    found = bench.setup.progress.of(SetupStep.CAMERA)
    assert found is not None
    assert found.outcome is Outcome.PASSED
    bench.until(lambda: bench.says("The camera is good: 640×480"))
    bench.until(bench.ended)
    assert bench.says("E-PACK"), "there is no pack here, and the window says so with its remedy"
    bench.press("step-clock")
    bench.until(lambda: bench.says("The time zone is wrong"))
    bench.press("answer-1")
    bench.until(bench.ended)
    clock = bench.setup.progress.of(SetupStep.CLOCK)
    assert clock is not None
    assert clock.outcome is Outcome.SKIPPED


def test_a_second_press_answers_no_question_that_was_not_read(bench: Bench) -> None:
    """Twice on one answer is one answer; and a button that has just come takes no press at all."""
    bench.press("begin")
    bench.until(lambda: bench.item("answer-1") is not None)
    bench.window.setProperty("unread", 60_000)
    for _ in range(3):
        bench.wizard.answer(0)
    bench.until(lambda: bench.says("English"))
    bench.press("answer-2")
    bench.bot.wait(50)
    assert bench.item("answer-2") is not None, "the language is still asked for"


def test_a_window_that_is_closed_in_the_middle_keeps_what_was_found(bench: Bench) -> None:
    """Nobody answers any more: the conversation ends, and another one goes on later."""
    bench.press("begin")
    bench.press("answer-0")
    bench.until(lambda: bench.says("English"))
    bench.wizard.close()
    assert bench.setup.progress.following is SetupStep.LANGUAGE


def test_the_keyboard_reaches_every_step_and_every_answer(bench: Bench) -> None:
    """Tab and Enter; each has a name for a screen reader."""
    reachable = [item for item in items_of(bench.window) if item.property("activeFocusOnTab")]
    assert {item.objectName() for item in reachable} == {"begin", *(f"step-{step}" for step in SetupStep)}
    bench.window.requestActivate()
    first = bench.item("begin")
    assert first is not None
    first.forceActiveFocus()
    QTest.keyClick(bench.window, Qt.Key.Key_Return)
    bench.until(lambda: bench.item("answer-0") is not None)


def test_a_known_failure_is_told_and_ends_nothing(painted: None, qtbot: QtBot, tmp_path: Path) -> None:
    """With code and remedy; the person may begin again."""
    del painted

    def fails(host: Host, only: SetupStep | None) -> None:
        assert only is None
        host.begin(SetupStep.CLINIC, "Clinic")
        raise DiskFull("full")

    def gone(host: Host, only: SetupStep | None) -> None:
        del host, only
        raise NobodyAnswers

    setup = DeskSetup(make_home(tmp_path), ManualClock())
    for talk, shown in ((fails, DiskFull.code), (gone, "")):
        for bench in opened(talk, setup, qtbot):
            bench.press("begin")
            bench.until(bench.ended)
            assert bench.says(shown)
            assert bench.item("begin") is not None


@pytest.mark.parametrize("language", Language)
def test_no_text_is_cut(bench: Bench, language: Language) -> None:
    """The longest language wraps; nothing lies outside of the window."""
    bench.wizard.spoken(language)
    bench.press("begin")
    bench.until(lambda: bench.item("answer-1") is not None)
    for item in items_of(bench.window, "Txt"):
        assert item.property("truncated") is False
        corner = item.mapToScene(QPointF(item.width(), item.height()))
        assert corner.x() <= bench.window.width() + 1, item.property("text")
        assert corner.y() <= bench.window.height() + 1, item.property("text")


def test_the_program_takes_a_step_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """As `keldim setup-desk --window --step camera` starts it; a desk that is not ready yet is no success."""
    home, pictures = make_home(tmp_path), tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        cv2.imwrite(str(pictures / f"{number}.png"), np.full((120, 160, 3), 40 * number, np.uint8))
    command = [
        sys.executable,
        "-m",
        "kiosk_ui",
        "setup-desk",
        "--home",
        home.root,
        "--images",
        pictures,
        "--step",
        "camera",
    ]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen([str(word) for word in command], env=environment) as process:
        clock, kept = SystemClock(), record_file(home)
        end = clock.monotonic() + 60
        while not kept.exists() and process.poll() is None and clock.monotonic() < end:
            clock.sleep(0.1)
        process.terminate()
        assert process.wait(60) == EXIT_NO
    found = read_progress(home).of(SetupStep.CAMERA)
    assert found is not None
    assert found.problem is Problem.CAMERA_SMALL
