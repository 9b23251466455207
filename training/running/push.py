"""Publishing what was trained; looked at before the training, so that nothing fails after hours that could fail at once."""

from collections.abc import Callable
from pathlib import Path

from training.running.export import ADAPTER
from training.running.run import Run
from training.running.start import known_as
from zoo.errors import ConfigError


def check_push(run: Run, to: str) -> None:
    """Raise ZooError when the style, or the adapter to the one it starts from, could not be published as `to`."""
    from zoo import hub  # here, as only some trainings need the Hub

    repo = check_publishable(run, to)
    if (owner := repo.split("/")[0]) not in (known := hub.accounts()):
        raise ConfigError(f"--push-to {to}: your login may write to {', '.join(known)}, not to {owner}")
    hub.check_target(hub.Target(repo))


def check_publishable(run: Run, to: str) -> str:
    """The repository `to`; what can be told without asking the Hub. Raises ZooError as `check_push` does."""
    from zoo import hub
    from zoo.sharing import PROVENANCE, check_base

    config, paintings = run.config, run.paintings
    repo, revision = hub.split_id(to)
    if revision:
        raise ConfigError(f"--push-to {repo}, without @{revision}: a commit makes a new revision")
    if len(paintings) > 1 or config.identity_weight:
        raise ConfigError(
            "--push-to takes one style: publish each folder of several by python -m zoo publish OUT/SLUG --to ..."
        )
    if "instance" not in run.norms:
        raise ConfigError("--push-to publishes a whole style: train it with --pair or --norm instance")
    if missing := [f"--{key}" for key in PROVENANCE if not paintings[0].facts.get(key)]:
        raise ConfigError(f"--push-to needs to know where the painting comes from: give {', '.join(missing)}")
    if config.only != "all":
        check_base(known_as(run.start[0]))
    return repo


def push(out: Path, to: str, only: str, say: Callable[[str], None]) -> None:
    """Publish the finished style folder, or the adapter in it when `only` a part was trained, and say where it is."""
    from zoo import sharing

    say(sharing.publish(out if only == "all" else out / ADAPTER, to))
