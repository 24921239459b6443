"""The tables that the rules of motion look at, by asset."""

from collections.abc import Sequence
from fractions import Fraction

import pandas as pd

from cv_pipelines.catalog import Catalog
from cv_pipelines.motion.settings import load_motion_settings

Tables = dict[str, pd.DataFrame]


def video_tables(catalog: Catalog, key: str) -> Tables:
    """`video`, one row."""
    facts = catalog.open(catalog.require("video_catalog", key)).facts
    row = {"address": facts["address"], "frames": facts["frames"]}
    row |= {"short_side": min(facts["width"], facts["height"]), "seconds": float(Fraction(facts["duration"]))}
    return {"video": pd.DataFrame([row])}


def interval_tables(catalog: Catalog, key: str) -> Tables:
    """`totals`, one row; `joints` between one interval and the next, with both ends of the video."""
    bundle = catalog.open(catalog.require("camera_motion", key))
    facts = bundle.facts
    table = bundle.table("intervals", ["from_frame", "to_frame"])
    starts, ends = table["from_frame"].to_pylist(), table["to_frame"].to_pylist()
    # frames that are fewer than a stride have no interval
    last = facts["last"] - (facts["last"] - facts["first"]) % facts["stride"]
    limit = load_motion_settings().invalid_share
    totals = pd.DataFrame([{"invalid_share": facts["invalid_share"], "limit": limit}])
    return {"totals": totals, "joints": _joints([facts["first"], *ends], [*starts, last])}


def region_tables(catalog: Catalog, key: str) -> Tables:
    """`regions`; `joints` between one region and the next, with both ends of the video."""
    bundle = catalog.open(catalog.require("motion_regions", key))
    regions = bundle.table("regions", ["start_frame", "end_frame", "kind"])
    starts, ends = regions["start_frame"].to_pylist(), regions["end_frame"].to_pylist()
    joints = _joints([1, *(end + 1 for end in ends)], [*starts, bundle.facts["frames"] + 1])
    return {"regions": regions.to_pandas(), "joints": joints}


def thumbnail_tables(catalog: Catalog, key: str) -> Tables:
    """`stretches`, one row each."""
    stretches = catalog.open(catalog.require("static_thumbnails", key)).facts["stretches"]
    return {"stretches": pd.DataFrame(stretches, columns=["frame", "problem"])}


def _joints(expected: Sequence[int], found: Sequence[int]) -> pd.DataFrame:
    """Where a piece should start, and where it does."""
    joints = pd.DataFrame({"after_frame": expected, "next_frame": found})
    return joints.assign(seamless=joints["after_frame"] == joints["next_frame"])


MOTION_TABLES = {
    "video_catalog": video_tables,
    "camera_motion": interval_tables,
    "motion_regions": region_tables,
    "static_thumbnails": thumbnail_tables,
}
