"""What the camera does in each piece of a video.

Nothing here is decided by one interval alone: speeds are means over a window (`smoothing`), a motion once begun
lasts until it falls below a lower threshold (hysteresis in both directions of time, as of edges: Canny 1986), a
pan keeps its direction until it has clearly left its sector, and shake is told from pan by what is left of its way
over a longer window. The windows are laid over the way as a line between the frames that were looked at, so that
every stride sees the same; but a shake that is faster than half of the frames looked at may hide between
them.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.motion.thresholds import Thresholds
from cv_pipelines.motion.track import Floats, Track

Kind = Literal[
    "static",
    "pan_E",
    "pan_NE",
    "pan_N",
    "pan_NW",
    "pan_W",
    "pan_SW",
    "pan_S",
    "pan_SE",
    "zoom_in",
    "zoom_out",
    "pan_zoom_in",
    "pan_zoom_out",
    "roll",
    "shake",
    "cut",
    "dark",
    "invalid",
    "unknown",
]
"""What the camera does. `pan_E`: it turns to the east, its picture moves to the left; north is up. `pan_zoom_in`
and `pan_zoom_out` are both at once. `roll` is a turn about the line of sight. `invalid` frames show too little to
tell (blurred, textureless), could not be decoded, or were not analysed. `unknown` comes from the published rule
only: it moves, by less than that rule has a name for."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Flags = NDArray[np.bool_]
_CODE = {kind: code for code, kind in enumerate(KINDS)}
_OF_REASON = {"cut": _CODE["cut"], "dark": _CODE["dark"]}
_GRID = 1 / 15
"""Seconds between the points at which the way to and fro is measured: finer, it would be the noise of
estimates."""

_FEWEST_TURNS = 3
"""Of a shake: a camera that pans there and back turns once, or twice."""
_STEADY = 4
"""The direction of a pan is that of this many windows: an angle is less certain than a speed."""


def kinds_of(track: Track, limits: Thresholds) -> NDArray[np.int8]:
    """The kind of each piece, shape (n,), as a place in `KINDS`."""
    velocity = _velocity(track, limits.smoothing)
    pan, zoom, roll = np.hypot(velocity[:, 0], velocity[:, 1]), np.abs(velocity[:, 2]), np.abs(velocity[:, 3])
    pans, zooms, rolls = (
        _lasting(track.valid & (speed > limit), track.valid & (speed > limit * limits.release))
        for speed, limit in ((pan, limits.pan_speed), (zoom, limits.zoom_speed), (roll, limits.roll_speed))
    )
    # what zoom and roll move at the edge, half a width from the centre
    zoom_edge, roll_edge = zoom / 2, roll / 2
    rolls &= roll_edge > np.maximum(pan * pans, zoom_edge * zooms)
    both = pans & zooms & (np.minimum(pan, zoom_edge) >= limits.mix * np.maximum(pan, zoom_edge))
    # where a pan turns into a zoom, both are in the window for a moment
    pieces = np.diff(track.seconds)
    both = _longer(both, pieces, 2 * np.maximum(limits.smoothing, pieces))
    inward = velocity[:, 2] > 0
    moving = np.select(
        [rolls, both, pans & ~(zooms & (zoom_edge > pan)), zooms],
        [
            np.full(len(pan), _CODE["roll"]),
            np.where(inward, _CODE["pan_zoom_in"], _CODE["pan_zoom_out"]),
            _CODE["pan_E"] + _sectors(_velocity(track, _STEADY * limits.smoothing), pans, limits.turn),
            np.where(inward, _CODE["zoom_in"], _CODE["zoom_out"]),
        ],
        _CODE["static"],
    )
    shakes = _shakes(track, limits)
    moving[shakes | _swings(shakes, (pans | zooms | rolls) & ~shakes, pieces, limits)] = _CODE["shake"]
    nothing = np.array([_OF_REASON.get(reason, _CODE["invalid"]) for reason in track.reasons[~track.valid]], int)
    moving[~track.valid] = nothing
    return moving.astype(np.int8)


def _velocity(track: Track, window: float) -> Floats:
    """Mean speeds around each piece, shape (n, 4), a second that is known."""
    start, end = _windows(track, window)
    ways, known = _sums(track.motion), _sums((np.diff(track.seconds) * track.valid)[:, None])
    way, time = (_at(track, sums, end) - _at(track, sums, start) for sums in (ways, known))
    return np.divide(way, time, out=np.zeros_like(way), where=time > 0)


def _windows(track: Track, window: float) -> tuple[Floats, Floats]:
    """Start and end of the window around each piece: not smaller than the piece, and within its shot."""
    (first, last), middle = track.shots, (track.seconds[:-1] + track.seconds[1:]) / 2
    half = np.maximum(window, np.diff(track.seconds)) / 2
    return np.maximum(middle - half, first), np.minimum(middle + half, last)


