"""What a format cannot hold, told by all of them in the same words."""

from cv_pipelines.annotations.annotation import Attributes, Box, Ring, joined
from cv_pipelines.annotations.exchange import Exchange


def lose_others(attributes: Attributes, held: set[str], where: str, exchange: Exchange) -> None:
    """Note the attributes that a format does not hold."""
    for name in attributes:
        if name not in held:
            exchange.report.loss(f"the attribute '{name}'", where)


def lose_outline(box: Box, where: str, exchange: Exchange) -> None:
    """Note that an object keeps only its box, where it has more."""
    if box.outline:
        exchange.report.loss("outlines: only the boxes around them are written", where)


def one_ring(box: Box, where: str, exchange: Exchange) -> Ring:
    """The outline of an object as the one ring that a format holds; notes where it has several."""
    if len(box.outline) > 1:
        exchange.report.loss("outlines of several rings: joined by lines of no width", where)
    return joined(box.outline)
