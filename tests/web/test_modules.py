"""The parts of the pages' modules that need no page, tested by the runner of Node, which Playwright brings."""

import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

FOLDER = Path(__file__).with_name("static")
TESTS = sorted(FOLDER.rglob("*.test.js"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_module_does_what_its_tests_say(path: Path) -> None:
    node, _ = compute_driver_executable()
    done = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout
