"""The GPUs that a container sees, and those that its step gets."""

import os

COUNT = "CV_NODE_GPUS"
"""Where a node has no NVIDIA driver to ask, its owner says how many there are."""


def visible_devices() -> list[int]:
    """Numbers of the GPUs that are there: as the driver says, else as CV_NODE_GPUS says."""
    stated = stated_gpus()
    return list(range(_count_by_driver() if stated is None else stated))


def stated_gpus() -> int | None:
    """How many there are in the words of CV_NODE_GPUS; None where it does not say."""
    stated = os.environ.get(COUNT, "")
    return int(stated) if stated.isdigit() else None


def _count_by_driver() -> int:
    try:
        import pynvml
    except ImportError:
        return 0
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0
    try:
        return int(pynvml.nvmlDeviceGetCount())
    finally:
        pynvml.nvmlShutdown()


def environment_for(devices: tuple[int, ...]) -> dict[str, str]:
    """What makes CUDA see these devices and no others, numbered as on the node."""
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(map(str, devices))}
