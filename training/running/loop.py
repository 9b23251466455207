"""The training loop: one generator, or matched twins in lockstep, on accelerate.

Twins see the same crops in the same step: the photo's features are computed once, and seed, data order and schedule
are the same by construction.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from tqdm import tqdm

from training.config import TrainConfig
from training.data.archives import photo_folder
from training.data.crops import PhotoFolder, in_plain_words, make_loader
from training.data.paintings import Painting, row_of_step
from training.objective.pyramid import make_objectives
from training.objective.vgg import VGG16, load_vgg
from training.records import differences
from training.running.checkpoint import load_checkpoint, save_checkpoint
from training.running.export import export_styles
from training.running.lock import only_training
from training.running.memory import with_less_memory
from training.running.optimizers import rate_factor
from training.running.processes import check_processes, make_accelerator, stops, workers
from training.running.push import check_push, push
from training.running.report import RunReport
from training.running.run import Run, RunOptions
from training.running.signals import stop_signals
from training.running.start import with_tensors_hashed
from training.running.twins import Twin, train_step
from zoo.errors import TrainingError
from zoo.style import Style


def run(
    config: TrainConfig,
    paintings: list[Painting],
    content: str | Path,
    out: Path,
    norms: tuple[str, ...] = ("instance", "batch"),
    options: RunOptions | None = None,
    start: tuple[Style, ...] = (),
) -> Path:
    """Train the generators of `norms` against paintings on photos; returns `out`.

    `content` is what `training.data.archives.photo_folder` takes. One painting makes `out` its style folder; several are
    trained into one conditional generator, one style a step, and exported to a style folder out/SLUG each. With `start`,
    trained styles, it begins from their weights. A run that was stopped goes on from its newest checkpoint in out/run.
    Ctrl-C and SIGTERM end it after the step at hand (of several processes: after the next that is logged), with a checkpoint,
    as KeyboardInterrupt. Where memory runs out before anything was kept, all twins start again with a smaller micro-batch,
    which the recipe records. Raises ZooError for bad input, an `out` that holds another run or is trained into right now,
    losses that stay non-finite at any learning rate.
    """
    return complete(Run(config, paintings, content, Path(out), norms, options or RunOptions(), start))


def complete(run: Run, vgg: VGG16 | None = None) -> Path:
    """Bring a run to its end, or to where its options stop it, as `training.run` says.

    `vgg` is the loss network of the options, in float32, of who has loaded it already.
    """
    options, out = run.options, run.out
    if options.push_to:
        check_push(run, options.push_to)
    accelerator = make_accelerator(run.config, len(run.paintings), out, options.track, options.device)
    check_processes(accelerator.num_processes, run.config, run.norms)
    with only_training(run.folder) if accelerator.is_main_process else nullcontext():
        with accelerator.main_process_first():  # the others find what it has unpacked
            folder = photo_folder(run.content, run.folder / "photos")
        state = load_checkpoint(run.checkpoints, accelerator.print)
        if state and not run.config.micro_batch:  # what the memory allowed before
            run = replace(run, config=replace(run.config, micro_batch=state["run"]["recipe"].get("micro_batch", 0)))
        vgg = vgg or load_vgg(options.vgg_weights)
        while True:
            try:
                finished = train(run, folder, vgg, accelerator, state)
                accelerator.wait_for_everyone()
                if finished and options.push_to and accelerator.is_main_process:
                    push(out, options.push_to, run.config.only, accelerator.print)
                accelerator.end_training()
                return out
            except OSError as error:
                what = f"cannot write {error.filename or out} ({error.strerror or error})"
                raise TrainingError(f"{what}: the last checkpoint is kept; make room, then call again to go on") from error
            except (MemoryError, RuntimeError) as error:
                run = replace(run, config=with_less_memory(run.config, error, out, accelerator))
            # outside of the except clause, whose error still holds the memory
            accelerator.print(f"out of memory: starting again with {run.config.micro_batch} pictures at once")
            accelerator.free_memory()


def train(run: Run, folder: Path, vgg: VGG16, accelerator: Accelerator, state: dict | None) -> bool:
    """A run on the photos in `folder`, from a checkpoint's state or the start, with one size of micro-batch, which may be too
    large for the memory. Returns whether the last step of the recipe was done, and the styles exported.
    """
    config, options = run.config, run.options
    photos = PhotoFolder(folder, config.crop_size, config.seed, config.photo_count, config.zoom)
    photos[0]  # raises here, in this process and in plain words, when nothing in the folder can be read
    vgg = vgg.to(accelerator.device)
    objectives = make_objectives(config, run.paintings, vgg)
    twins = [Twin(norm, config, len(objectives), accelerator, run.start) for norm in run.norms]
    report = RunReport(run, photos, accelerator, vgg)
    identification = run.identification(photos)
    first = resume(run, state, identification, twins, accelerator.print)
    if len(firsts := set(gather_object([first]))) > 1:
        raise TrainingError(f"processes would go on after steps {sorted(firsts)}: let all of them see the same {run.out}")
    report.begin(first, twins)

    last = min(config.steps, options.stop_at or config.steps)
    loader = accelerator.prepare(make_loader(photos, first, last, config.batch_size, workers(options, accelerator.device)))
    bar = tqdm(total=config.steps, initial=first, unit="step", smoothing=0.02, disable=not accelerator.is_main_process)
    seconds, began = state["seconds"] if state else 0.0, time.monotonic()  # of training alone, over all sessions
    stopping = False
    with bar, stop_signals() as signals:
        for step, batch in enumerate(in_plain_words(loader), first + 1):
            batch = batch.to(accelerator.device, memory_format=torch.channels_last)
            row = row_of_step(step, len(objectives), config.seed)
            factor = rate_factor(config, step)
            losses = train_step(twins, objectives[row], batch, row, factor, config.micro_batch, seed=step)
            bar.update()
            seconds += time.monotonic() - began
            log, checkpoint = (step % every == 0 or step == last for every in (options.log_every, options.checkpoint_every))
            log = log or step == 1
            stopping = stops(accelerator, signals, log or checkpoint)
            checkpoint = checkpoint or stopping
            if log or checkpoint:
                for twin in twins:
                    twin.react_to_skipped_steps(step, bar.write)
            if log:
                speed = step * config.batch_size / seconds
                means = {norm: {k: accelerator.reduce(v, "mean").item() for k, v in f.items()} for norm, f in losses.items()}
                report.log(step, {"style": run.slugs[row], **means}, seconds=round(seconds, 1))
                totals = {norm: f"{found['total']:.3g}" for norm, found in means.items()}
                bar.set_postfix({**totals, "pictures/s": f"{speed:.1f}"})
            if checkpoint and accelerator.is_main_process:
                state = {twin.norm: twin.state_dict() for twin in twins}
                save_checkpoint(run.checkpoints, step, {"run": identification, "seconds": seconds, **state})
            report.after_step(step, last, twins, bar.write)
            if stopping:
                last = step
                break
            began = time.monotonic()
    if accelerator.is_main_process and (last == config.steps or options.export_stopped):
        export_styles(report, twins, last)
    if stopping:
        raise KeyboardInterrupt
    return last == config.steps


def resume(run: Run, state: dict | None, identification: dict, twins: list[Twin], say: Callable[[str], None]) -> int:
    """Take up the state of a checkpoint, if there is one; returns the step it was made after, or 0.

    Raises TrainingError when it is of another run than `identification` describes.
    """
    if state is None:
        return 0
    anew = f"choose another --out, or delete {run.folder} to start anew"
    known = with_tensors_hashed(state["run"], run.start, run.started_from)
    there, here = ({**record, **record["recipe"], "recipe": {}} for record in (known, identification))
    if other := differences(there, here):
        raise TrainingError(f"{run.out} holds a run that differs in {', '.join(other)}: {anew}")
    try:
        for twin in twins:
            twin.load_state_dict(state[twin.norm])
    except (KeyError, ValueError) as error:
        raise TrainingError(f"{run.checkpoints} is of another version of the trainer (no {error}): {anew}") from error
    say(f"resuming after step {state['step']} of {run.config.steps}")
    return state["step"]
