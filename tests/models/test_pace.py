from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.models.pace import STEPS, step_size


@given(st.integers(1, 100_000), st.integers(1, 4096))
def test_a_step_takes_as_many_images_as_leave_enough_steps_and_never_more_than_was_asked(
    images: int, most: int
) -> None:
    size = step_size(images, most)
    assert 1 <= size <= most
    if size < most:
        assert size >= 16
    if size > 16:
        assert images // size >= STEPS


def test_many_images_make_steps_as_large_as_was_asked() -> None:
    assert [step_size(images, 64) for images in (42, 400, 1023, 1024, 60_000)] == [16, 25, 63, 64, 64]
    assert step_size(60_000, 8) == 8
