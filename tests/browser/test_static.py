"""The page without a server behind it, in a real browser: it paints there, as PyTorch does, and goes on without a network."""

import base64
import itertools

import pytest
from PIL import Image
from playwright.sync_api import expect

import zoo
from benchmarks.chromium import CHROMIUM
from tests.browser.conftest import ARGS, DESKTOP, PHONE
from tests.browser.static import (
    NORMS,
    PATIENCE,
    STYLES,
    Host,
    assert_painted,
    painted,
    photo_of,
    png,
    ready,
    save,
    shown,
    upload,
    visit,
    within,
)
from zoo.images import fade

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def host(folder):
    found = Host(folder)
    yield found
    found.stop()


@pytest.fixture
def tab(browser, host, request):
    """A visitor's first visit, when everything has been fetched; `tab.outside` are requests to anybody else."""
    width, height = getattr(request, "param", (1280, 900))
    context = browser.new_context(viewport={"width": width, "height": height})
    yield visit(context, host.url)
    context.close()


@pytest.fixture(scope="module")
def used(browser, host):
    """A visit for all tests that set what they look at."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield visit(context, host.url)
    context.close()


def test_it_paints_as_pytorch_does(used):
    """Issue 17."""
    used.get_by_text("768 px").click()
    for contrast, size in itertools.product([1, 0.1], [(256, 256), (333, 517), (512, 512)]):
        photo = fade(photo_of(*size), contrast)
        upload(used, photo, f"{size}-{contrast}.png")
        assert_painted(used, photo)
    assert not used.outside and not used.complaints


def test_without_the_server_it_goes_on(browser, folder):
    """Issue 17: all of it was fetched at the first visit, from the one host there is, once."""
    host, context = Host(folder), browser.new_context()
    tab = visit(context, host.url, threads=2)
    expect(tab.locator("#offline")).to_contain_text("offline", timeout=PATIENCE)
    fetched = sum(path.stat().st_size for path in folder.rglob("*") if "jspi" not in path.name)
    assert host.sent < fetched + 500_000 and host.sent - 1_800_000 < 20_000_000
    host.stop()
    tab.reload()
    ready(tab)
    assert tab.evaluate("crossOriginIsolated")  # its own doing: threads
    photo = photo_of(200, 160)
    upload(tab, photo)
    assert_painted(tab, photo)
    tab.locator(f"[data-style={STYLES[1]}]").click()
    expect(tab.locator("#about")).to_contain_text("The Scream", timeout=PATIENCE)
    assert_painted(tab, photo, STYLES[1])
    assert not tab.outside and not tab.complaints
    context.close()


def test_a_photo_a_style_and_both_pictures_kept(tab, tmp_path):
    """Issue 17: the habits of the page with a server. One's own photo hangs on the wall, the newest choice wins."""
    photo = photo_of(240, 180)
    before = tab.locator("#styles img").evaluate_all("all => all.map(image => image.src)")
    expect(tab.locator("#save-batch")).to_be_disabled()  # what is shown was painted in advance
    upload(tab, photo, "my cat.png")
    expect(tab.locator("#contrast output")).to_have_text("100")
    for place, source in enumerate(before):
        expect(tab.locator("#styles img").nth(place)).not_to_have_attribute("src", source, timeout=PATIENCE)
    for place in (1, 0, 1):
        tab.locator("#styles button").nth(place).click()
    expect(tab.locator("#about")).to_contain_text("The Scream", timeout=PATIENCE)
    expect(tab.locator("#comparison")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(tab.locator("#painting")).to_be_hidden()  # it may not be shown
    assert_painted(tab, photo, "the-scream")
    for norm, side in zip(NORMS, shown(tab), strict=True):
        saved = save(tab, f"#save-{norm}", tmp_path)
        assert saved.name == f"my cat-the-scream-{norm}.png"
        with Image.open(saved) as image:
            assert within(image.convert("RGB"), side, 0) == 1
            assert image.text["Description"].startswith("After The Scream, Edvard Munch, 1893.")
    with Image.open(save(tab, "#save-both", tmp_path)) as both:
        left, right = (both.convert("RGB").crop((x, 0, x + 240, 180)) for x in (0, both.width - 240))
        assert both.height > 180 and within(left, shown(tab)[0], 0) == within(right, shown(tab)[1], 0) == 1
    assert not tab.outside and not tab.complaints


def test_contrast_left_strength_and_colours(used):
    """What is done without a server is what zoo/images.py and zoo/finish.py do."""
    photo = photo_of(200, 150)
    upload(used, photo)
    used.locator("#contrast-range").fill("10")  # an `input` and a `change`
    expect(used.locator("#contrast output")).to_have_text("10")
    used.locator("#more summary").click()
    used.get_by_label("my photo", exact=True).check()
    expect(used.locator("#captions")).to_contain_text("Your photo")
    expect(used.locator("#comparison")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(used.locator("#info")).to_contain_text("200×150 px", timeout=PATIENCE)
    faded = fade(photo, 0.1)
    assert within(shown(used)[0], faded, 1) == 1
    paint = painted(faded, STYLES[0], "instance")
    for strength, keep in ((1, True), (0.5, False), (0, False)):
        used.locator("#keep-colours").set_checked(keep)
        used.locator("#strength").fill(str(strength))
        assert within(shown(used)[1], zoo.finish(paint, faded, strength, keep), 4) >= 0.999, (strength, keep)
    assert not used.complaints


def test_the_line_follows_finger_and_keys(used):
    used.locator("#comparison").scroll_into_view_if_needed()  # whatever the last test looked at
    box = used.locator("#comparison").bounding_box()
    at = lambda: used.locator("#comparison .line").bounding_box()["x"] + 1 - box["x"]  # noqa: E731
    assert at() == pytest.approx(box["width"] / 2, abs=2)
    used.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    used.mouse.down()
    used.mouse.move(box["x"] + 80, box["y"] + 120, steps=4)
    used.mouse.up()
    assert at() == pytest.approx(80, abs=2)
    used.locator("#comparison input").focus()
    used.keyboard.press("ArrowRight")
    assert at() > 82


@pytest.mark.parametrize(("way", "width"), [("drop", 90), ("paste", 80)])
def test_a_photo_comes_by_other_ways_and_a_bad_one_is_told(used, way, width):
    give = """([way, data, name]) => {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), given = new DataTransfer();
        given.items.add(new File([bytes], name, {type: "image/png"}));
        const about = {bubbles: true, cancelable: true, dataTransfer: given, clipboardData: given};
        document.body.dispatchEvent(way === "drop" ? new DragEvent(way, about) : new ClipboardEvent(way, about));
    }"""
    used.evaluate(give, [way, base64.b64encode(png(photo_of(width, 70))).decode(), "a.png"])
    expect(used.locator("#info")).to_contain_text(f"{width}×70 px", timeout=PATIENCE)
    for content, told in ((b"no picture", "cannot read b.png as a picture"), (png(photo_of(20, 40)), "at least 32 px")):
        used.evaluate(give, [way, base64.b64encode(content).decode(), "b.png"])
        expect(used.locator("#message")).to_contain_text(told)
    assert not used.complaints


def test_the_camera_is_painted_as_it_comes_and_a_frame_is_kept(browser, host):
    """Chromium brings a camera of its own: moving colours."""
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=[*ARGS, *fake])
    tab = visit(other.new_context(), host.url)
    tab.locator("#camera").click()
    expect(tab.locator("#info")).to_contain_text("frames/s", timeout=PATIENCE)
    expect(tab.locator("#info")).to_contain_text("192×")
    tab.locator("#shoot").click()
    expect(tab.locator("#info")).to_contain_text("512×", timeout=PATIENCE)
    expect(tab.locator("#photo video")).to_be_hidden()
    assert not tab.complaints
    other.close()


@pytest.mark.parametrize("tab", [DESKTOP, PHONE], indirect=True)
def test_a_visitor_sees_the_comparison_at_once_and_nothing_moves(tab):
    assert tab.locator("#comparison").bounding_box()["y"] < tab.viewport_size["height"] / 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
    if tab.viewport_size["width"] < 640:
        wall = tab.locator("#styles").bounding_box()
        assert wall["y"] + wall["height"] < tab.viewport_size["height"]  # with the comparison in one screen
    shifts = """() => new Promise((told) => new PerformanceObserver((list) =>
        told(list.getEntries().map((entry) => entry.value))).observe({type: "layout-shift", buffered: true}))"""
    tab.evaluate("document.fonts.ready")
    moved = tab.evaluate(f"Promise.race([({shifts})(), new Promise((told) => setTimeout(told, 500, []))])")
    assert sum(moved) < 0.02
    assert within(*shown(tab)) < 0.5  # the hazy day
