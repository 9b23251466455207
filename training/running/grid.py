"""A grid of short trainings, style weight across, style size down, as one contact sheet."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from training.config import TrainConfig
from training.data.paintings import Painting
from training.drawing.sheet import contact_sheet
from training.objective.vgg import load_vgg
from training.records import differences
from training.running.loop import complete
from training.running.run import Run, RunOptions
from training.running.start import describe_start, with_tensors_hashed
from zoo.errors import TrainingError
from zoo.folder import sha256, write_whole
from zoo.images import fit_long_side, open_photo
from zoo.painter import stylize
from zoo.records import read_record
from zoo.style import Style, style_at

CELL = 320  # px
IN_NAME = ("style_weight", "style_size", "steps")  # of the folder of a cell


@dataclass(frozen=True)
class Grid:
    """What the cells of a grid share. Each is the instance-norm generator after `base.steps` steps, in a folder of its own."""

    base: TrainConfig
    painting: Path
    content: str | Path
    out: Path
    start: tuple[Style, ...] = ()

    def folder(self, config: TrainConfig) -> Path:
        """Where a cell is trained."""
        return self.out / f"weight-{config.style_weight:g}-size-{config.style_size}-steps-{config.steps}"

    def check(self) -> None:
        """Raise TrainingError when `out` holds cells that differ in more than style weight, style size and steps."""
        shared = {key: value for key, value in dataclasses.asdict(self.base).items() if key not in IN_NAME}
        shared |= {"painting": sha256(self.painting), "content": str(self.content)}
        shared["from"] = began = describe_start(self.start, ("instance",))
        record, text = self.out / "probe.json", json.dumps(shared, indent=1)
        known = with_tensors_hashed(read_record(record), self.start, began)
        if record.is_file() and (other := differences(known, json.loads(text))):
            raise TrainingError(f"{self.out} holds cells that differ in {', '.join(other)}: choose another --out")
        write_whole({record: text.encode()})

    def train(self, weights: list[float], sizes: list[int], photo: Path) -> Image.Image:
        """Train the missing cells and return the contact sheet: rows are style sizes, columns style weights.

        Raises ZooError for bad input.
        """
        picture, painting = (fit_long_side(open_photo(path), CELL) for path in (photo, self.painting))
        rows, vgg = [], load_vgg()
        for size in sizes:
            row = [painting]
            for weight in weights:
                config = dataclasses.replace(self.base, style_weight=weight, style_size=size)
                folder = self.folder(config)
                print(f"style weight {weight:g}, style size {size} px, {config.steps} steps")
                if not (folder / "model.safetensors").is_file():
                    options = RunOptions(preview_every=config.steps, log_every=min(10, config.steps))
                    paintings = [Painting(self.painting, folder.name)]
                    complete(Run(config, paintings, self.content, folder, ("instance",), options, self.start), vgg)
                row.append(stylize(picture, style_at(folder)))
            rows.append(row)
        captions = ["painting", *(f"style weight {weight:g}" for weight in weights)]
        shown = f"after {self.base.steps} steps; rows: style size {', '.join(map(str, sizes))} px"
        return contact_sheet(rows, captions, shown)
