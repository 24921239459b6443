"""The states of a task, everywhere."""

from typing import Literal

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "expired", "rejected"]
UNFINISHED: tuple[State, ...] = ("queued", "running")
FINAL: tuple[State, ...] = ("succeeded", "failed", "cancelled", "expired", "rejected")
