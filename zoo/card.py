"""The model card of a style folder: README.md, made from its recipe and metrics alone."""

import re
from typing import Any

from zoo.adapter import AdapterConfig, is_adapter
from zoo.errors import ConfigError, shorten
from zoo.folder import CONFIG, PAINTING_LICENCE, onnx_file, twin_folder
from zoo.names import is_hub_id, make_slug
from zoo.records import dump_yaml
from zoo.style import Style

TAG = "missing-ingredient"  # by which styles are found on the Hub, and told from whatever else lies there
HOME = None  # where the code can be cloned from by everybody, once there is such an address
INSTALL = f'pip install "missing-ingredient @ git+{HOME}"' if HOME else "pip install .   # in a clone of Missing Ingredient"
SAID = ("artist", "painting")  # keys of the front matter, by which hub.find finds what a tag is too short or has no letters for
WEIGHTS_LICENCE = "apache-2.0"  # unless the recipe, or who publishes, says another
_HOW = """\
```sh
{install}
python -m zoo stylize photo.jpg -s {name} -o painted.png{twin}
```

```python
import zoo
zoo.stylize("photo.jpg", "{name}", size=1024).save("painted.png")
```
"""
_HOW_TILES = """\
```sh
{install}
python -m zoo texture {name} -o tile.png --size 512 --seed 0
```

Makes seamless tiles out of noise; it looks at no photo.
"""
_LIMITATIONS = """\
## Limitations

- It knows one painting. Strokes have the size in pixels that they had in training{crops}: the larger the picture, the finer
  they look in it.
{photos}{twin}- What it paints is the work of a filter, not of {author}: say so where you show it.
"""
_CITATION = """\
## Citation

```bibtex
@article{ulyanov2016instance,
  title   = {Instance Normalization: The Missing Ingredient for Fast Stylization},
  author  = {Ulyanov, Dmitry and Vedaldi, Andrea and Lempitsky, Victor},
  journal = {arXiv preprint arXiv:1607.08022},
  year    = {2016}
}
```
"""


# what the card tells of a recipe; a recipe.yaml of other making may lack some, and is then left out
RECIPE_KEYS = {
    "steps", "batch_size", "crop_size", "style_size", "content_weight", "style_weight", "tv_weight", "balance", "seed",
    "content_layers", "style_layers", "learning_rate", "decay", "width", "padding", "photos", "made_with",
}  # fmt: skip


LABELS = {
    "photo": "the photo, untouched",
    "batch": "batch norm",
    "instance": "instance norm",
    "instance, frozen statistics": "instance norm, its statistics frozen to those of training photos (`--frozen-stats`)",
}


def make_card(
    style: Style, name: str | None = None, hub: str | None = None, licence: str | None = None, onnx: bool = False
) -> str:
    """Markdown with Hub front matter: painting, pictures, how to use, figures, recipe, limitations, citation, licences.

    `name` is what the style is called by in the examples: its slug, or owner/name on the Hub at the address `hub`. `licence`
    of the weights, as the Hub writes it, stands in for the recipe's. `onnx`: beside the weights lies an ONNX file of each norm.
    Raises ConfigError for a licence that is none.
    """
    licence = check_licence(licence or style.painting.get("licence_weights", WEIGHTS_LICENCE))
    name = name or style.slug
    return "\n".join([_front_matter(style, name, hub, licence), *_painting(style), *_pictures(style), "## Use\n",
                      _how(style, name), *([_browser(style, name)] if onnx else []), *_figures(style), *_recipe(style),
                      _limitations(style), _CITATION, *_rights(style, licence)])  # fmt: skip


def check_licence(licence: object) -> str:
    """The licence of weights, as the Hub writes it. Raises ConfigError for what cannot be one."""
    if not isinstance(licence, str) or not re.fullmatch(r"[a-z0-9][a-z0-9.+-]{1,39}", licence):
        raise ConfigError(f"the weights' licence is written as on the Hub, apache-2.0, mit, cc-by-4.0, got {shorten(licence)}")
    return licence


def _how(style: Style, name: str) -> str:
    if not style.takes_photo:
        return _HOW_TILES.format(name=name, install=INSTALL)
    twin = "   # --norm batch: its matched twin" if "batch" in style.norms else ""
    return _HOW.format(name=name, twin=twin, install=INSTALL)


def _browser(style: Style, name: str) -> str:
    files = " and ".join(f"`{onnx_file(norm)}`" for norm in style.norms)
    return f"{files}: the same for ONNX Runtime, and for the page that paints in a browser, which takes the name `{name}`.\n"


