"""Uploads: the files of a style as a model repository, the page, of either kind, as a Space; each as one commit."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from huggingface_hub import HfApi, ModelInfo, SpaceInfo
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.utils import filter_repo_objects

from zoo.card import TAG
from zoo.errors import HubAccessError, HubNotFoundError, HubUnavailableError, StyleFolderError
from zoo.folder import CONFIG
from zoo.hub.client import endpoint, split_id, translated
from zoo.hub.waiting import TIMEOUT, UPLOAD, patiently, within

UNTOUCHED = {".gitattributes"}  # what a repository that was just made on the Hub's site holds: nothing that somebody wrote


@dataclass(frozen=True)
class Target:
    """Where an upload goes, owner/name, and what it may do there: make it private, open a pull request to it instead of
    writing, replace what is no style or page; `token` is whose login it uses, by default this machine's; `hardware`, as the
    Hub calls it, is what a Space that is made runs on (one that is there keeps its own), `sdk` what shows it, gradio or, of
    files alone, static."""

    name: str
    private: bool = False
    pull_request: bool = False
    replace: bool = False
    token: str | None = None
    hardware: str | None = None
    sdk: str = "gradio"

    @property
    def repo(self) -> str:
        """owner/name. Raises HubNotFoundError for what is none, or names a revision."""
        repo, revision = split_id(self.name)
        if revision:
            raise HubNotFoundError(f"publish to {repo}, without @{revision}: a commit makes a new revision")
        return repo


def upload_style(files: dict[str, Path], card: str, message: str, to: Target, old: list[str]) -> str:
    """Upload the files of a style (name there -> file here) and its card as one commit, or a pull request; its address.

    What matches `old` and is not among the files is removed; nothing changed makes no commit. Raises HubError when the Hub
    refuses.
    """
    api = HfApi(endpoint=endpoint(), token=to.token)
    with tempfile.TemporaryDirectory() as staged, _staged(staged, files, to.name):
        (Path(staged) / "README.md").write_text(card, encoding="utf-8")
        if not to.pull_request:
            within(TIMEOUT, lambda: api.create_repo(to.repo, private=to.private or None, exist_ok=True))
        # given up after a while: to publish again does no harm, what has arrived is not sent again
        send = partial(api.upload_folder, repo_id=to.repo, folder_path=staged, commit_message=message)
        done = within(UPLOAD, lambda: send(delete_patterns=old, create_pr=to.pull_request))
    return str(done.pr_url or done)


def deploy(files: dict[str, Path | str], to: Target, dry_run: bool = False) -> str:
    """Make a Space hold these files (name there -> file here, or text), as one commit; returns its address.

    What else lies in their folders there, as of an earlier version, is removed; with `replace`, whatever else lies there is.
    A dry run returns what would be done, in words, see `would`. Raises HubError when the Hub refuses, or it is another Space
    than this page's and is not to be replaced.
    """
    old = ["*"] if to.replace else sorted({f"{name.split('/')[0]}/*" for name in files if "/" in name})
    if dry_run:
        return would(to, "space", files, old)
    check_target(to, "space", files, old)
    api = HfApi(endpoint=endpoint(), token=to.token)
    with tempfile.TemporaryDirectory() as staged, _staged(staged, files, to.name):
        make = partial(api.create_repo, to.repo, repo_type="space", space_sdk=to.sdk, private=to.private or None)
        within(TIMEOUT, lambda: make(exist_ok=True, space_hardware=to.hardware))  # type: ignore[arg-type]  # its name will do
        send = partial(api.upload_folder, repo_id=to.repo, repo_type="space", folder_path=staged)
        return str(within(UPLOAD, lambda: send(delete_patterns=old, commit_message="deploy")))


def space_hardware(name: str) -> str | None:
    """What a Space runs on, or is to run on, as the Hub calls it; None where there is none, or it is not known."""
    api, repo = HfApi(endpoint=endpoint()), Target(name).repo
    with translated(repo):
        try:
            runtime = patiently(lambda: within(TIMEOUT, lambda: api.space_info(repo, timeout=2 * TIMEOUT))).runtime
        except RepositoryNotFoundError:
            return None
    return (runtime.requested_hardware or runtime.hardware) if runtime else None


def check_target(to: Target, kind: str = "model", files: Iterable[str] = (), old: list[str] | None = None) -> str:
    """What an upload of these files would do, in words: make the repository, open a pull request, or go on from the commit that
    is there, and which of the files there that match `old` it would remove.

    Raises HubNotFoundError for a pull request to what is not there; HubAccessError when it is there, holds something else than
    a style ("model") or this page ("space") and is not to be replaced, or is public and should be private; HubError when the
    Hub cannot say.
    """
    repo = to.repo
    where = f"{endpoint()}/{'spaces/' if kind == 'space' else ''}{repo}"
    if (info := _find(to, kind)) is None:
        if to.pull_request:
            raise HubNotFoundError(f"{repo} is not there, or not for you to see: without --pr it is made, if it is to be yours")
        return f"would make {where}"
    with translated(repo):
        there = {str(file.rfilename) for file in info.siblings or ()} - UNTOUCHED
        tagged, sha = TAG in (info.tags or ()), str(info.sha)[:12]
        sdk = getattr(info, "sdk", None) or to.sdk  # of a Space: this page has two kinds, neither goes over the other
        whole = kind == "space" or CONFIG in there  # anybody may give anything our tag
        ours = not there or (tagged and whole and sdk == to.sdk)
        gone = sorted(filter_repo_objects(there - set(files), allow_patterns=old or []))
    if to.private and not info.private:
        raise HubAccessError(f"{repo} is public already: make it private on its page, or choose another name")
    if not ours and not to.replace:
        what = "style" if kind == "model" else "Space of this page"
        why = f"it lacks the tag {TAG}"
        if tagged:
            why = f"it is a {sdk} one, not {to.sdk}" if whole else f"it has no {CONFIG}"
        raise HubAccessError(
            f"{repo} is there already and is no {what}, {why}: {len(there)} files might be overwritten "
            f"({', '.join(sorted(there)[:4])}{' ...' if len(there) > 4 else ''}); choose another name, or say --replace"
        )
    how = "open a pull request to" if to.pull_request else "go on from" if ours else "REPLACE what lies at"
    return f"would {how} commit {sha} of {where}" + (f", and remove {', '.join(gone)}" if gone else "")


def would(to: Target, kind: str = "model", files: Iterable[str] = (), old: list[str] | None = None) -> str:
    """What `check_target` says; where the Hub cannot be reached that it was not asked, and why: a rehearsal needs no network.

    Raises HubError for all else that check_target raises.
    """
    try:
        return check_target(to, kind, files, old)
    except HubUnavailableError as error:
        return f"would go to {to.repo}; what lies there is not known, as the Hub could not be asked ({error})"


def is_there(to: Target) -> bool:
    """Whether the repository is there already, as far as the token can see. Raises HubError when the Hub cannot say."""
    return _find(to, "model") is not None


def _find(to: Target, kind: str) -> ModelInfo | SpaceInfo | None:
    api, repo = HfApi(endpoint=endpoint(), token=to.token), to.repo
    with translated(repo):
        try:
            ask = api.space_info if kind == "space" else api.model_info
            return patiently(lambda: within(TIMEOUT, lambda: ask(repo, timeout=2 * TIMEOUT)))
        except GatedRepoError:
            raise
        except RepositoryNotFoundError:
            return None


@contextmanager
def _staged(staged: str, files: Mapping[str, Path | str], what: str) -> Iterator[None]:
    """Copy files (name there -> file here, or text) into a folder; inside, errors are the Hub's about `what`."""
    try:
        for name, file in files.items():
            target = Path(staged) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(file, str):
                target.write_text(file, encoding="utf-8")
            else:
                shutil.copyfile(file, target)
    except OSError as error:
        raise StyleFolderError(f"cannot copy what is to be uploaded: {error}") from error
    with translated(what):
        yield
