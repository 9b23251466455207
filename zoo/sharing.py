"""Styles that go out and come in as whole folders: what may be published, and a copy to keep of what is on the Hub."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from zoo import adapter, folder, hub, trust
from zoo.card import make_card
from zoo.catalog import load
from zoo.errors import ConfigError, StyleFolderError
from zoo.export import INSTALL, check_for_browsers, export_for_browsers
from zoo.hub import Target
from zoo.metadata import tells_nothing
from zoo.names import is_hub_id
from zoo.style import BUNDLED, Style, style_at

REPLACED = [*trust.RECORDS, *trust.WEIGHTS, folder.ONNX, folder.PAINTING_LICENCE, "images/*", "batch/*"]  # of a version before
PROVENANCE = ("title", "author", "licence", "source")  # of a painting; who does not say them cannot share


def publish(
    source: str | Path | Style,
    to: str | Target,
    message: str | None = None,
    licence: str | None = None,
    dry_run: bool = False,
    onnx: bool = False,
) -> str:
    """Upload a style folder as one commit of owner/name (made if need be), or as a pull request to it; returns its address.

    The card is written anew from recipe and metrics; the weights are under `licence`, or what the recipe says. What the
    repository held of an earlier version and the folder no longer has is removed; nothing changed makes no commit. With `onnx`
    each norm goes along as an ONNX file, for the page that paints in a browser. A dry run returns what would be done, in words,
    and needs no network for it. Raises ZooError for a folder that should not be published, HubError when the Hub refuses, or
    owner/name holds something else than a style and is not to be replaced.
    """
    parcel = pack(source, to, licence, onnx)
    if dry_run:
        return parcel.would()
    style, files = parcel.style, dict(parcel.files)
    with tempfile.TemporaryDirectory() as made:
        if onnx:
            files |= onnx_files(style, Path(made))
        hub.check_target(parcel.to, files=parcel.names, old=REPLACED)
        message = message or f"{style.title}: {' and '.join(style.norms)} norm"
        return hub.upload_style(files, parcel.card, message, parcel.to, REPLACED)


@dataclass(frozen=True)
class Parcel:
    """A style that was found fit to be published, and where to: its files (name there -> file here), those that are made on
    the way, its card."""

    style: Style
    to: Target
    files: dict[str, Path]
    made: list[str]
    card: str

    @property
    def names(self) -> list[str]:
        """The files as the repository will have them."""
        return list(dict.fromkeys([*self.files, *self.made, "README.md"]))

    def would(self) -> str:
        """What publishing would do, in words, also where the Hub cannot be asked. Raises HubError, see hub.would."""
        return hub.would(self.to, files=self.names, old=REPLACED)


def pack(source: str | Path | Style, to: str | Target, licence: str | None = None, onnx: bool = False) -> Parcel:
    """Everything of `publish` that can be told here, without the Hub and before an ONNX file is made. Raises ZooError."""
    style, to = source if isinstance(source, Style) else style_at(source), Target(to) if isinstance(to, str) else to
    files, repo = publishable_files(style), to.repo
    card = make_card(replace(style, slug=repo.split("/")[1]), repo, hub.endpoint(), licence, onnx)
    if onnx:
        check_for_browsers()
        if style.has_noise:
            raise ConfigError(
                f"{style.folder} draws noise for each size of picture, which no ONNX file repeats: leave --onnx out"
            )
    made = [folder.onnx_file(norm) for norm in style.norms if onnx]
    return Parcel(style, to, {path.relative_to(style.folder).as_posix(): path for path in files}, made, card)


def onnx_files(style: Style, made: Path) -> dict[str, Path]:
    """Write each norm of a style as an ONNX file into the folder `made`; the files by their names in a repository.

    Raises ConfigError when one cannot be exported, paints otherwise than the weights, or onnxruntime is not there to see that.
    """
    files = {}
    for norm in style.norms:
        name = folder.onnx_file(norm)
        files[name] = made / name
        if export_for_browsers(load(style, norm), style.slug, files[name]).levels is None:
            raise ConfigError(f"an ONNX file is compared with the weights before it is published, by onnxruntime: {INSTALL}")
    return files


def publishable_files(style: Style) -> list[Path]:
    """The files of a style folder that are published, once it is found to be whole.

    Raises ZooError for a broken folder, one with links, weights that are not finite, a painting without title, author, licence
    and source, one whose file says where and by whom it was photographed.
    """
    if not style.norms:
        raise StyleFolderError(f"{style.folder} holds no generator to publish")
    for norm in style.norms:
        load(style, norm)
    if missing := [key for key in PROVENANCE if not style.painting.get(key)]:
        raise StyleFolderError(
            f"{style.folder / 'recipe.yaml'} does not say the painting's {', '.join(missing)}: nobody could tell whether it "
            "may be shared; add that under painting:"
        )
    if (shown := style.picture("painting")) and not tells_nothing(shown):
        raise StyleFolderError(
            f"{shown} is no JPEG of colours alone: it may say where and by whom the painting was photographed; save it without "
            "EXIF and comments, or export the style anew"
        )
    _ = style.held_out  # raises when metrics.json is broken
    if adapter.is_adapter(style.folder):
        check_base(adapter.AdapterConfig.load(folder.twin_folder(style.folder, style.norms[0]) / folder.CONFIG).base)
    found = {p.relative_to(style.folder).as_posix(): p for part in ("*", "*/*") for p in style.folder.glob(part) if p.is_file()}
    files = {name: path for name, path in sorted(found.items()) if trust.is_style_file(name)}
    trust.check_listing(str(style.folder), {name: path.stat().st_size for name, path in files.items()})
    return list(files.values())


def check_base(base: str) -> None:
    """Raise StyleFolderError when nobody else would find the style that an adapter was trained on."""
    if not is_hub_id(base) and not (BUNDLED / base).is_dir():
        raise StyleFolderError(f"the adapter's base {base} is known here alone: publish it first, and train on owner/name")


def pull_to(name: str, target: Path) -> Style:
    """Copy a style with everything that belongs to it into a new folder, once it is found to load.

    Raises ZooError when the folder exists already.
    """
    if target.exists():
        raise StyleFolderError(f"{target} exists already: choose another folder to pull into")
    style = hub.pull(name, ("instance", "batch"), pictures=True)
    for norm in style.norms:
        load(style, norm)
    partial = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(style.folder, partial, ignore=shutil.ignore_patterns(".*"))
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StyleFolderError(f"cannot write {target}: {error}") from error
    return style
