"""Dead letters from the command line."""

import json
import subprocess
from pathlib import Path

from cv_pipelines.tasks.ledger.dead_letters import find_letter, list_letters
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task
from tests.installation import COMMAND, Installation

GOOD = {"schema": "cv.task/v1", "task_id": "a", "kind": "sleep", "params": {"seconds": 1}}


def bad(ledger: Ledger, *bodies: bytes) -> list[int]:
    """Dead letters with these bodies; returns their numbers."""
    for body in bodies:
        receive(ledger, [Letter(body, message_id="a", headers={"from": "line 7"})])
    return sorted(row.id for row in list_letters(ledger))


def test_letters_are_listed_by_pages_and_dropped(installation: Installation, ledger: Ledger) -> None:
    first, second, third = bad(ledger, b"1", b"2", b"3")

    page = installation.run("dead-letters", "list", "--limit", "2").stdout
    rest = installation.json(*page.partition("More: cv-pipelines ")[2].split())

    assert "The message must be a JSON object." in page
    assert [one["id"] for one in rest["letters"]] == [first]
    done = installation.run("dead-letters", "drop", str(first), "99", status=1)
    assert "There is no dead letter 99" in done.stderr
    assert find_letter(ledger, first).state == "open"
    installation.run("dead-letters", "drop", str(first), str(second))
    assert [row.id for row in list_letters(ledger)] == [third]
    dropped = installation.json("dead-letters", "list", "--state", "dropped")["letters"]
    assert [one["id"] for one in dropped] == [second, first]


def test_letters_are_measured_and_dropped_by_the_dozen(installation: Installation, ledger: Ledger) -> None:
    bad(ledger, *(f"{number}?".encode() for number in range(10, 40)))
    (odd,) = receive(ledger, [Letter(b"[]", problem=("delivery_limit", "Given up."))]).refused

    shown = installation.run("dead-letters", "list", "--limit", "2").stdout
    assert "31 in all, 92 bytes." in shown
    listed = installation.json("dead-letters", "list", "--limit", "2")
    assert (len(listed["letters"]), listed["number"], listed["bytes"]) == (2, 31, 92)

    assert installation.json("dead-letters", "drop", "--code", "not_json", "--older-than", "1h") == []
    assert "30 dead letters" in installation.run("dead-letters", "drop", "--code", "not_json").stdout
    assert [row.code for row in list_letters(ledger)] == [odd.code]
    installation.run("dead-letters", "drop", "1", "--code", "not_json", status=2)
    installation.run("dead-letters", "drop", status=2)


def test_a_letter_says_whether_its_sender_knows(installation: Installation, ledger: Ledger) -> None:
    receive(ledger, [Letter(b"?", "a", "answers")])
    number = str(list_letters(ledger)[0].id)

    (told,) = installation.json("dead-letters", "show", number)["told"]

    assert (told["number"], told["delivery"], told["pending"]) == (1, "open", ["reply"])
    assert "waiting for" in installation.run("dead-letters", "show", number).stdout


def test_a_letter_is_shown_without_what_a_terminal_would_obey(installation: Installation, ledger: Ledger) -> None:
    text, binary = bad(ledger, b'"\x1b[31mred [bold]"', b"\x89PNG\0" * 100)

    shown = installation.run("dead-letters", "show", str(text)).stdout
    assert '"\ufffd[31mred [bold]"' in shown
    assert "line 7" in shown
    as_json = installation.json("dead-letters", "show", str(binary))
    assert (as_json["text"], as_json["hex"][:10], as_json["size"]) == (None, b"\x89PNG\0".hex(), 500)
    raw = subprocess.run(
        [COMMAND, "dead-letters", "show", str(binary), "--body"],
        env=installation.environment,
        capture_output=True,
        check=True,
    )
    assert raw.stdout == b"\x89PNG\0" * 100


def test_a_mended_letter_becomes_a_task_and_a_badly_mended_one_no_letter(
    installation: Installation, ledger: Ledger, tmp_path: Path
) -> None:
    (letter,) = bad(ledger, b'{"schema": "cv.task/v1"')
    file = tmp_path / "mended.json"

    refused = installation.json("dead-letters", "replay", str(letter), status=1)
    assert refused[0]["outcome"] == "refused"
    assert "is not JSON" in refused[0]["reason"]
    file.write_text(json.dumps({**GOOD, "params": {}}))
    done = installation.run("dead-letters", "replay", str(letter), "--file", str(file), status=1)
    assert "params.seconds: Field required" in done.stdout
    assert [row.id for row in list_letters(ledger)] == [letter]

    file.write_text(json.dumps(GOOD))
    accepted = installation.json("dead-letters", "replay", str(letter), "--file", str(file))

    assert accepted == [{"id": letter, "outcome": "accepted", "task_id": "a", "reason": None}]
    assert find_task(ledger, "a").state == "queued"
    assert find_letter(ledger, letter).state == "replayed"
