from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.models.history import best_epoch, is_over


def history(*losses: float) -> list[dict[str, float]]:
    return [{"val_loss": loss} for loss in losses]


def test_the_best_epoch_is_the_first_of_the_lowest() -> None:
    assert best_epoch(history(0.5, 0.2, 0.3, 0.2)) == 1


def test_an_epoch_whose_loss_is_no_number_is_never_the_best() -> None:
    assert best_epoch(history(float("nan"), 0.5, 0.4)) == 2


def test_a_training_is_over_when_its_patience_is() -> None:
    assert not is_over([], 1)
    assert not is_over(history(0.5, 0.6), 2)
    assert is_over(history(0.5, 0.6, 0.7), 2)
    assert not is_over(history(0.5, 0.6, 0.7, 0.4), 2)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=20), st.integers(1, 5))
def test_a_training_that_goes_on_until_it_is_over_waits_exactly_its_patience(
    losses: list[float], patience: int
) -> None:
    seen: list[dict[str, float]] = []
    for loss in losses:
        seen += history(loss)
        if is_over(seen, patience):
            break
    waited = len(seen) - 1 - best_epoch(seen)
    assert waited <= patience
    assert (waited == patience) == is_over(seen, patience)
    assert len(seen) == len(losses) or waited == patience