def _front_matter(style: Style, name: str | None, hub: str | None, licence: str) -> str:
    known = style.painting
    said = dict(zip(SAID, (str(known.get("author", "")), style.title), strict=True))
    data: dict[str, Any] = {
        "license": licence,
        "library_name": TAG,
        "pipeline_tag": "image-to-image",
        "tags": [TAG, "style-transfer", "fast-neural-style", *(f"norm:{norm}" for norm in style.norms),
                 f"style:{style.slug}", *(f"{kind}:{slug}" for kind, name in said.items() if (slug := make_slug(name)[:60]))],
        **{kind: name for kind, name in said.items() if name},
    }  # fmt: skip
    if is_adapter(style.folder) and is_hub_id(base := _base(style)):
        data |= {"base_model": base.split("@")[0], "base_model_relation": "adapter"}
    photos = style.recipe.get("photos")
    if isinstance(photos, dict) and is_hub_id(str(photos.get("dataset"))):
        data["datasets"] = [photos["dataset"].split("@")[0]]
    if hub and style.picture():
        data["thumbnail"] = f"{hub}/{name}/resolve/main/images/instance.jpg"
    if results := _results(style):
        data["model-index"] = [{"name": style.title, "results": results}]
    return f"---\n{dump_yaml(data)}---\n"


def _base(style: Style) -> str:
    """The style an adapter was trained on: slug or owner/name@sha."""
    return AdapterConfig.load(twin_folder(style.folder, style.norms[0]) / CONFIG).base


def _results(style: Style) -> list[dict[str, Any]]:
    """The held-out objectives as the Hub's model-index has them: self-reported, one for each size of the photos."""
    results = []
    for size, found in style.held_out.items():
        data = {"type": "image-folder", "name": f"{len(found['photos'])} held-out photos, {size} px"}
        metrics = [
            {"type": "perceptual-objective", "name": f"objective of {name}", "value": round(found[name]["objective"])}
            for name in ("photo", "batch", "instance")
            if name in found
        ]
        results.append({"task": {"type": "image-to-image"}, "dataset": data, "metrics": metrics})
    return results


def _painting(style: Style) -> list[str]:
    lines = [f"# {style.title}\n"]
    if style.by:
        lines.append(f"After *{style.title}*, {style.by}.\n")
    what, seen = ("for fast stylization", "seed, photos") if style.takes_photo else ("of seamless textures", "seed")
    return lines + [
        f"A generator {what} with instance normalization"
        + (f", beside its batch-norm twin: the same network, {seen} and schedule" if "batch" in style.norms else "")
        + " ([Ulyanov, Vedaldi, Lempitsky 2016](https://arxiv.org/abs/1607.08022)).\n",
        *([f"An adapter: what it changes in `{_base(style)}`, which is loaded with it.\n"] if is_adapter(style.folder) else []),
    ]


def _pictures(style: Style) -> list[str]:
    lines = ["![the painting](images/painting.jpg)\n"] if style.picture("painting") else []
    if style.picture("photo") and style.picture("batch"):
        lines += [
            "| photo | batch norm | instance norm |",
            "| --- | --- | --- |",
            "| ![photo](images/photo.jpg) | ![batch norm](images/batch.jpg) | ![instance norm](images/instance.jpg) |\n",
        ]
    if style.picture("preview"):
        shown = "photos in both norms, the last one faded" if style.takes_photo else "two tiles of each norm"
        lines.append(f"![{shown}](images/preview.jpg)\n")
    if style.picture("sizes"):
        lines.append("Instance norm at several resolutions, pixel for pixel:\n\n![256, 512, 1080 px](images/sizes.jpg)\n")
    return lines


def _figures(style: Style) -> list[str]:
    lines = []
    if errors := style.errors:
        lines += [
            "## Held-out errors\n",
            "How far from the photo (content) and from the painting (style), at three sizes, as shares of the photo's and the "
            "painting's own features; the lower, the better, in both. Batch norm in eval mode, with its running statistics.\n",
            *_table(("content", "style"), errors, ".3f"),
            *_how_measured(style.metrics["errors"]),
        ]
    if faded := style.faded:
        shares = ", ".join(f"{share:.0%} with {norm} norm" for norm, share in faded.items())
        lines.append(f"Where photos have lost three quarters of their contrast, pictures of them keep of theirs: {shares}.\n")
    for size, found in style.held_out.items():
        lines += [
            f"## Held-out objective at {size} px\n",
            f"Mean over {len(found['photos'])} photos never trained on (lower is better): content + 5 × style, "
            "VGG16, caffe scale; batch norm in eval mode, with its running statistics.\n",
            *_table(("content", "style", "objective"), found, ",.0f"),
            *_how_measured(found),
        ]
    if (style.folder / "images" / "curves.png").is_file():
        lines.append("![training loss and held-out objective against steps](images/curves.png)\n")
    return lines


