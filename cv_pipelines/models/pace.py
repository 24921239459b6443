"""How many images make a step, and how many steps an epoch.

What a training does is decided after epochs: when it is best, when it stops. One of a step or two says nothing.
"""

STEPS = 16
"""Of an epoch, at least: few images are shown several times."""
_FEWEST = 16


def step_size(images: int, most: int) -> int:
    """Images a step, at most `most`: fewer, down to 16, where an epoch of all images has less than STEPS of it."""
    return min(most, max(_FEWEST, images // STEPS))
