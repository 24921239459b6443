"""Queues as lists, the plain way, against queues as masks and permutations."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.web.image_index import Rows
from cv_pipelines.web.labelling.queues import (
    Cut,
    Mask,
    cut_after,
    cut_before,
    least_sure_first,
    neighbours,
    newest_first,
    place_in,
    ranked_first,
)


@st.composite
def queues(draw: st.DrawFn) -> tuple[Mask, Rows | None]:
    inside = draw(st.lists(st.booleans(), min_size=1, max_size=12))
    order = draw(st.none() | st.permutations(range(len(inside))))
    return np.array(inside), None if order is None else np.array(order)


def rows_of(queue: tuple[Mask, Rows | None]) -> list[int]:
    """All rows in the order of the queue, also those that it does not have."""
    mask, order = queue
    return list(range(len(mask))) if order is None else order.tolist()


def told(cut: Cut) -> tuple[list[int], int, int, int | None]:
    return cut.rows.tolist(), cut.start, cut.total, cut.earlier


@given(queues(), st.integers(0, 13), st.integers(1, 5))
def test_a_page_after_a_place(queue: tuple[Mask, Rows | None], place: int, most: int) -> None:
    every, mask = rows_of(queue), queue[0]
    earlier = [row for row in every[:place] if mask[row]]
    later = [row for row in every[place:] if mask[row]]

    cut = cut_after(*queue, place, most)

    last = earlier[-1] if earlier else None
    assert told(cut) == (later[:most], len(earlier), len(earlier) + len(later), last)


@given(queues(), st.integers(0, 13), st.integers(1, 5))
def test_a_page_before_a_place_is_never_shorter_than_the_first(
    queue: tuple[Mask, Rows | None], place: int, most: int
) -> None:
    every, mask = rows_of(queue), queue[0]
    chosen = [row for row in every if mask[row]]
    earlier = [row for row in every[:place] if mask[row]]

    cut = cut_before(*queue, place, most)

    assert cut.rows.tolist() == (earlier[-most:] if len(earlier) > most else chosen[:most])
    assert chosen[cut.start : cut.start + len(cut.rows)] == cut.rows.tolist()
    assert cut.end <= cut.total == len(chosen)


@given(queues(), st.integers(1, 5), st.data())
def test_pages_show_every_image_once_though_those_already_seen_leave(
    queue: tuple[Mask, Rows | None], most: int, data: st.DataObject
) -> None:
    mask, order = queue
    wanted, seen, place = [row for row in rows_of(queue) if mask[row]], list[int](), 0
    while len(cut := cut_after(mask, order, place, most).rows):
        seen += cut.tolist()
        mask[cut[data.draw(st.lists(st.integers(0, len(cut) - 1)))]] = False
        place = place_in(order, seen[-1]) + 1

    assert seen == wanted


@given(queues(), st.data())
def test_neighbours_of_an_image_that_need_not_be_in_the_queue(
    queue: tuple[Mask, Rows | None], data: st.DataObject
) -> None:
    (mask, order), every = queue, rows_of(queue)
    row = data.draw(st.sampled_from(every))
    place = every.index(row)
    before = [one for one in every[:place] if mask[one]]
    after = [one for one in every[place + 1 :] if mask[one]]

    found = neighbours(mask, order, place_in(order, row))

    assert found == (before[-1] if before else None, after[0] if after else None)


@given(st.lists(st.floats(0, 5, width=32) | st.just(float("nan"))))
def test_images_that_the_model_is_least_sure_of_come_first_those_it_has_not_seen_last(
    entropies: list[float],
) -> None:
    def key(row: int) -> tuple[bool, float, int]:
        unseen = entropies[row] != entropies[row]
        return unseen, 0 if unseen else -entropies[row], row

    order = least_sure_first(np.array(entropies, np.float32))

    assert order.tolist() == sorted(range(len(entropies)), key=key)


@given(st.lists(st.integers(1, 100), unique=True), st.integers(0, 3), st.randoms())
def test_what_was_said_last_comes_first(numbers: list[int], never: int, random: np.random.Generator) -> None:
    events = [*numbers, *[0] * never]
    random.shuffle(events)

    order = newest_first(np.array(events, np.int64))

    assert order.tolist() == sorted(range(len(events)), key=lambda row: (-events[row], row))


def test_a_list_comes_before_all_others() -> None:
    assert ranked_first(np.array([3, 1]), 5).tolist() == [3, 1, 0, 2, 4]
