import time

import pytest

from cv_pipelines.cli.waiting import shown_when_slow


def test_quick_work_is_not_talked_about(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_when_slow(5) as tell:
        tell("listing files", 1000)

    assert capsys.readouterr() == ("", "")


def test_slow_work_says_so_once_and_not_where_results_go(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_when_slow(0.01) as tell:
        for done in range(3):
            time.sleep(0.05)
            tell("listing files", done)

    assert capsys.readouterr() == ("", "This takes a while …\n")


def test_an_error_of_the_work_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), shown_when_slow(5):
        raise ZeroDivisionError
