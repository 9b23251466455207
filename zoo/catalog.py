"""Styles by name, wherever their folder lies: bundled with the code, local, or on the Hub."""

import difflib
import os
from pathlib import Path

from zoo import folder
from zoo.adapter import is_adapter, load_adapter
from zoo.conditional import mix
from zoo.errors import HubError, StyleFolderError, StyleNotFoundError, ZooError, brief, shorten
from zoo.names import is_hub_id
from zoo.records import is_there
from zoo.registry import Generator
from zoo.style import BUNDLED, Style, style_at

LOCAL_VARIABLE = "MISSING_INGREDIENT_STYLES"


def local_folders() -> list[Path]:
    """The folders in which local styles lie: those that $MISSING_INGREDIENT_STYLES names."""
    return [Path(root) for root in os.environ.get(LOCAL_VARIABLE, "").split(os.pathsep) if root]


def list_styles() -> list[Style]:
    """The bundled styles, then those in the folders that $MISSING_INGREDIENT_STYLES names, each in order of slug.

    A local style hides a bundled one of the same slug, unless it is broken.
    """
    return list(_look()[0].values())


def photo_styles() -> list[Style]:
    """Those of list_styles that paint photos; the others make tiles. Raises ConfigError for a broken config."""
    return [style for style in list_styles() if style.takes_photo]


def sound_styles() -> tuple[list[Style], list[str]]:
    """The styles that can be read, and what is wrong with the others, with twins (and with the variable), in words."""
    (styles, problems), sound = _look(), []
    for style in styles.values():
        try:
            style.check()
        except ZooError as error:
            problems.append(f"{style.slug}: {error}")
            continue
        sound.append(style)
        try:
            style.check_twin()
        except StyleFolderError as error:
            problems.append(f"{style.slug}, its batch norm: {error}")
    return sound, problems


def _look() -> tuple[dict[str, Style], list[str]]:
    """Styles by slug, and what could not be looked at, in words: one bad folder keeps nobody from the others."""
    found: dict[str, Style] = {}
    problems = []
    bundled = os.path.realpath(BUNDLED)
    for root in (BUNDLED, *local_folders()):
        try:
            paths = sorted(root.iterdir())
        except OSError as error:
            problems.append(f"{LOCAL_VARIABLE} names {root}, which is no folder that can be read ({error.strerror})")
            continue
        for path in paths:
            try:
                path.name.encode()
                if path.is_symlink() and not path.exists():
                    raise StyleFolderError(f"{path} is a link to nothing: mend it, or take it away")
                if is_there(path / folder.CONFIG):
                    parent, name = os.path.split(os.path.realpath(path))
                    is_bundled = parent == bundled  # also what a link elsewhere leads to
                    style = Style(path.name, BUNDLED / name, "bundled") if is_bundled else Style(path.name, path, "local")
                    style.check_links()
                    if path.name in found:
                        style.check()  # before it hides another
                    found[path.name] = style
            except ZooError as error:
                problems.append(f"{path.name}: {error}")
            except OSError as error:
                problems.append(f"cannot look into {path}: {error.strerror}")
            except UnicodeEncodeError:
                problems.append(f"the name of the folder {os.fsencode(path)!r} is no UTF-8: give it another")
    return found, problems


def find(name: str | Path | Style) -> Style:
    """A style by slug, by the path of its folder, or by owner/name[@revision] of the Hub, from which it is pulled.

    A Path is a path and nothing else; text is a slug first, then a path. Raises StyleNotFoundError with the slugs there are,
    HubError when the Hub does not have it or cannot be reached, ConfigError or StyleFolderError when what the style records of
    itself cannot be read, or it holds links.
    """
    if isinstance(name, Style):
        return name
    style = _find(name)
    style.check_records()
    return style


def _find(name: str | Path) -> Style:
    if not isinstance(name, (str, Path)):
        raise StyleNotFoundError(f"a style is named by text or by a Path, got {shorten(name)}")
    slugs = [style.slug for style in list_styles()]
    here = any(os.path.isfile(os.path.join(name, part, folder.CONFIG)) for part in (".", "batch"))
    if here and (isinstance(name, Path) or name not in slugs):
        return style_at(name)
    if isinstance(name, Path):
        raise StyleNotFoundError(f"there is no style folder {brief(name)}: it should hold {folder.CONFIG}")
    try:
        return find_named(name)
    except HubError as error:
        raise type(error)(f"there is no style folder {brief(name)} here, and {error}") from error
    except StyleNotFoundError as error:
        known = ", ".join(slugs) or "none"
        raise StyleNotFoundError(
            f"no style {shorten(name)}{_meant(name, slugs)}: give one of {known}, the path of a style folder, or owner/name of "
            "one on the Hub"
        ) from error


def _meant(name: object, slugs: list[str]) -> str:
    """A question after the slug that is nearest to a name, where one is near."""
    near = difflib.get_close_matches(name.lower(), slugs, 1) if isinstance(name, str) and len(name) < 100 else []
    return f" (did you mean {near[0]}?)" if near else ""


def find_named(name: str, **limits: float) -> Style:
    """A style by slug or by owner/name[@revision], never by a path: for names that a stranger wrote. `limits` as of hub.pull.

    Raises StyleNotFoundError with the slugs there are, HubError.
    """
    styles = {style.slug: style for style in list_styles()}
    if isinstance(name, str) and name in styles:
        return styles[name]
    if isinstance(name, str) and is_hub_id(name):
        from zoo import hub  # here, as it imports this module, and most uses need no Hub

        return hub.pull(name, ("instance",), False, **limits)
    known = ", ".join(styles)
    meant = _meant(name, list(styles))
    raise StyleNotFoundError(f"no style {shorten(name)} in this zoo{meant}: choose one of {known}, or owner/name of the Hub")


def find_base(name: str, norm: str, **limits: float) -> Path:
    """The folder of the style an adapter was trained on, with its weights of that norm at hand. Raises ZooError for none."""
    try:
        return with_weights(find_named(name, **limits), norm, **limits).folder
    except StyleNotFoundError as error:
        where = f"put the folder that holds it into {LOCAL_VARIABLE}"
        raise StyleNotFoundError(f"no style {shorten(name)}, on which the adapter was trained: {where}") from error


def with_weights(style: Style, norm: str, **limits: float) -> Style:
    """The style with the weights of that norm at hand: of one from the Hub, the twin is downloaded when it is asked for."""
    if "@" not in style.source:
        return style
    from zoo import hub

    return hub.pull(style.source, (norm,), False, **limits)


def load(name: str | Path | Style, norm: str = "instance", **limits: float) -> Generator:
    """The generator of a style: eval mode, float32, on the CPU. `limits` to what is downloaded for it are those of hub.pull.

    Raises ZooError when there is none, it is damaged, or what it records of itself cannot be read.
    """
    style = with_weights(find(name), norm, **limits)
    style.check_records()
    if is_adapter(style.folder):
        return load_adapter(style.folder, norm, lambda base, norm: find_base(base, norm, **limits))
    return folder.load(style.folder, norm)


def blend(weights: dict[str, float], norm: str = "instance") -> Generator:
    """A generator between styles that were trained together: their weights by name, adding up to 1.

    >>> generator = zoo.blend({"styles/hokusai": 0.5, "styles/munch": 0.5})

    Raises ZooError for an unknown style, styles that were trained apart, or weights that do not add up to 1.
    """
    return mix([load(name, norm) for name in weights], list(weights.values()))
