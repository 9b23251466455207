"""index.html: the texts and pictures of the page with gradio, and the headers that it comes with."""

import html
import json
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from space.browser.look import to_html
from space.browser.runtime import BUILDS
from space.opening import Opening
from space.settings import SIZES
from space.words import BROWSER, HERO, LEFT, NORMS, WHY, about, captions
from zoo import hub
from zoo.folder import CONFIG, onnx_file, twin_folder
from zoo.images import open_photo
from zoo.records import LIMITS
from zoo.style import PHOTO, Style
from zoo.trust import MAX_WEIGHTS, MAX_WIDTH

PAGE = Path(__file__).parent / "page"
INDEX = "index.html"
TILE = 184  # px; side of a tile of the wall
# What a page needs for threads; static Spaces send them as custom_headers, a service worker where nobody else does.
ISOLATION = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' blob: {hub}; "
    "img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'"
)
PAINTED = [size for size in SIZES.values() if size <= 1080]  # px; more takes a browser too much memory


def policy() -> str:
    """The Content-Security-Policy, by which the browser itself sees to it that nothing leaves: the page connects to its own
    host, to what it holds in memory and, for the styles that a visitor names, to the Hub."""
    return POLICY.format(hub=" ".join(hub.addresses()))


def headers() -> dict[str, str]:
    """The headers that the page comes with."""
    return {**ISOLATION, "Content-Security-Policy": policy()}


def index(styles: list[Style], first: Opening, files: set[str]) -> str:
    """index.html for these styles, opening as `first` says, beside files of these names."""
    zoo: dict[str, Any] = {
        "styles": [_facts(style, files) for style in styles],
        "captions": {left: captions(left) for left in LEFT},
        "runtime": BUILDS,
        "hub": _hub(),
    }
    photos = [name for name in sorted(files) if name.startswith("examples/") and not name.endswith("-tile.jpg")]
    photos.sort(key=lambda name: name != f"examples/{PHOTO.stem}.jpg")  # the zoo's own first
    width, height = open_photo(first.pictures["instance"] or PHOTO).size
    return Template((PAGE / INDEX).read_text(encoding="utf-8")).substitute(
        policy=html.escape(policy()), hub=urlsplit(hub.endpoint()).netloc,
        hero=to_html(HERO), promise=html.escape(BROWSER), why=to_html(WHY),
        captions=captions("batch"), info=html.escape(first.words), contrast=first.contrast, width=width, height=height,
        about=to_html(about(styles[0])), painting=_painting(zoo["styles"][0]["painting"]), photo=photos[0],
        examples="\n".join(map(_example, photos)), styles="\n".join(map(_style, styles)), sizes="\n".join(map(_size, PAINTED)),
        notice=' Photos, paintings, licences: <a href="NOTICE">NOTICE</a>.' if "NOTICE" in files else "",
        zoo=json.dumps(zoo).replace("<", "\\u003c"),
    )  # fmt: skip


def _hub() -> dict[str, Any]:
    """Where the page asks for a style of the Hub, for which files, and how large they may be: as zoo/trust.py has it."""
    configs = {norm: (twin_folder("", norm) / CONFIG).as_posix() for norm in NORMS}
    return {
        "address": hub.endpoint(),
        "files": {norm: {"config": config, "onnx": onnx_file(norm)} for norm, config in configs.items()},
        "limits": {"config": LIMITS[".json"], "onnx": MAX_WEIGHTS},
        "width": MAX_WIDTH,
    }


def _facts(style: Style, files: set[str]) -> dict[str, Any]:
    """What the page says of a style, and where its files are."""
    painting = f"styles/{style.slug}-painting.jpg"
    return {
        "slug": style.slug,
        "title": style.title,
        "by": style.by,
        "about": to_html(about(style)),
        "painting": painting if painting in files else None,
        "generators": {norm: f"styles/{style.slug}-{norm}.onnx" for norm in NORMS},
    }


def _painting(name: str | None) -> str:
    hidden, source = ("", f'src="{name}" ') if name else (" hidden", "")
    image = f'<img {source}alt="" height="120">'
    return f'<figure class="block" id="painting"{hidden}><figcaption>the painting</figcaption>{image}</figure>'


def _example(name: str) -> str:
    tile, words = name.replace(".jpg", "-tile.jpg"), Path(name).stem
    return f'<button type="button" data-photo="{name}"><img src="{tile}" alt="{words}" width="64" height="64"></button>'


def _style(style: Style) -> str:
    title, slug = html.escape(style.title), style.slug
    return (
        f'<button type="button" class="thumbnail-item" data-style="{slug}" title="{title}" aria-pressed="false">'
        f'<img src="styles/{slug}.jpg" alt="" width="{TILE}" height="{TILE}">'
        f'<span class="caption-label">{title}</span></button>'
    )


def _size(size: int) -> str:
    checked = " checked" if size == 512 else ""
    return f'<label><input type="radio" name="size" value="{size}"{checked}> {size} px</label>'
