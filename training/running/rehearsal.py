"""A run that is looked at and not made: what could fail after hours fails at once, without a network."""

from pathlib import Path

from training.data.archives import dataset_of
from training.data.crops import PhotoFolder
from training.running.push import check_publishable
from training.running.run import Run
from training.running.start import known_as
from zoo.device import device_name, pick_device
from zoo.errors import PhotoError


def rehearse(run: Run) -> list[str]:
    """What a run would do, in lines, once its paintings and photos are read. The Hub is not asked, nothing is written.

    Raises ZooError for what the run itself would stop at, as far as this can be told so. That a login is missing is one of the
    lines.
    """
    config = run.config
    lines = [
        f"painting   {painting.file.name}, {_size(painting.image().size, config.style_size)}" for painting in run.paintings
    ]
    began = f", begins from {', '.join(map(known_as, run.start))}" if run.start else ""
    lines += [
        f"photos     {_photos(run)}",
        f"recipe     {config.steps} steps of {config.batch_size} photos at {config.crop_size} px, "
        f"{' and '.join(run.norms)} norm{began}",
        f"device     {device_name(pick_device(run.options.device))}",
        f"style      {run.out.name}",
    ]
    if to := run.options.push_to:
        check_publishable(run, to)
        from zoo import hub  # here, as only some trainings need the Hub

        login = "there is a token, and the Hub was not asked about it"
        if not hub.has_token():
            login = "needs a login first: run `hf auth login`, or set HF_TOKEN (a job: --secrets HF_TOKEN)"
        lines.append(f"published  as {to}; {login}")
    return lines


def _size(size: tuple[int, int], wanted: int) -> str:
    small = (
        f", which is enlarged to a short side of {wanted}: a larger reproduction would be better" if min(size) < wanted else ""
    )
    return f"{size[0]}×{size[1]} px{small}"


def _photos(run: Run) -> str:
    """Where they are from, and how many, if they lie here. Raises PhotoError for none."""
    if not run.config.takes_photo:
        return "none: it learns from noise"
    if dataset := dataset_of(run.content):
        return f"the data set {dataset} of the Hub, which was not asked for"
    path = Path(run.content)
    if path.is_file():
        return f"{path.name}, {path.stat().st_size / 2**20:.1f} MiB, not unpacked"
    if not path.is_dir():
        raise PhotoError(f"--content {run.content}: no such folder or archive, and no owner/name of a Hub dataset")
    config = run.config
    photos = PhotoFolder(path, config.crop_size, config.seed, config.photo_count, config.zoom)
    photos[0]  # raises when none can be read
    return f"{len(photos.photos)} in {path.name}"