def _shakes(track: Track, limits: Thresholds) -> Flags:
    """Where the camera goes to and fro: a long way, of which little is left.

    A turn after a long pan also comes back, but then at least half of the way is left of the window's halves.
    """
    grid = np.linspace(0, track.seconds[-1], 2 + int(track.seconds[-1] / _GRID))
    ways = _sums(track.motion) * [1, 1, 0.5, 0.5]
    steps = np.diff(_interpolated(grid, track.seconds, ways), axis=0)
    along = _sums(np.linalg.norm(steps, axis=1)[:, None])

    def path(start: Floats, end: Floats) -> Floats:
        return np.interp(end, grid, along[:, 0]) - np.interp(start, grid, along[:, 0])

    def net(start: Floats, end: Floats) -> Floats:
        return np.asarray(np.linalg.norm(_at(track, ways, end) - _at(track, ways, start), axis=1), np.float64)

    (first, last), middle = track.shots, (track.seconds[:-1] + track.seconds[1:]) / 2
    start = np.clip(middle - limits.shake_seconds / 2, first, np.maximum(first, last - limits.shake_seconds))
    end = np.minimum(start + limits.shake_seconds, last)
    halfway, way = (start + end) / 2, path(start, end)
    back = (way > limits.shake_speed * limits.shake_seconds) & (net(start, end) < limits.shake_net * way)
    again = net(start, halfway) + net(halfway, end) < limits.shake_net * way
    near, until = _windows(track, max(limits.smoothing, limits.shake_seconds / 3))
    lively = path(near, until) > limits.release * limits.shake_speed * (until - near)
    shakes = np.asarray(track.valid & _lasting(back & again, back) & lively, np.bool_)
    return shakes & _turning(shakes, _velocity(track, limits.smoothing), limits.release * limits.shake_speed)


def _turning(flags: Flags, velocity: Floats, least: float) -> Flags:
    """The unbroken stretches in which motion turns back several times, along the line on which most of it lies.

    Args:
        flags: shape (n,).
        velocity: shape (n, 4), as `_velocity` has it.
        least: widths a second; a speed below it has no direction.
    """
    turning = np.zeros(len(flags), bool)
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    for start, stop in edges.tolist():
        moved = velocity[start:stop] * [1, 1, 0.5, 0.5]
        along = moved @ np.linalg.svd(moved, full_matrices=False)[2][0]
        turns = np.diff(np.sign(along[np.abs(along) > least]))
        turning[start:stop] = np.count_nonzero(turns) >= _FEWEST_TURNS
    return turning


def _swings(shakes: Flags, moves: Flags, pieces: Floats, limits: Thresholds) -> Flags:
    """Moves beside a shake that are too short to be its end: its first and last swing."""
    beside = np.append(False, shakes[:-1]) | np.append(shakes[1:], False)
    return _lasting(beside & moves, moves) & ~_longer(
        moves, pieces, np.full(len(pieces), limits.shake_seconds / 2)
    )


def _sectors(velocity: Floats, pans: Flags, margin: float) -> NDArray[np.int64]:
    """The eighth of the compass that each pan points to, counted from the east to the north; it sticks."""
    angles = _angles(velocity)
    sectors, current = np.rint(angles / 45).astype(np.int64) % 8, -1
    off = np.flatnonzero(pans)
    for place, began, angle, sector in zip(
        off.tolist(),
        (np.diff(off, prepend=-2) > 1).tolist(),
        angles[off].tolist(),
        sectors[off].tolist(),
        strict=True,
    ):
        away = abs((angle - current * 45 + 180) % 360 - 180)
        if began or away > 22.5 + margin:
            current = sector
        sectors[place] = current
    return sectors


def pan_towards(ways: Floats) -> NDArray[np.int64]:
    """The kind of a pan on which the content goes such ways, x and y; shape (n,), places in `KINDS`."""
    return _CODE["pan_E"] + np.rint(_angles(ways) / 45).astype(np.int64) % 8


def is_pan(kinds: NDArray[np.int64]) -> Flags:
    """Which kinds are pans and nothing else."""
    return (kinds >= _CODE["pan_E"]) & (kinds <= _CODE["pan_SE"])


def _angles(ways: Floats) -> Floats:
    """Degrees from the east to the north: the content moves against the camera, and y goes down."""
    return np.asarray(np.degrees(np.arctan2(ways[:, 1], -ways[:, 0])) % 360, np.float64)


def _longer(flags: Flags, pieces: Floats, least: Floats) -> Flags:
    """The unbroken stretches of `flags` that last longer than any of their pieces asks for, in seconds."""
    stretch = np.cumsum(flags & ~np.append(False, flags[:-1])) * flags
    lasts = np.bincount(stretch, pieces)
    return np.asarray(flags & (lasts[stretch] > least), np.bool_)


def _lasting(strong: Flags, weak: Flags) -> Flags:
    """The unbroken stretches of `weak` in which some place is `strong`."""
    stretch = np.cumsum(weak & ~np.append(False, weak[:-1]))
    has = np.zeros(int(stretch[-1]) + 1, bool)
    has[stretch[strong & weak]] = True
    return np.asarray(weak & has[stretch], np.bool_)


def _sums(values: Floats) -> Floats:
    """Shape (n + 1, k): what has come together when each piece starts, and at the end."""
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])


def _at(track: Track, sums: Floats, moments: Floats) -> Floats:
    return _interpolated(moments, track.seconds, sums)


def _interpolated(moments: Floats, at: Floats, sums: Floats) -> Floats:
    return np.stack([np.interp(moments, at, column) for column in sums.T], axis=1)
