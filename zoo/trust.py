"""What may come in from strangers: a style is data, never code, and no larger than a style."""

import hashlib
import lzma
import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from zoo import adapter, folder
from zoo.config import GeneratorConfig
from zoo.errors import StyleFolderError
from zoo.records import LIMITS
from zoo.registry import builder

WEIGHTS = (folder.WEIGHTS, adapter.WEIGHTS)
RECORDS = (folder.CONFIG, f"batch/{folder.CONFIG}", "README.md", "recipe.yaml", "metrics.json")
MAX_WEIGHTS, MAX_FILE, MAX_FILES = 64 * 2**20, 4 * 2**20, 64  # bytes of a file; a generator of width 32 has 3.4 MB
MAX_WIDTH = 64  # of what strangers share: twice the paper's; a wider net needs gigabytes for a large photo


def weight_files(norms: tuple[str, ...]) -> tuple[str, ...]:
    """The files that may hold the weights of those norms: complete ones, or an adapter's."""
    return tuple(("batch/" if norm == "batch" else "") + file for norm in norms for file in WEIGHTS)


def check_listing(name: str, sizes: dict[str, int]) -> None:
    """Look at the files that are to be taken, by name and size in bytes, before any is.

    Raises StyleFolderError when they are no style, or far more than a style needs.
    """
    weights = weight_files(("instance", "batch"))
    if folder.CONFIG not in sizes or not any(file in sizes for file in weights):
        raise StyleFolderError(f"{name} is not a style: it has no {folder.CONFIG} with {' or '.join(WEIGHTS)}")
    if len(sizes) > MAX_FILES:
        raise StyleFolderError(f"{name} holds {len(sizes)} files, far more than a style needs")
    for file, size in sizes.items():
        limit = LIMITS[PurePosixPath(file).suffix] if file in RECORDS else MAX_WEIGHTS if file in weights else MAX_FILE
        if size > limit:
            raise StyleFolderError(f"{name}: {file} has {size / 2**20:,.1f} MiB, more than the {limit / 2**20:g} of a style")


def check_config(name: str, style: Path) -> None:
    """Raise ConfigError or StyleFolderError for a pulled generator's config that is not valid, or asks for too wide a net.

    A twin whose weights are not here yet is looked at when they come.
    """
    for path in (style / folder.CONFIG, style / "batch" / folder.CONFIG):
        if path.is_file() and (path.parent / folder.WEIGHTS).is_file():
            config = GeneratorConfig.load(path)
            builder(config.architecture)  # raises for one that is not known here
            if (width := config.width) > MAX_WIDTH:
                raise StyleFolderError(f"{name}: its generator has width {width}; styles of others may have {MAX_WIDTH}")


def is_sound(content: bytes, sha256: str | None, git: str | None) -> bool:
    """Whether a file is what the Hub says of it: SHA-256 of a large file, git's hash of another. It is not when the Hub gives
    neither."""
    found = hashlib.sha256(content) if sha256 else hashlib.sha1(b"blob %d\0" % len(content) + content)
    return found.hexdigest() == (sha256 or git)


def unpack_style(archive: Path, target: Path) -> Path:
    """Unpack the style folder in a zip, at its top or in its only folder, into a new folder `target`.

    Takes nothing but the files of a style, checks their sizes before it reads them, follows no links, writes nothing outside
    of `target`. Raises StyleFolderError when the zip is broken or holds no style.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            entries = {PurePosixPath(entry.filename): entry for entry in file.infolist() if not entry.is_dir()}
            tops = [path.parent for path in entries if path.name == folder.CONFIG and path.parent.name != "batch"]
            if not tops:
                raise StyleFolderError(f"{archive.name} holds no style folder: there is no {folder.CONFIG} in it")
            top = min(tops, key=lambda path: len(path.parts))
            inside = {path.relative_to(top).as_posix(): entry for path, entry in entries.items() if path.is_relative_to(top)}
            wanted = {name: entry for name, entry in inside.items() if is_style_file(name)}
            check_listing(archive.name, {name: entry.file_size for name, entry in wanted.items()})
            for name, entry in wanted.items():
                path = target / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.read(entry))  # a link is read as the text it holds
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError, OSError) as error:
        raise StyleFolderError(f"cannot unpack {archive.name} ({error}): zip the style folder again") from error
    return target


def is_style_file(name: str) -> bool:
    """Whether a path, relative to a style folder, is one that style folders have. None of them leads out of it."""
    return name in {*RECORDS, folder.PAINTING_LICENCE, *weight_files(("instance", "batch"))} or _is_picture(name)


def _is_picture(name: str) -> bool:
    return re.fullmatch(r"images/\w[\w .-]{0,49}\.(jpg|png)", name) is not None  # as long as every file system takes
