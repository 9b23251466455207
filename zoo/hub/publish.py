"""Publishing: a style folder as a model repository, the page as a Space; each as one commit."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import CommitInfo, HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from zoo import folder, trust
from zoo.card import TAG, make_card
from zoo.errors import HubAccessError, HubNotFoundError, StyleFolderError
from zoo.hub.client import endpoint, split_id, translated
from zoo.hub.waiting import TIMEOUT, UPLOAD, patiently, within
from zoo.style import Style, at

UNTOUCHED = {".gitattributes", "README.md"}  # what a repository that was just made on the Hub's site holds


def publish(
    source: str | Path | Style,
    to: str,
    private: bool = False,
    pull_request: bool = False,
    message: str | None = None,
    dry_run: bool = False,
    token: str | None = None,
    replace: bool = False,
    licence: str | None = None,
) -> str:
    """Upload a style folder as one commit of owner/name (made if need be), or as a pull request to it; returns its address.

    The card is written anew from recipe and metrics; the weights are under `licence`, or what the recipe says. What the
    repository held of an earlier version and the folder no longer has is removed; nothing changed makes no commit. A dry run
    returns what would be done, in words. Raises ZooError for a folder that should not be published, HubError when the Hub
    refuses, or owner/name holds something else than a style and is not to be replaced.
    """
    style = source if isinstance(source, Style) else at(source)
    files, (repo, revision) = trust.publishable_files(style), split_id(to)
    if revision:
        raise HubNotFoundError(f"publish to {repo}, without @{revision}: a commit makes a new revision")
    card = make_card(Style(repo.split("/")[1], style.folder, style.source), repo, endpoint(), licence)
    if not pull_request:
        plan = check_target(repo, replace=replace, private=private, token=token)
    if dry_run:
        return f"would open a pull request to {endpoint()}/{repo}" if pull_request else plan
    api = HfApi(endpoint=endpoint(), token=token)
    with tempfile.TemporaryDirectory() as staged, _staged(staged, {str(p.relative_to(style.folder)): p for p in files}, to):
        (Path(staged) / "README.md").write_text(card, encoding="utf-8")
        if not pull_request:
            within(TIMEOUT, lambda: api.create_repo(repo, private=private or None, exist_ok=True))
        done = upload(
            api,
            repo_id=repo,
            folder_path=staged,
            commit_message=message or f"{style.title}: {' and '.join(style.norms)} norm",
            delete_patterns=[*trust.RECORDS, *trust.WEIGHTS, folder.PAINTING_LICENCE, "images/*", "batch/*"],
            create_pr=pull_request,
        )
    return str(done.pr_url or done)


def deploy(files: dict[str, Path], to: str, private: bool = False, dry_run: bool = False, replace: bool = False) -> str:
    """Make the Space `to` hold exactly these files (name there -> file here), as one commit; returns its address.

    A dry run returns what would be done, in words. Raises HubError when the Hub refuses, or `to` is another Space than this
    page's and is not to be replaced.
    """
    repo, _ = split_id(to)
    plan = check_target(repo, "space", replace, private)
    if dry_run:
        return plan
    api = HfApi(endpoint=endpoint())
    with tempfile.TemporaryDirectory() as staged, _staged(staged, files, to):
        options = {"repo_type": "space", "space_sdk": "gradio", "private": private or None, "exist_ok": True}
        within(TIMEOUT, lambda: api.create_repo(repo, **options))
        options = {"repo_type": "space", "delete_patterns": "*", "commit_message": "deploy"}
        return str(upload(api, repo_id=repo, folder_path=staged, **options))


def check_target(repo: str, kind: str = "model", replace: bool = False, private: bool = False, token: str | None = None) -> str:
    """What an upload to owner/name would do, in words: make it, or go on from the commit that is there.

    Raises HubAccessError when it is there, holds something else than a style ("model") or this page ("space") and is not to
    be replaced, or is public and should be private; HubError when the Hub cannot say.
    """
    api, where = HfApi(endpoint=endpoint(), token=token), f"{endpoint()}/{'spaces/' if kind == 'space' else ''}{repo}"
    with translated(repo):
        try:
            info = patiently(lambda: within(TIMEOUT, lambda: api.repo_info(repo, repo_type=kind, timeout=2 * TIMEOUT)))
        except GatedRepoError:
            raise
        except RepositoryNotFoundError:
            return f"would make {where}"
    files = {file.rfilename for file in info.siblings or ()} - UNTOUCHED
    ours = TAG in (info.tags or ()) or not files
    if private and not info.private:
        raise HubAccessError(f"{repo} is public already: make it private on its page, or choose another name")
    if not ours and not replace:
        what = "style" if kind == "model" else "Space of this page"
        raise HubAccessError(
            f"{repo} is there already and is no {what}, it lacks the tag {TAG}: {len(files)} files might be overwritten "
            f"({', '.join(sorted(files)[:4])}{' ...' if len(files) > 4 else ''}); choose another name, or say --replace"
        )
    return f"would {'go on from' if ours else 'REPLACE what lies at'} commit {(info.sha or '')[:12]} of {where}"


def upload(api: HfApi, **options: object) -> CommitInfo:
    """`upload_folder`, given up after UPLOAD seconds. To call again does no harm: what has arrived is not sent again."""
    return within(UPLOAD, lambda: api.upload_folder(**options))


@contextmanager
def _staged(staged: str, files: dict[str, Path], what: str) -> Iterator[None]:
    """Copy files (name there -> file here) into a folder; inside, errors are the Hub's about `what`."""
    try:
        for name, path in files.items():
            (Path(staged) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, Path(staged) / name)
    except OSError as error:
        raise StyleFolderError(f"cannot copy what is to be uploaded: {error}") from error
    with translated(what):
        yield
