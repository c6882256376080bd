"""Two of the fund's people at the same instant, on both databases: one answer, or a failure that says what happened."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sync.fund.admission import Terms, admit, certificates, invite
from sync.fund.office import devices
from sync.join_errors import InvitationSpent
from sync.signing import KeyClass
from tests.fakes.joiner import Joiner
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import NOON

FILE = Terms(KeyClass.FILE)
ROUNDS = 4
"""Each of them alone collided without the lock."""


def at_once(works: list[Callable[[], str]]) -> list[str | BaseException]:
    """What each gave or raised, all begun at the same instant."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], str]) -> str:
        gate.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        begun = [pool.submit(run, work) for work in works]
        return [one.exception() or one.result() for one in begun]


def test_two_officers_who_admit_one_invitation_at_once_admit_one_desk(fund: Fund, tmp_path: Path) -> None:
    """Two desks hold the same invitation: one is admitted, the other officer is told that it was used."""
    for turn in range(ROUNDS):
        invitation = invite(fund.root, f"desk-{turn}", "Clinic 7", "Reception", NOON)
        rivals = [Joiner.create(tmp_path / f"rival-{turn}-{one}") for one in range(2)]
        tokens = [rival.token(rival.request(invitation)) for rival in rivals]
        results = at_once([lambda token=token: admit(fund.root, token, FILE, NOON) for token in tokens])  # type: ignore[misc]
        (refused,) = [result for result in results if not isinstance(result, str)]
        assert isinstance(refused, InvitationSpent), refused
        assert str(refused) == "another request has used this invitation"
    assert len(devices(fund.root)) == ROUNDS
    assert len(certificates(fund.root)) == 2 * ROUNDS


def test_two_officers_who_answer_one_request_at_once_give_the_same_answer(fund: Fund, tmp_path: Path) -> None:
    """Nothing is issued twice."""
    joiner = Joiner.create(tmp_path / "joiner")
    token = joiner.token(joiner.request(invite(fund.root, "desk-1", "Clinic 7", "Reception", NOON)))
    first, second = at_once([lambda: admit(fund.root, token, FILE, NOON)] * 2)
    assert isinstance(first, str)
    assert first == second
    assert len(certificates(fund.root)) == 2
