"""The colours of the kinds of regions, in every picture the same."""

from cv_pipelines.motion.kinds import KINDS

# Okabe and Ito's, which people with any kind of colour blindness tell apart; greys for what is no motion
GROUPS: dict[str, str] = {
    "static": "#009e73",
    "pan": "#56b4e9",
    "zoom": "#e69f00",
    "pan with zoom": "#cc79a7",
    "roll": "#0072b2",
    "shake": "#d55e00",
    "unknown": "#f0e442",
    "cut": "#000000",
    "dark": "#4d4d4d",
    "invalid": "#bdbdbd",
}
"""Kinds as a legend has them: a direction is no colour of its own, for nobody tells fifteen apart."""
_OF_KIND: dict[str, str] = {
    kind: "pan with zoom" if kind.startswith("pan_zoom") else kind.split("_")[0] for kind in KINDS
}


def group_of(kind: str) -> str:
    """The entry of a legend that a kind belongs to."""
    return _OF_KIND[kind]


def colour_of(kind: str) -> str:
    """The colour of a kind, as `#rrggbb`."""
    return GROUPS[group_of(kind)]


def mark_of(kind: str) -> str:
    """What tells a kind from the others of its colour: `NE`, `in`; empty where there are none."""
    return kind.rpartition("_")[2] if "_" in kind else ""
