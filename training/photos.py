"""Where training photos come from: a folder, an archive of pictures, or a dataset repository on the Hub."""

import shutil
import tarfile
from pathlib import Path

from zoo.catalog import is_hub_id
from zoo.errors import HubError, PhotoError, TrainingError


def photo_folder(source: str | Path, unpacked: Path) -> Path:
    """The folder that holds the pictures of `source`: a folder, a zip or tar archive (unpacked once, into `unpacked`), or
    owner/name[@revision] of a Hub dataset that holds picture files or such archives.

    Raises PhotoError when it is none of these, or cannot be unpacked.
    """
    path = Path(source)
    if path.is_dir():
        return path
    if path.is_file():
        return unpack([path], unpacked)
    if is_hub_id(str(source)):
        from zoo.hub import pull_pictures  # here, as only some trainings need the Hub

        try:
            folder = pull_pictures(str(source), tuple(archive_suffixes()))
        except HubError as error:
            raise type(error)(f"--content {source}: there is no such folder here, and {error}") from error
        archives = sorted(file for file in folder.rglob("*") if file.name.lower().endswith(tuple(archive_suffixes())))
        return unpack(archives, unpacked) if archives else folder
    raise PhotoError(f"--content {source}: no such folder or archive, and no owner/name of a Hub dataset")


def archive_suffixes() -> list[str]:
    """What names of archives end in: .zip, .tar, .tar.gz, .tgz ..."""
    return [suffix for _, suffixes, _ in shutil.get_unpack_formats() for suffix in suffixes]


def unpack(archives: list[Path], unpacked: Path) -> Path:
    """Unpack archives into a folder each of `unpacked`, whole or not at all; what is there already is left as it is.

    Raises PhotoError for a file that is no archive or is damaged, TrainingError when there is no room.
    """
    for archive in archives:
        target, partial = unpacked / archive.name, unpacked / f".{archive.name}"
        if target.is_dir():
            continue
        shutil.rmtree(partial, ignore_errors=True)
        safe = {} if archive.suffix.lower() == ".zip" else {"filter": "data"}  # no links, nothing outside of the folder
        try:
            partial.mkdir(parents=True)
            shutil.unpack_archive(archive, partial, **safe)
            partial.rename(target)
        except (shutil.ReadError, tarfile.TarError, EOFError, ValueError) as error:
            kinds = ", ".join(archive_suffixes())
            raise PhotoError(f"cannot unpack {archive.name} ({error}): give a folder, or a sound {kinds}") from error
        except OSError as error:
            raise TrainingError(f"cannot unpack {archive.name} into {unpacked}: {error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return unpacked
