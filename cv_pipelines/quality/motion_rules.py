"""What must hold of a video and its motion."""

from cv_pipelines.motion.kinds import KINDS
from cv_pipelines.quality.rule import FAULT, Rule

FEWEST_FRAMES = 2
SHORTEST_SIDE = 16
_JOINT = ("after_frame", "next_frame")

VIDEO_RULES = [
    Rule(
        "has_frames",
        f"The video has at least {FEWEST_FRAMES} frames: motion is between two.",
        "Look at the file; it may be a picture.",
        "video",
        "ExpectColumnValuesToBeBetween",
        {"column": "frames", "min_value": FEWEST_FRAMES},
        identity=("address", "frames"),
    ),
    Rule(
        "has_size",
        f"The shorter side of its picture has at least {SHORTEST_SIDE} pixels.",
        "Look at the file; it may be an icon.",
        "video",
        "ExpectColumnValuesToBeBetween",
        {"column": "short_side", "min_value": SHORTEST_SIDE},
        identity=("address", "short_side"),
    ),
    Rule(
        "has_duration",
        "It lasts longer than nothing.",
        "Its frames have no times: convert it, for instance to MP4.",
        "video",
        "ExpectColumnValuesToBeBetween",
        {"column": "seconds", "min_value": 0, "strict_min": True},
        identity=("address", "seconds"),
    ),
]

INTERVAL_RULES = [
    Rule(
        "few_invalid",
        "The motion of enough intervals is known: the others are no more than CV_MOTION_INVALID_SHARE.",
        "See the reasons: 'decode_error' is a damaged file, 'dark' and 'blurred' are what it shows. "
        "Where that is as it should be, set CV_MOTION_INVALID_SHARE.",
        "totals",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"column_A": "limit", "column_B": "invalid_share", "or_equal": True},
        identity=("invalid_share", "limit"),
    ),
    Rule(
        "intervals_cover_video",
        "The intervals follow each other from the first frame that was asked for to the last.",
        FAULT,
        "joints",
        "ExpectColumnValuesToBeInSet",
        {"column": "seamless", "value_set": [True]},
        identity=_JOINT,
    ),
]

REGION_RULES = [
    Rule(
        "regions_tile_video",
        "The regions follow each other from the first frame to the last, without gap or overlap.",
        FAULT,
        "joints",
        "ExpectColumnValuesToBeInSet",
        {"column": "seamless", "value_set": [True]},
        identity=_JOINT,
    ),
    Rule(
        "known_kinds",
        "Every region is of a kind that has a name.",
        FAULT,
        "regions",
        "ExpectColumnValuesToBeInSet",
        {"column": "kind", "value_set": list(KINDS)},
        identity=("start_frame", "kind"),
    ),
]

THUMBNAIL_RULES = [
    Rule(
        "every_stretch_has_a_picture",
        "There is a picture of every static stretch.",
        "These frames are damaged: copy the video again, if a better copy can be had.",
        "stretches",
        "ExpectColumnValuesToBeInSet",
        {"column": "problem", "value_set": [""]},
        blocking=False,
        identity=("frame", "problem"),
    ),
]

MOTION_RULES = {
    "video_catalog": VIDEO_RULES,
    "camera_motion": INTERVAL_RULES,
    "motion_regions": REGION_RULES,
    "static_thumbnails": THUMBNAIL_RULES,
}
