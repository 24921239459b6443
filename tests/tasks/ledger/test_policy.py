from itertools import pairwise

import pytest

from cv_pipelines.tasks.ledger.policy import MOST_ATTEMPTS, company, retry_delay


@pytest.mark.parametrize(
    ("source", "attempts"),
    [("input", 1), ("submission", 1), ("internal", 2), ("resource", 4), ("infrastructure", 4)],
)
def test_the_source_of_an_error_decides_how_often_a_task_is_tried(source: str, attempts: int) -> None:
    delays = [retry_delay(source, made) for made in range(1, 7)]  # type: ignore[arg-type]

    assert [delay is not None for delay in delays] == [made < attempts for made in range(1, 7)]
    assert all(0 < one < other <= 60 for one, other in pairwise(delay for delay in delays if delay is not None))


def test_every_source_has_a_bound() -> None:
    assert set(MOST_ATTEMPTS) == {"input", "submission", "internal", "resource", "infrastructure"}
    assert max(MOST_ATTEMPTS.values()) == 4


@pytest.mark.parametrize(
    ("most", "companies"),
    [(10_000, [10_000, 1000, 100, 1, 1]), (1000, [1000, 100, 10, 1, 1]), (1, [1, 1, 1, 1, 1])],
)
def test_a_task_is_tried_again_in_smaller_company_until_it_is_alone(most: int, companies: list[int]) -> None:
    assert [company(most, attempts) for attempts in range(5)] == companies