def _table(keys: tuple[str, ...], found: dict[str, Any], form: str) -> list[str]:
    """A row for each that was measured, a column for each of the keys."""
    rows = [
        f"| {label} | {' | '.join(f'{found[name][key]:{form}}' for key in keys)} |"
        for name, label in LABELS.items()
        if name in found
    ]
    return [f"| | {' | '.join(keys)} |", "| --- |" + " ---: |" * len(keys), *rows, ""]


def _how_measured(record: dict[str, Any]) -> list[str]:
    return [f"`{record['command']}`, on {record['machine']}.\n"] if {"command", "machine"} <= record.keys() else []


def _recipe(style: Style) -> list[str]:
    recipe = style.recipe
    if not RECIPE_KEYS <= recipe.keys():
        return []
    try:
        return _recipe_facts(recipe, style.takes_photo)
    except (AttributeError, TypeError, ValueError, KeyError):  # of other making, too
        return []


def _recipe_facts(recipe: dict[str, Any], takes_photo: bool) -> list[str]:
    muon = f"Muon for the convolution kernels, learning rate {recipe.get('muon_rate', 0):g}, and Adam for the rest,"
    optimizer = muon if recipe.get("optimizer") == "muon" else "Adam, learning rate"
    levels = recipe.get("levels", 1)
    stopped = f"{recipe['stopped_after']:,} of " if "stopped_after" in recipe else ""
    seen = f"{recipe['crop_size']} px " + (f"crops of {recipe['photos']['number']:,} photos" if takes_photo else "tiles")
    facts = [
        f"{stopped}{recipe['steps']:,} steps of batch {recipe['batch_size']}, {seen}; painting at {recipe['style_size']} px",
        f"content : style : TV = {recipe['content_weight']:g} : {recipe['style_weight']:g} : {recipe['tv_weight']:g}, "
        f"{recipe['balance']} losses{f' at {levels} sizes' if levels > 1 else ''}; "
        f"content at {', '.join(recipe['content_layers'])}, style at {', '.join(recipe['style_layers'])}",
        f"{optimizer} {recipe['learning_rate']:g}, {recipe['decay']}; seed {recipe['seed']}",
        f"width {recipe['width']}, {recipe['padding']} padding; made with {recipe['made_with']}",
    ]
    if many := recipe.get("trained_with"):
        rows = len(many) + bool(recipe.get("identity_weight"))
        facts.append(
            f"one of {len(many)} styles trained together in a conditional generator (Dumoulin et al. 2017), about "
            f"{recipe['steps'] // rows:,} steps each, then exported to a plain one with exactly its output"
        )
    if starts := recipe.get("started_from"):
        after = {start["style"]: f" after {start['steps']:,} steps" if start["steps"] else "" for start in starts}
        names = ", ".join(f"*{name}*{steps}" for name, steps in after.items())
        part = {"norm": "norms alone", "norm+ends": "norms, first and last convolution alone"}.get(
            recipe.get("only", ""), "all"
        )
        facts.append(f"began with the weights of {names}; trained on: {part}")
    return ["## Recipe\n", *(f"- {fact}" for fact in facts), "", "`recipe.yaml` repeats the run.\n"]


def _limitations(style: Style) -> str:
    crop = style.recipe.get("crop_size")
    return _LIMITATIONS.format(
        crops=f" (crops of {crop} px)" if isinstance(crop, int) else "",
        twin="- The batch-norm twin is there to be compared with: it does worse, above all where contrast is low.\n"
        if "batch" in style.norms and style.takes_photo
        else "",
        author=style.painting.get("author", "the painter"),
        photos=""
        if not style.takes_photo
        else "- Small faces and lettering do not survive, and flat places get strokes that the photo does not have.\n",
    )


def _rights(style: Style, licence: str) -> list[str]:
    lines = ["## Licence\n", f"Weights: {licence}."]
    known = style.painting
    if "licence" in known:
        lines[-1] += f" Painting: {known['licence']}" + (f" ({known['source']})." if "source" in known else ".")
    if (style.folder / PAINTING_LICENCE).is_file():
        lines[-1] += f" The licence of `images/painting.jpg`, its reproduction: {PAINTING_LICENCE}."
    return lines + [""]
