"""Photos of a Hub dataset, file by file into the client's own cache, none waited for beyond its time."""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import HTTPError
from tqdm import tqdm

from zoo.errors import HubError, HubUnavailableError
from zoo.hub.client import commit_of, endpoint, read_token, split_id, translated
from zoo.hub.waiting import is_refusal, patiently, within
from zoo.images import SUFFIXES

LISTING = 60.0  # s, for the names of what may be a hundred thousand files
DEADLINE, SLOWEST = 60.0, 50_000  # s for a file, and for each so many bytes of it one more
AT_ONCE = 8  # files


def pull_pictures(name: str, archives: tuple[str, ...]) -> Path:
    """Folder with the picture files of a Hub dataset, and those that end in one of `archives`; in the Hub's cache.

    What is cached is taken when the Hub does not answer. Raises HubError when there is no such dataset, it holds none of
    them, or the Hub cannot be reached or takes longer for one of them than anybody would wait.
    """
    repo, revision = split_id(name)
    wanted = tuple(suffix.lower() for suffix in (*SUFFIXES, *archives))
    with translated(f"dataset {name}"):
        try:
            sha, sizes = patiently(lambda: within(LISTING, lambda: _list_files(repo, revision)))
        except (HTTPError, OSError, HubUnavailableError) as error:
            if is_refusal(error):
                raise
            folder: Path | None = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
        else:
            folder = _fetch(repo, sha, {file: size for file, size in sizes.items() if file.lower().endswith(wanted)})
            if folder:
                _remember(folder, revision or "main")
    if folder is None or not any(path.name.lower().endswith(wanted) for path in folder.rglob("*")):
        raise HubError(f"dataset {name} holds no picture files and no zip or tar of them: export it as an image folder")
    return folder


def _list_files(repo: str, revision: str | None) -> tuple[str, dict[str, int]]:
    """The commit that a revision is, and the size of each file in it, in bytes."""
    info = HfApi(endpoint=endpoint(), token=read_token()).dataset_info(repo, revision=revision, files_metadata=True)
    return commit_of(info), {file.rfilename: file.size or 0 for file in info.siblings or ()}


def _fetch(repo: str, sha: str, sizes: dict[str, int]) -> Path | None:
    """The folder of a commit in the client's cache, with these files in it; None where there are none."""
    folders: set[Path] = set()

    def fetch(file: str) -> None:
        def download() -> str:
            return hf_hub_download(repo, file, repo_type="dataset", revision=sha, endpoint=endpoint(), token=read_token())

        path = Path(patiently(lambda: within(DEADLINE + sizes[file] / SLOWEST, download)))
        folders.add(path.parents[len(PurePosixPath(file).parts) - 1])

    _each(list(sizes), fetch)
    return next(iter(folders), None)


def _remember(folder: Path, revision: str) -> None:
    """Note in the client's cache (its layout is documented: snapshots/SHA beside refs/REVISION) which commit a revision was, so
    that it is found when the Hub is away: the client notes it of files asked for by the revision, which may move meanwhile."""
    ref = folder.parents[1] / "refs" / revision
    if folder.name != revision and ".." not in ref.parts:
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(folder.name, encoding="utf-8")


def _each(files: list[str], fetch: Callable[[str], None]) -> None:
    """`fetch` of each file, AT_ONCE of them; the first error ends it. The threads are nobody's to wait for at exit."""
    waiting, errors = deque(files), list[Exception]()
    with tqdm(total=len(files), unit="file", disable=None) as bar:

        def work() -> None:
            while waiting and not errors:
                try:
                    fetch(waiting.popleft())
                    bar.update()
                except IndexError:  # another took the last
                    return
                except Exception as error:  # handed over to the caller
                    errors.append(error)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(files)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and not errors:
                thread.join(0.1)
    if errors:
        raise errors[0]
