"""What a guard starts: it loads Dagster while the guard asks for permission, and then runs the command."""

import json
import os
import sys
from collections.abc import Sequence

PERMISSION_FD = "CV_PERMISSION_FD"
"""Names where the process reads whether it may go on, and with which further environment."""


def is_dagster_step(command: Sequence[str]) -> bool:
    """Whether this is Dagster's own command for a step, which can be run in this process."""
    return list(command[:3]) == ["dagster", "api", "execute_step"] or (
        len(command) > 4 and list(command[1:5]) == ["-m", "dagster", "api", "execute_step"]
    )


def main(command: Sequence[str]) -> None:
    """Wait for permission, and become the command; without it end, having done nothing."""
    in_here = is_dagster_step(command)
    if in_here:
        import dagster._cli  # a second, which the guard needs as well for its own beginning
    with os.fdopen(int(os.environ.pop(PERMISSION_FD))) as permission:
        answer = permission.readline()
    if not answer:
        sys.exit(1)
    os.environ.update(json.loads(answer))
    if not in_here:
        os.execvp(command[0], list(command))  # noqa: S606 - as the executor has put it together
    sys.argv = ["dagster", *command[command.index("api") :]]
    dagster._cli.main()


if __name__ == "__main__":
    main(sys.argv[1:])
