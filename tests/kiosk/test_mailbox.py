"""Frames from another thread never starve the window, and the newest wins."""

import threading
import time
from itertools import pairwise

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from kiosk_ui.mailbox import Mailbox


def test_twenty_thousand_values_arrive_as_few_and_the_last_is_among_them(qtbot: QtBot) -> None:
    """Whatever was not taken yet is replaced; one wake-up is pending at most."""
    taken: list[int] = []
    box: Mailbox[int] = Mailbox(taken.append)

    def flood() -> None:
        for number in range(20_000):
            box.put(number)

    thread = threading.Thread(target=flood)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: 19_999 in taken, timeout=5000)
    assert taken == sorted(set(taken))
    assert len(taken) < 100, "the window was busy with other things meanwhile"


def test_a_slow_painter_does_not_delay_a_timer(qtbot: QtBot) -> None:
    """Painting takes 30 ms, frames come every 2 ms: a timer of 20 ms is never more than 100 ms late."""
    box: Mailbox[int] = Mailbox(lambda _: time.sleep(0.03))
    stop = threading.Event()

    def flood() -> None:
        while not stop.wait(0.002):
            box.put(0)

    ticks: list[float] = []
    timer = QTimer(interval=20)
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    thread = threading.Thread(target=flood)
    thread.start()
    timer.start()
    qtbot.waitUntil(lambda: len(ticks) >= 20, timeout=10_000)
    timer.stop()
    stop.set()
    thread.join()
    late = [after - before - 0.02 for before, after in pairwise(ticks)]
    assert sorted(late)[len(late) // 2] < 0.1


def test_a_closed_box_gives_nothing_that_still_waited(qtbot: QtBot) -> None:
    """Neither what lay in it nor what comes afterwards: its receiver may be gone."""
    taken: list[int] = []
    closed: Mailbox[int] = Mailbox(taken.append)
    open_: Mailbox[int] = Mailbox(taken.append)
    closed.put(1)
    closed.close()
    open_.put(2)
    qtbot.waitUntil(lambda: 2 in taken, timeout=5000)
    closed.put(3)
    open_.put(4)
    qtbot.waitUntil(lambda: 4 in taken, timeout=5000)
    assert taken == [2, 4]
