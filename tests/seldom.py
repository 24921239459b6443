"""Tests that take so long that only `make faults` runs them."""

import os

import pytest

SELDOM = pytest.mark.skipif("CV_FAULT_SEEDS" not in os.environ, reason="takes long: make faults")
