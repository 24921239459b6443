"""How long work took before, and so how long it may take again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dagster import AssetKey, DagsterInstance, EventLogRecord

_EARLIER = 20
"""So many of the newest materializations of an asset are looked at."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of all steps one after the other, of those assets that were made before.

    Attributes:
        seconds: their sum; what starting a run and its checks take is not in it.
        unknown: assets that nothing is known of.
    """

    seconds: float
    unknown: list[str]


def estimate(instance: DagsterInstance, targets: Mapping[AssetKey, Sequence[str]]) -> Estimate:
    """How long it may take to make partitions, by the median of each asset's earlier steps."""
    usual = {asset: usual_seconds(instance, asset) for asset in targets}
    seconds = sum((usual[asset] or 0.0) * len(partitions) for asset, partitions in targets.items())
    return Estimate(seconds, [asset.to_user_string() for asset in targets if usual[asset] is None])


def usual_seconds(instance: DagsterInstance, asset: AssetKey) -> float | None:
    """The median duration of an asset's step, for whichever partition; None before the first.

    Steps that found nothing to do say little about those that will: they count where there is no other.
    """
    records = instance.fetch_materializations(asset, limit=_EARLIER).records
    worked = [record for record in records if not _found_nothing_to_do(record)]
    seconds = [took for record in worked or records if (took := _step_seconds(instance, record)) is not None]
    return median(seconds) if seconds else None


def _found_nothing_to_do(record: EventLogRecord) -> bool:
    materialization = record.asset_materialization
    unchanged = materialization.metadata.get("unchanged") if materialization else None
    return unchanged is not None and unchanged.value is True


def _step_seconds(instance: DagsterInstance, record: EventLogRecord) -> float | None:
    step = record.event_log_entry.step_key
    if step is None:  # told by a person, not made by a step
        return None
    for stats in instance.get_run_step_stats(record.run_id, [step]):
        if stats.start_time is not None and stats.end_time is not None:
            return stats.end_time - stats.start_time
    return None
