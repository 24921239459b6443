"""That a training does not ask the system for the same memory step by step."""

import platform
import subprocess
import sys

import pytest

from cv_pipelines.settings import ROOT

STEPS = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from cv_pipelines.models.allocator import keep_freed_memory

def step(_):
    return len([np.ones(400_000) for _ in range(12)])

if sys.argv[1] == "kept":
    keep_freed_memory()
with ThreadPoolExecutor(1) as thread:  # as a library's own threads do
    thread.submit(step, 0).result()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    list(thread.map(step, range(50)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages_asked_for(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", STEPS, how], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_memory_that_a_step_frees_is_there_for_the_next() -> None:
    given_back, kept = pages_asked_for("given back"), pages_asked_for("kept")
    assert given_back > 1000
    assert kept < given_back / 10
