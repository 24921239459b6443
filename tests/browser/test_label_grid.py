"""The label page in a real browser: labels by keys that survive reloads, quarrels and a server that dies."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.label_field import Field, current, go, name_of, saved, tiles
from tests.browsers import keep, opened
from tests.web_site import EVIL


def test_fifty_images_are_labelled_with_keys_and_are_there_after_a_reload(
    field: Field, ann: Page, tmp_path: Path
) -> None:
    for number in range(50):
        ann.keyboard.press(str(number % 9 + 1))
    saved(ann)
    expect(current(ann)).to_have_attribute("data-id", field.ids[50])
    expect(current(ann)).to_be_focused()
    keep(ann, "grid-labelled", tmp_path)

    wanted = [[(1, "ann", f'{{"classes":[{number % 9}]}}')] for number in range(50)]
    assert [field.events(one) for one in field.ids[:50]] == wanted
    assert (field.count, field.labelled) == (50, 50)
    ann.reload()
    expect(ann.locator(".done")).to_contain_text("50 of 230 labelled")
    expect(tiles(ann).nth(49)).to_have_attribute("aria-label", f"{name_of(ann, 49)}, sheep")
    expect(tiles(ann).nth(50)).to_have_attribute("aria-label", f"{name_of(ann, 50)}, unlabelled")
    expect(current(ann)).to_have_attribute("data-id", field.ids[50])


def test_many_steps_are_undone_over_a_reload_too(field: Field, ann: Page) -> None:
    for key in "123":
        ann.keyboard.press(key)
    ann.keyboard.press("ArrowLeft")
    ann.keyboard.press("5")  # the third image anew
    saved(ann)
    ann.reload()
    ann.keyboard.press("u")
    saved(ann)
    expect(tiles(ann).nth(2)).to_have_attribute("aria-label", f"{name_of(ann, 2)}, horse")
    for _ in range(3):
        ann.keyboard.press("u")
    saved(ann)

    expect(ann.locator(".done")).to_contain_text("0 of 230 labelled")
    assert field.labelled == 0
    assert [content for _, _, content in field.events(field.ids[2])][-1] is None
    expect(ann.get_by_role("button", name="Undo")).to_be_disabled()
    ann.keyboard.press("u")
    saved(ann)
    assert field.count == 8


def test_a_press_and_its_undo_before_the_server_answers_end_as_undone(field: Field, ann: Page) -> None:
    for key in ("1", "u", "2", "u", "3"):
        ann.keyboard.press(key)
    saved(ann)
    ann.keyboard.press("u")
    ann.keyboard.press("u")
    saved(ann)

    assert field.labelled == 0
    expect(tiles(ann).first).to_have_attribute("aria-label", f"{name_of(ann, 0)}, unlabelled")


def test_many_are_chosen_labelled_and_unlabelled_with_a_question(field: Field, ann: Page, tmp_path: Path) -> None:
    tiles(ann).nth(1).click()
    tiles(ann).nth(8).click(modifiers=["Shift"])
    tiles(ann).nth(3).click(modifiers=["ControlOrMeta"])
    tiles(ann).nth(11).click(modifiers=["ControlOrMeta"])
    expect(ann.locator('.tile[aria-selected="true"]')).to_have_count(8)
    expect(ann.locator("#chosen")).to_have_text("8 chosen")
    keep(ann, "grid-chosen", tmp_path)
    ann.keyboard.press("0")
    saved(ann)
    assert field.labelled == 8
    assert {field.events(one)[-1][2] for one in field.ids[:12] if field.events(one)} == {'{"classes":[9]}'}
    expect(current(ann)).to_have_attribute("data-id", field.ids[12])

    ann.keyboard.press("ControlOrMeta+a")
    ann.keyboard.press("Delete")
    question = ann.get_by_role("dialog", name="Take labels away?")
    expect(question).to_contain_text("The labels of 8 images will be away.")
    keep(ann, "grid-question", tmp_path)
    ann.keyboard.press("Escape")
    saved(ann)
    assert field.labelled == 8
    ann.keyboard.press("Delete")
    question.get_by_role("button", name="Un-label 8").click()
    expect(ann.locator(".done")).to_contain_text("0 of 230 labelled")
    saved(ann)
    assert field.labelled == 0
    ann.keyboard.press("u")
    saved(ann)
    assert field.labelled == 8


def test_more_classes_than_keys_are_found_by_name(field: Field, ann: Page, tmp_path: Path) -> None:
    ann.keyboard.press("c")
    ann.keyboard.type("as")
    expect(ann.get_by_role("listbox", name="Classes").get_by_role("option")).to_have_count(1)
    keep(ann, "grid-palette", tmp_path)
    ann.keyboard.press("Enter")
    saved(ann)
    expect(tiles(ann).first.locator(".label")).to_have_text("wasp")
    ann.keyboard.press("c")
    ann.keyboard.type("script")
    ann.keyboard.press("Enter")
    expect(tiles(ann).nth(1).locator(".label .text")).to_have_text(EVIL)
    for key in ("Shift+1", "Shift+2"):
        ann.keyboard.press(key)
    saved(ann)
    assert field.events(field.ids[2])[-1][2] == '{"classes":[0,1]}'


def test_suggestions_are_shown_as_such_and_accepted(field: Field, ann: Page, tmp_path: Path) -> None:
    field.predict()
    ann.reload()
    last = tiles(ann).nth(199)
    expect(last.locator(".label")).to_have_text("cat?93 %")
    expect(last).to_have_attribute("aria-label", f"{name_of(ann, 199)}, the model suggests cat")
    ann.keyboard.press("a")
    ann.keyboard.press("2")
    saved(ann)
    keep(ann, "grid-suggestions", tmp_path)
    assert [field.events(one) for one in field.ids[:2]] == [[(1, "ann", f'{{"classes":[{n}]}}')] for n in (0, 1)]

    ann.get_by_role("button", name="Accept suggestions…").click()
    dialog = ann.get_by_role("dialog", name="Accept suggestions")
    expect(dialog.get_by_role("button", name="Accept 23")).to_be_enabled()
    dialog.get_by_role("slider").fill("75")
    expect(dialog).to_contain_text("115 images without a label")
    keep(ann, "grid-accept", tmp_path)
    dialog.get_by_role("button", name="Accept 115").click()
    expect(ann.locator(".done")).to_contain_text("117 of 230 labelled")
    expect(last.locator(".label.model")).to_have_text("cat")
    assert field.labelled == 117
    last.click()
    ann.keyboard.press("a")  # what the model has said becomes one's own
    saved(ann)
    assert [who for _, who, _ in field.events(field.ids[199])] == ["ann", "ann"]


def test_classes_are_added_renamed_recoloured_and_retired_with_a_question(
    field: Field, browser: Browser, url: str, tmp_path: Path
) -> None:
    with opened(browser, "status of 422") as page:
        go(page, url, field, "ann")
        change_classes(page, tmp_path)


def change_classes(ann: Page, tmp_path: Path) -> None:
    ann.keyboard.press("1")
    saved(ann)
    ann.get_by_role("button", name="Edit classes…").click()
    dialog = ann.get_by_role("dialog", name="Classes of")
    dialog.get_by_label("Name of a new class").fill("<b>ox</b>")
    ann.keyboard.press("Enter")
    expect(ann.locator("#class-list")).to_contain_text("<b>ox</b>")
    expect(ann.get_by_text("There are no classes yet.")).to_be_hidden()
    dialog.get_by_label("Name of cat", exact=True).fill("tomcat")
    ann.keyboard.press("Enter")
    expect(tiles(ann).first.locator(".label")).to_have_text("tomcat")
    dialog.get_by_label("Name of dog", exact=True).fill("horse")
    ann.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("already")
    dialog.get_by_label("Colour of tomcat").fill("#00ff00")
    expect(tiles(ann).first.locator("circle")).to_have_attribute("fill", "#00ff00")
    keep(ann, "grid-classes", tmp_path)
    dialog.get_by_role("button", name="Retire tomcat").click()
    question = ann.get_by_role("dialog", name="Retire 'tomcat'?")
    expect(question).to_contain_text("1 image bears it.")
    keep(ann, "grid-retire", tmp_path)
    question.get_by_role("button", name="Retire").click()
    expect(ann.locator("#class-list")).not_to_contain_text("tomcat")
    dialog.get_by_role("button", name="Done").click()
    expect(tiles(ann).first.locator(".label")).to_have_text("unlabelled")
    ann.keyboard.press("1")
    saved(ann)
    expect(tiles(ann).nth(1).locator(".label")).to_have_text("dog")


def test_the_labels_of_a_queue_are_taken_away_with_a_question(field: Field, ann: Page) -> None:
    ann.keyboard.press("ControlOrMeta+a")
    ann.keyboard.press("1")
    expect(tiles(ann)).to_have_count(30)
    ann.keyboard.press("2")
    saved(ann)
    assert field.labelled == 201
    ann.get_by_label("Class", exact=True).select_option(label="cat")
    expect(ann.get_by_text("1 – 200 of 200").first).to_be_visible()
    ann.get_by_role("button", name="Un-label this queue…").click()
    question = ann.get_by_role("dialog", name="Take all labels of this queue away?")
    question.get_by_role("button", name="Un-label 200").click()
    expect(ann.get_by_text("No image of this queue is like that.")).to_be_visible()
    assert field.labelled == 1
