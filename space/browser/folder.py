"""What the folder holds: the page, the styles as ONNX, pictures, the runtime; written whole or not at all."""

import hashlib
import io
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml
from PIL import Image, ImageOps

from space import opening
from space.browser.index import INDEX, ISOLATION, PAGE, TILE, headers, index
from space.browser.look import variables
from space.browser.runtime import BUILDS, runtime_files
from space.theme import make_theme
from space.words import BROWSER, NORMS
from zoo.catalog import load
from zoo.errors import ConfigError, StyleFolderError
from zoo.export import export_for_browsers
from zoo.folder import write_whole
from zoo.images import list_photos, open_photo
from zoo.style import PHOTO, Style

SPACE = Path(__file__).parent.parent
CLONE = SPACE.parent
WORKER = "sw.js"
PAINTING = 240  # px; long side
NOTICES = ("LICENSE", "NOTICE", "LICENSES/GPL-3.0.txt")  # that lie in a clone
GRADIO = ("sdk_version", "python_version", "suggested_hardware", "hf_oauth", "hf_oauth_scopes")  # of a Space's front matter


@dataclass(frozen=True)
class Built:
    """What was written: bytes in all, of the first load with one style, and of each further style."""

    total: int
    first: int
    further: int


def build(out: Path, styles: list[Style], ort: Path | None = None) -> Built:
    """Write the folder `out` with the page for these styles, the first of which it opens with; onnxruntime-web from the
    folder `ort`, or from npm.

    Raises ConfigError where `out` holds something else, or onnxruntime-web or onnx is missing; ZooError for a style that
    cannot be exported.
    """
    before = _built_before(out)
    unfit = [style.slug for style in styles if not set(NORMS) <= set(style.norms) or not style.takes_photo]
    if unfit:
        raise StyleFolderError(f"{', '.join(unfit)}: the page compares batch norm and instance norm, and needs both generators")
    runtime = {f"ort/{name}": data for name, data in runtime_files(ort).items()}
    files = {**page_files(styles), **runtime, **dict(_generators(styles))}
    files[WORKER] = _service_worker(files)
    write_whole({out / name: data for name, data in files.items()})
    for path in before - {out / name for name in files}:
        path.unlink()
    return _weigh(files, styles)


def _built_before(out: Path) -> set[Path]:
    """What an earlier build wrote into the folder, by the service worker that it left: nothing else there is ours to remove.

    Raises ConfigError where there is something else instead.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return set()
    worker = (out / WORKER).read_text(encoding="utf-8") if (out / WORKER).is_file() else ""
    listed = re.search(r"^const FILES = (\{.*?^\});$", worker, re.M | re.S)
    if listed is None:
        raise ConfigError(f"{out} holds something else than this page: name a new folder")
    return {out / name for name in json.loads(listed[1])} & {path for path in out.rglob("*") if path.is_file()}


def page_files(styles: list[Style]) -> dict[str, bytes]:
    """Everything but runtime, generators and service worker."""
    files = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.name not in (INDEX, WORKER)}
    files |= {name: (SPACE / name).read_bytes() for name in ("style.css", "mark.svg")}
    files["theme.css"] = variables(" ".join(files[n].decode() for n in ("style.css", "page.css")), make_theme()).encode()
    first = opening.of(styles[0])
    for norm, path in first.pictures.items():  # of a style that is not bundled it may be of any size and kind
        shown = path or PHOTO
        files[f"opening/{norm}.jpg"] = shown.read_bytes() if styles[0].source == "bundled" else _jpeg(open_photo(shown, 512))
    for path in (PHOTO, *list_photos(SPACE / "examples")):
        files[f"examples/{path.name}"] = path.read_bytes()
        files[f"examples/{path.stem}-tile.jpg"] = _jpeg(_tile(path, 128))
    for style in styles:
        files[f"styles/{style.slug}.jpg"] = _jpeg(_tile(style.picture() or PHOTO, TILE))
        if painting := style.picture("painting"):
            files[f"styles/{style.slug}-painting.jpg"] = _jpeg(open_photo(painting, PAINTING))
    files |= {name: (CLONE / name).read_bytes() for name in NOTICES if (CLONE / name).is_file()}
    files["README.md"] = card().encode()
    files["manifest.webmanifest"] = json.dumps(_manifest(), indent=2).encode()
    files[INDEX] = index(styles, first, set(files)).encode()
    return files


def card() -> str:
    """README.md of a static Space: the front matter of the page with gradio, but for what a folder of files does without."""
    _, front, text = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    kept = {key: value for key, value in yaml.safe_load(front).items() if key not in GRADIO}
    kept |= {"sdk": "static", "app_file": INDEX, "custom_headers": {key.lower(): value for key, value in ISOLATION.items()}}
    return f"---\n{yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)}---\n{text.rstrip()}\n\n{BROWSER}\n"


def _generators(styles: list[Style]) -> Iterator[tuple[str, bytes]]:
    """Names and ONNX files, one a style and norm."""
    with tempfile.TemporaryDirectory() as folder:
        for style in styles:
            for norm in NORMS:
                target = Path(folder) / f"{style.slug}-{norm}.onnx"
                export_for_browsers(load(style, norm), style.slug, target)
                yield f"styles/{target.name}", target.read_bytes()


def _manifest() -> dict[str, Any]:
    return {
        "name": "Missing Ingredient", "short_name": "Ingredient", "start_url": "./", "display": "standalone",
        "description": BROWSER, "background_color": "#ffffff", "theme_color": "#1e3a5f",
        "icons": [{"src": "mark.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }  # fmt: skip


def _service_worker(files: dict[str, bytes]) -> bytes:
    """sw.js, which knows every file by what it holds: what has not changed is not fetched again."""
    hashes = {name: hashlib.sha256(data).hexdigest()[:16] for name, data in sorted(files.items())}
    source = Template((PAGE / WORKER).read_text(encoding="utf-8"))
    return source.substitute(files=json.dumps(hashes, indent=1), headers=json.dumps(headers(), indent=1)).encode()


def _tile(path: Path, side: int) -> Image.Image:
    return ImageOps.fit(open_photo(path), (side, side), Image.Resampling.LANCZOS)


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def _weigh(files: dict[str, bytes], styles: list[Style]) -> Built:
    """Bytes: in all; of what a browser fetches with one style, by the larger build; of the largest further style."""
    sizes = {name: len(data) for name, data in files.items()}
    each = [sum(size for name, size in sizes.items() if name.startswith(f"styles/{style.slug}")) for style in styles]
    builds = [sum(sizes[f"ort/{name}"] for name in (api, f"{wasm}.mjs", f"{wasm}.wasm")) for api, wasm in BUILDS.values()]
    rest = sum(size for name, size in sizes.items() if not name.startswith(("styles/", "ort/")))
    return Built(sum(sizes.values()), rest + max(builds) + each[0], max(each))
