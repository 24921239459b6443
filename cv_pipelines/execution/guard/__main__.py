"""The first process of every step's container: `python -m cv_pipelines.execution.guard [options] -- COMMAND`."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType
from uuid import uuid4

from cv_pipelines.execution.guard.child import Child, Stop

NODE, NODE_ID = "CV_NODE", "CV_NODE_ID"
"""Swarm fills in what the node is called, and what no other node is called."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Guard one step; its exit code, or 128 and the signal that it was killed with."""
    given = _parser().parse_args(arguments)
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    stop = Stop()

    def told_to_stop(_: int, __: FrameType | None) -> None:
        stop.requested = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_stop)
    return _guard(given, Child(command), stop)


def _guard(given: argparse.Namespace, child: Child, stop: Stop) -> int:
    """Load what guarding takes only now: the child loads its own libraries at the same time."""
    from cv_pipelines.database.engine import connect
    from cv_pipelines.errors import CvError
    from cv_pipelines.execution.guard.watch import NOT_MINE, Guard
    from cv_pipelines.settings import load_settings

    try:
        database = connect(load_settings().database)
    except CvError as error:
        child.kill()
        print(f"The guard cannot reach its database: {error.user_message}", file=sys.stderr)
        return NOT_MINE
    node = os.environ.get(NODE) or socket.gethostname()
    own = (database, given.lease, uuid4().hex, node, os.environ.get(NODE_ID) or node)
    guard = Guard(*own, given.lease_seconds, given.gpus, given.max_seconds, stop)
    return guard.run(child)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cv_pipelines.execution.guard", description=__doc__)
    parser.add_argument("--lease", required=True, help="id of the attempt")
    parser.add_argument("--lease-seconds", type=float, default=60.0, help="without renewal, then it is killed")
    parser.add_argument("--gpus", type=int, default=0, help="how many it gets")
    parser.add_argument("--max-seconds", type=float, default=None, help="then it is killed")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run, behind --")
    return parser


if __name__ == "__main__":
    sys.exit(main())
