"""The large view in tests: where a pixel is on the screen, drawing, waiting until all is saved."""

from typing import Any

from playwright.sync_api import Page, expect


def show(page: Page, url: str, image: str, dataset: str = "street", query: str = "") -> None:
    page.goto(f"{url}/datasets/{dataset}/images/{image}{query}")
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator("#name")).not_to_have_text("…")
    expect(page.locator("#picture")).to_have_js_property("complete", True)
    expect(page.locator("#state")).not_to_be_empty()


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the image is on the screen, by where the browser shows the picture."""
    box = page.locator("#picture").bounding_box()
    assert box
    width, height = page.locator("#picture").evaluate("one => [one.offsetWidth, one.offsetHeight]")
    return box["x"] + x * box["width"] / width, box["y"] + y * box["height"] / height


def pixel_under(page: Page, x: float, y: float) -> tuple[float, float]:
    """Which pixel of the image is at a place of the screen."""
    (left, top), (right, bottom) = on_screen(page, 0, 0), on_screen(page, 400, 300)
    return (x - left) / (right - left) * 400, (y - top) / (bottom - top) * 300


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one pixel of the image to another."""
    page.mouse.move(*on_screen(page, *start))
    page.mouse.down()
    page.mouse.move(*on_screen(page, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    page.mouse.move(*on_screen(page, *end))
    page.mouse.up()


def draw(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.keyboard.press("b")
    drag(page, start, end)


def click(page: Page, x: float, y: float, **options: Any) -> None:
    page.mouse.click(*on_screen(page, x, y), **options)


def saved(page: Page, seconds: float = 5) -> None:
    expect(page.locator("#state")).to_have_text("Saved", timeout=seconds * 1000)


def objects(page: Page) -> Any:
    return page.get_by_role("listbox", name="Objects").get_by_role("option")
