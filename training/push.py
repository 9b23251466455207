"""Publishing what was trained; looked at before the training, so that nothing fails after hours that could fail at once."""

from collections.abc import Callable
from pathlib import Path

from training.config import TrainConfig
from training.paintings import Painting
from zoo.errors import ConfigError
from zoo.trust import PROVENANCE


def check_push(to: str, config: TrainConfig, paintings: list[Painting], norms: tuple[str, ...]) -> None:
    """Raise ZooError when the style could not be published as owner/name `to`."""
    from zoo import hub  # here, as only some trainings need the Hub

    repo, revision = hub.split_id(to)
    if revision:
        raise ConfigError(f"--push-to {repo}, without @{revision}: a commit makes a new revision")
    if len(paintings) > 1 or config.identity_weight:
        raise ConfigError(
            "--push-to takes one style: publish each folder of several by python -m zoo publish OUT/SLUG --to ..."
        )
    if "instance" not in norms:
        raise ConfigError("--push-to publishes a whole style: train it with --pair or --norm instance")
    if missing := [f"--{key}" for key in PROVENANCE if not paintings[0].facts.get(key)]:
        raise ConfigError(f"--push-to needs to know where the painting comes from: give {', '.join(missing)}")
    if (owner := repo.split("/")[0]) not in (known := hub.accounts()):
        raise ConfigError(f"--push-to {to}: your login may write to {', '.join(known)}, not to {owner}")
    hub.check_target(repo)


def push(out: Path, to: str, say: Callable[[str], None]) -> None:
    """Publish the finished style folder, and say where it is."""
    from zoo import hub

    say(hub.publish(out, to))
