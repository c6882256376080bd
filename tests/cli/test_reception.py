"""The reception's queue on a terminal, and for a machine."""

import json

from sync.clock import SystemClock
from tests.cli.terminal import Clinic
from tests.fakes.patients import make_iin

COLUMNS = "iin,service_code,service_name_kk,service_name_ru,service_name_en,room,provider,starts"


def rows_of(clinic: Clinic, *arguments: str) -> "list[dict[str, object]]":
    """The rows of `keldim reception queue --json`, without those of the enrolled patient."""
    document: dict[str, list[dict[str, object]]] = json.loads(clinic("reception", "queue", "--json", *arguments).out)
    assert (document["calls"], document["strangers"]) == ([], [])
    return [row for row in document["rows"] if row["room"] in ("10", "11")]


def test_the_queue_is_shown_and_searched(clinic: Clinic) -> None:
    """Nobody's whole number or name is in it; the statuses are words for people and codes for machines."""
    starts = f"{SystemClock().moment().wall:%Y-%m-%d %H:%M}"
    lines = [f"{make_iin(70 + n).digits},A02.{n},Қан,Кровь,Blood,1{n},d-1,{starts}" for n in (0, 1)]
    path = clinic.root / "today.csv"
    path.write_text("\n".join([COLUMNS, *lines]), encoding="utf-8")
    assert clinic("services", "import", path).code == 0
    told = rows_of(clinic)
    assert [(row["status"], row["name"], row["last4"], row["causes"]) for row in told] == [("waiting", "", "", {})] * 2
    shown = clinic("reception", "queue")
    assert (shown.code, "Күтуде" in shown.out) == (0, True)
    found = rows_of(clinic, "--search", make_iin(70).digits)
    assert [row["room"] for row in found] == ["10"]
    assert make_iin(70).digits not in json.dumps(told) + shown.out + json.dumps(found)
