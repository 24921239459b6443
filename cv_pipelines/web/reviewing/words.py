"""Figures in words."""

# the least kappa of each word; J. R. Landis and G. G. Koch, The Measurement of Observer Agreement for Categorical
# Data, 1977, whose division is a habit of the field, and arbitrary as they say themselves
_OF_KAPPA = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"), (0.0, "slight"))


def kappa_word(kappa: float | None) -> str:
    """How good an agreement is; empty where there is no figure."""
    if kappa is None:
        return ""
    return next((word for least, word in _OF_KAPPA if kappa > least), "none")


def share(figure: float | None) -> str:
    """A part of one in per cent; a dash where there is nothing to tell it from."""
    return "–" if figure is None else f"{figure:.0%}"


def decimals(figure: float | None) -> str:
    """A figure to two decimals, likewise."""
    return "–" if figure is None else f"{figure:.2f}".replace("-", "−")
