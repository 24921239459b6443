"""What a process spends on looking for garbage, seen from inside one of its own."""

import subprocess
import sys

import pytest

from cv_pipelines.settings import ROOT

LEFT = """
import atexit
from cv_pipelines.garbage import collect_rarely

class Circle:
    def __init__(self):
        self.own = self
    def __del__(self):
        print("searched")

{before}
circle = Circle()
del circle
atexit.register(print, "ended as ever")
"""
LOADED = """
import gc, sys
searches = []
gc.callbacks.append(lambda phase, info: searches.append(phase))
import cv_pipelines.definitions
print(len(searches))
"""


def printed(code: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.mark.parametrize(
    ("before", "told"), [("collect_rarely()", "ended as ever\n"), ("", "ended as ever\nsearched\n")]
)
def test_nothing_is_searched_when_a_process_ends(before: str, told: str) -> None:
    assert printed(LEFT.format(before=before)) == told


def test_definitions_are_loaded_with_few_searches() -> None:
    assert int(printed(LOADED)) < 40  # of more than a thousand
