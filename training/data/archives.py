"""Where training photos come from: a folder, an archive of pictures, or a dataset repository on the Hub."""

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.errors import HubError, PhotoError, TrainingError
from zoo.names import is_hub_id

SHARE, BLOCK = 0.9, 4096  # of what is free on the disk; bytes that a file takes there besides its own


def photo_folder(source: str | Path, unpacked: Path) -> Path:
    """The folder that holds the pictures of `source`: a folder, a zip or tar archive (unpacked once, below `unpacked`), or
    owner/name[@revision] of a Hub dataset that holds picture files or such archives.

    Raises PhotoError when it is none of these, or cannot be unpacked.
    """
    path = Path(source)
    if path.is_dir():
        return path
    if path.is_file():
        return unpack(path, unpacked / f"{path.name}-{path.stat().st_size}")
    if dataset_of(source):
        from zoo.hub import pull_pictures  # here, as only some trainings need the Hub

        try:
            folder = pull_pictures(str(source), tuple(archive_suffixes()))
        except HubError as error:
            raise type(error)(f"--content {source}: there is no such folder here, and {error}") from error
        archives = sorted(file for file in folder.rglob("*") if file.name.lower().endswith(tuple(archive_suffixes())))
        for file in archives:
            unpack(file, unpacked / folder.name / file.relative_to(folder))
        return unpacked / folder.name if archives else folder
    raise PhotoError(f"--content {source}: no such folder or archive, and no owner/name of a Hub dataset")


def dataset_of(source: str | Path) -> str | None:
    """The owner/name[@revision] of a Hub dataset that `photo_folder` would pull; None for a folder or an archive here."""
    return str(source) if is_hub_id(str(source)) and not Path(source).exists() else None


def archive_suffixes() -> list[str]:
    """What names of archives end in: .zip, .tar, .tar.gz, .tgz ..."""
    return [suffix for _, suffixes, _ in shutil.get_unpack_formats() for suffix in suffixes]


def unpack(archive: Path, target: Path) -> Path:
    """Unpack an archive into the folder `target`, whole or not at all; one that is there already is left as it is.

    Raises PhotoError for a file that is no archive or is damaged, TrainingError when there is no room: a stranger's few
    megabytes may hold terabytes of zeros.
    """
    if target.is_dir():
        return target
    partial = target.with_name(f".{target.name}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        room = _Room(archive, partial)
        safe: dict[str, Any] = {"filter": room.member}
        if archive.suffix.lower() == ".zip":
            with zipfile.ZipFile(archive) as file:
                room.take(entry.file_size for entry in file.infolist())
            safe = {}  # shutil leaves links and what would lead out of the folder aside
        shutil.unpack_archive(archive, partial, **safe)
        partial.rename(target)
    except TypeError as error:
        raise TrainingError(
            "unpacking a tar safely needs Python 3.10.12, 3.11.4 or later: unpack it, give the folder"
        ) from error
    except OSError as error:
        if isinstance(error, (shutil.ReadError, tarfile.TarError)):
            raise _damaged(archive, error) from error
        raise TrainingError(f"cannot unpack {archive.name} into {target}: {error}") from error
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError) as error:
        raise _damaged(archive, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


class _Room:
    """How much of what is free where `folder` lies an archive may still take: SHARE of it, at first."""

    def __init__(self, archive: Path, folder: Path):
        self._archive, self._folder = archive, folder
        self._all = self._left = SHARE * shutil.disk_usage(folder).free

    def take(self, sizes: Iterable[int]) -> None:
        """Take room for files of so many bytes. Raises TrainingError when there is not enough."""
        self._left -= sum(size + BLOCK for size in sizes)
        if self._left < 0:
            raise TrainingError(
                f"{self._archive.name} unpacks to more than {self._all / 2**30:,.1f} GiB, {SHARE:.0%} of what is free in "
                f"{self._folder.parent}: make room, or unpack what you need of it and give the folder"
            )

    def member(self, member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
        """Filter of a tar: as tarfile's own for data, which takes no links out of the folder and nothing outside of it."""
        self.take([member.size])
        return tarfile.data_filter(member, path)


def _damaged(archive: Path, error: Exception) -> PhotoError:
    return PhotoError(f"cannot unpack {archive.name} ({error}): give a folder, or a sound {', '.join(archive_suffixes())}")
