"""That the list of slow tests is of tests that are there."""

import pytest

from cv_pipelines.settings import ROOT
from tests.order import _TOGETHER, SLOW, group_of


def test_what_is_slow_is_there() -> None:
    paths = {group.partition("[")[0] for group in (*SLOW, *_TOGETHER) if ".py" in group}

    assert [path for path in paths if not (ROOT / "tests" / path).exists()] == []
    assert {group for group in SLOW if ".py" not in group} == set(_TOGETHER.values())


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/models/test_gate.py::test_a", "models/test_gate.py"),
        ("tests/models/test_gate.py::test_a[1]", "models/test_gate.py"),
        ("tests/docs/test_commands.py::test_a[README]", "docs/test_commands.py[README]"),
        ("tests/docs/test_commands.py::test_a[worker-nodes]", "swarm as seen"),
        ("tests/execution/test_conformance.py::test_a[swarm]", "execution/test_conformance.py"),
        ("tests/execution/test_lost_answer.py::test_a", "execution on nodes"),
    ],
)
def test_tests_that_share_servers_stay_together(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group
