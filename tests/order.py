"""Which tests run first, and which in one process, where several processes share them (`make test`).

Most slow tests wait: for daemons, containers, outages. They come first, slowest first, so that at the end no
process waits for another one's last long test; those that share servers stay together, so that these start once.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SLOW = (
    "execution/test_conformance.py",
    "deploy/test_one_host.py",
    "integration/test_production_storage.py",
    "integration/test_tasks.py",
    "execution on nodes",
    "faults/test_worker_nodes.py",
    "integration/test_backfill.py",
    "docs/test_commands.py[writing-a-model]",
    "docs/test_commands.py[README]",
    "docs/test_commands.py[first-dataset]",
    "docs/test_commands.py[messaging]",
    "swarm as seen",
    "docs/test_commands.py[detections]",
    "docs/test_commands.py[reviewing-labels]",
    "docs/test_commands.py[label-versions]",
    "docs/test_commands.py[sources]",
    "integration/test_sync.py",
    "integration/test_cli.py",
    "faults/test_tasks_daemons.py",
    "integration/test_swarm.py",
    "integration/test_deleting.py",
    "integration/test_backup.py",
    "integration/test_sources.py",
    "faults/test_killed_loop.py",
    "motion/test_exactness.py",
    "motion/test_analysis.py",
    "cli/test_motion_files.py",
    "models/architectures/test_applications.py",
    "integration/test_versions.py",
    "faults/test_killed_ingest.py",
    "tasks/ledger/test_machine.py",
    "integration/test_automation.py",
    "browser/test_train.py",
    "browser/test_ui.py",
    "browser/test_upload.py",
    "docs/test_commands.py[storage]",
    "docs/test_commands.py[deleting]",
    "tasks/work/test_classify_images.py",
    "faults/test_tasks_broker.py",
    "execution/guard/test_guard.py",
)
"""The rest takes less than 20 s a file."""

_TOGETHER = {
    "execution/test_swarm_executor.py": "execution on nodes",
    "execution/test_run_containers.py": "execution on nodes",
    "execution/test_lost_answer.py": "execution on nodes",
    "integration/test_nodes.py": "swarm as seen",
    "integration/test_cuda_in_container.py": "swarm as seen",
    "docs/test_commands.py[worker-nodes]": "swarm as seen",
}
_APART = ("docs/test_commands.py",)
"""Files whose tests share nothing but by their parameter."""


def group_of(nodeid: str) -> str:
    """The tests that a test stays together with: those of its file, where nothing else is said."""
    path, _, name = nodeid.removeprefix("tests/").partition("::")
    parameter = name.rpartition("[")[2] if name.endswith("]") and path in _APART else ""
    group = f"{path}[{parameter}" if parameter else path
    return _TOGETHER.get(group, group)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow groups first."""
    rank = {group: number for number, group in enumerate(SLOW)}
    items.sort(key=lambda item: rank.get(group_of(item.nodeid), len(rank)))


class Together(LoadScopeScheduling):
    """Hands out whole groups, in their order, to whoever has nothing to do."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """With `--dist loadscope`, groups are handed out (the marks for xdist's own ones need pytest < 9.2)."""
    return Together(config, log) if config.getvalue("dist") == "loadscope" else None
