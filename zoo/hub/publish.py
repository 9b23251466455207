"""Publishing: a style folder as a model repository, the page as a Space; each as one commit."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import CommitInfo, HfApi

from zoo import folder, trust
from zoo.card import make_card
from zoo.catalog import Style, at
from zoo.errors import HubAccessError, HubNotFoundError, StyleFolderError
from zoo.hub.client import endpoint, split_id, translated
from zoo.hub.waiting import UPLOAD, within


def publish(
    source: str | Path | Style,
    to: str,
    private: bool = False,
    pull_request: bool = False,
    message: str | None = None,
    dry_run: bool = False,
    token: str | None = None,
) -> str:
    """Upload a style folder as one commit of owner/name (made if need be), or as a pull request to it; returns its address.

    The card is written anew from recipe and metrics. What the repository held of an earlier version and the folder no longer
    has is removed; nothing changed makes no commit. Raises ZooError for a folder that should not be published, HubError
    when the Hub refuses.
    """
    style = source if isinstance(source, Style) else at(source)
    files, (repo, revision) = trust.publishable_files(style), split_id(to)
    if revision:
        raise HubNotFoundError(f"publish to {repo}, without @{revision}: a commit makes a new revision")
    if dry_run:
        return f"{endpoint()}/{repo}"
    api, named = HfApi(endpoint=endpoint(), token=token), Style(repo.split("/")[1], style.folder, style.source)
    with tempfile.TemporaryDirectory() as staged, _staged(staged, {str(p.relative_to(style.folder)): p for p in files}, to):
        (Path(staged) / "README.md").write_text(make_card(named, repo), encoding="utf-8")
        if not pull_request:
            api.create_repo(repo, private=private or None, exist_ok=True)
            if private and not api.model_info(repo).private:
                raise HubAccessError(f"{to} is public already: make it private on its page, or choose another name")
        done = upload(
            api,
            repo_id=repo,
            folder_path=staged,
            commit_message=message or f"{style.title}: {' and '.join(style.norms)} norm",
            delete_patterns=[folder.CONFIG, *trust.WEIGHTS, "recipe.yaml", "metrics.json", "images/*", "batch/*"],
            create_pr=pull_request,
        )
    return str(done.pr_url or done)


def deploy(files: dict[str, Path], to: str, private: bool = False) -> str:
    """Make the Space `to` hold exactly these files (name there -> file here), as one commit; returns its address."""
    repo, _ = split_id(to)
    api = HfApi(endpoint=endpoint())
    with tempfile.TemporaryDirectory() as staged, _staged(staged, files, to):
        api.create_repo(repo, repo_type="space", space_sdk="gradio", private=private or None, exist_ok=True)
        options = {"repo_type": "space", "delete_patterns": "*", "commit_message": "deploy"}
        return str(upload(api, repo_id=repo, folder_path=staged, **options))


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
