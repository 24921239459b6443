"""Which tests run first, and which in one process, where several processes share them (`make test`).

Most slow tests wait: for daemons, containers, outages. They come first, slowest first, so that at the end no
process waits for another one's last long test; those that share servers stay together, so that these start once.
"""

import pytest

SLOW = (
    "execution/test_conformance.py[swarm]",
    "deploy/test_one_host.py",
    "integration/test_production_storage.py",
    "integration/test_tasks.py",
    "execution on nodes",
    "faults/test_worker_nodes.py",
    "integration/test_backfill.py",
    "execution/test_conformance.py[fake]",
    "faults/test_lost_runs.py",
    "docs/test_commands.py[writing-a-model]",
    "docs/test_commands.py[README]",
    "docs/test_commands.py[first-dataset]",
    "docs/test_commands.py[messaging]",
    "swarm as seen",
    "docs/test_commands.py[sources]",
    "integration/test_sync.py",
    "integration/test_cli.py",
    "faults/test_tasks_daemons.py",
    "integration/test_swarm.py",
    "integration/test_deleting.py",
    "integration/test_backup.py",
    "integration/test_sources.py",
    "faults/test_killed_loop.py",
    "models/architectures/test_applications.py",
    "integration/test_versions.py",
    "faults/test_killed_ingest.py",
    "faults/test_tasks_daemon_crashes.py",
    "tasks/ledger/test_machine.py",
    "integration/test_automation.py",
    "browser/test_ui.py",
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
_APART = ("docs/test_commands.py", "execution/test_conformance.py")
"""Files whose tests share nothing but by their parameter."""


def group_of(nodeid: str) -> str:
    """The tests that a test stays together with: those of its file, where nothing else is said."""
    path, _, name = nodeid.removeprefix("tests/").partition("::")
    parameter = name.rpartition("[")[2] if name.endswith("]") and path in _APART else ""
    group = f"{path}[{parameter}" if parameter else path
    return _TOGETHER.get(group, group)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow groups first, and tell xdist which test belongs to which."""
    rank = {group: number for number, group in enumerate(SLOW)}
    groups = {item: group_of(item.nodeid) for item in items}
    items.sort(key=lambda item: rank.get(groups[item], len(rank)))
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group.translate({ord("["): " ", ord("]"): None})))
