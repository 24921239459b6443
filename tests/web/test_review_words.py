import pytest

from cv_pipelines.web.reviewing.words import decimals, kappa_word, share


@pytest.mark.parametrize(
    ("kappa", "word"),
    [
        (None, ""),
        (1.0, "almost perfect"),
        (0.8, "substantial"),
        (0.5, "moderate"),
        (0.21, "fair"),
        (0.1, "slight"),
    ],
)
def test_kappa_in_words(kappa: float | None, word: str) -> None:
    assert kappa_word(kappa) == word


@pytest.mark.parametrize("kappa", [0.0, -0.3])
def test_what_is_no_better_than_chance(kappa: float) -> None:
    assert kappa_word(kappa) == "by chance"


def test_figures_as_people_read_them() -> None:
    assert (share(None), share(0.836), decimals(None), decimals(-0.294)) == ("–", "84%", "–", "−0.29")
