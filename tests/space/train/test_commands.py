"""Every command that the page shows is one that its program takes, whatever a painting is called."""

import dataclasses
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from space.train import commands
from space.train.commands import MACHINES, Wish
from tests.conftest import ROOT
from training.config import RECIPES, TrainConfig, load_recipe
from training.data.paintings import FACTS, read_paintings
from training.running.push import check_publishable
from training.running.run import Run
from training.train import make_parser
from zoo.__main__ import make_parser as zoo_parser
from zoo.catalog import find

FULL = {"title": "The Starry Night", "author": "Vincent van Gogh", "year": "1889", "licence": "public domain", "source": "MoMA"}
HOSTILE = [
    "'; touch /tmp/gotcha; '",
    "$(touch gotcha) `touch gotcha` ${HOME} !! \\",
    "\"double\" and 'single'",
    "--out=/ -rf",
    "-x",
    "two\nlines\r\n\ttouch gotcha\x00\x1b[31m",
    "\u202etrojan \u2066source\u2069\u200b",
    "神奈川沖浪裏 🌊",
    "a" * 5000,
    "%s %(x)s {0} *",
    "\\",
    "#",
    "~root ~/x",
]


def run_in_shell(text):
    """Words of the commands in a text, a list each, as a shell finds them: every program is one that prints its words."""
    names = ("python", "accelerate", "hf", "pip")
    functions = "\n".join(f"{name}() {{ printf '%s\\0' {name} \"$@\"; printf '\\1\\0'; }}" for name in names)
    done = subprocess.run(["sh", "-euc", f"{functions}\n{text}"], capture_output=True, check=True, cwd="/", env={"HOME": "/me"})
    assert not done.stderr
    return [group.split("\0")[:-1] for group in done.stdout.decode().split("\1\0")[:-1]]


def parse(machine, wish):
    """What the trainer makes of a command."""
    (words,) = run_in_shell(commands.train(machine, wish))
    after = next(i for i, word in enumerate(words) if word in ("training.train", commands.SCRIPT)) + 1
    given = words[after:] if machine != "jobs" else [*words[after:], "--out", "by-the-script"]
    return words[:after], make_parser().parse_args(given)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_trainer_takes_every_command(machine):
    _, args = parse(machine, Wish("starry night.jpg", FULL, "me/photos", "me"))
    assert [str(path) for path in args.style_image] == ["starry night.jpg"] and args.content == "me/photos"
    assert {key: getattr(args, key) for key in commands.FACTS} == FULL
    assert (RECIPES / f"{args.recipe}.yaml").is_file() and not (args.pair and args.norm != "instance")
    config = TrainConfig.from_dict(load_recipe(args.recipe))
    assert config.style_size == MACHINES[machine].painting_at
    assert args.push_to == ("me/the-starry-night" if machine == "jobs" else None)
    assert str(args.out) == ("by-the-script" if machine == "jobs" else "the-starry-night")
    for name in args.start:
        assert set(find(name).norms) >= {"instance"}
    run = Run(config, read_paintings(args.style_image, None, "x"), "photos", Path("x"), ("instance",))
    painting = dataclasses.replace(run.paintings[0], facts=FULL)
    assert check_publishable(dataclasses.replace(run, paintings=[painting]), "me/x") == "me/x"


def test_steps_and_paintings_are_those_of_the_trainer():
    assert set(commands.FACTS) <= set(FACTS)
    assert load_recipe("zoo")["steps"] == 1200 and "1,200 steps" in commands.H200
    batch = load_recipe("zoo")["batch_size"]
    assert re.search(r"--num_processes (\d)", MACHINES["gpus"].start)[1] == str(batch)
    text = (ROOT / "docs" / "DECISIONS.md").read_text(encoding="utf-8")
    assert "66 ms then" in text and round(1200 * 0.066) == 79


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("machine", MACHINES)
def test_what_a_painting_is_called_is_a_word_and_no_command(machine, words):
    wish = Wish(words, dict.fromkeys(FULL, words), words, words)
    start, args = parse(machine, wish)
    said = wish.said.get("title", "")
    assert all(c.isprintable() for c in commands.train(machine, wish).replace("\n", "")) and len(said) <= commands.LONGEST
    assert {getattr(args, key) for key in commands.FACTS} == {said or None}
    assert [path.name for path in args.style_image] == [Path(wish.painting).name]
    assert args.recipe in MACHINES[machine].recipe and not args.vgg_weights != "bundled" and not args.dry_run
    if machine == "jobs":
        assert args.push_to.startswith("YOUR-NAME/") and args.content == "/photos"
        mount = start[start.index("-v") + 1]
        assert mount.endswith(":/photos") and mount.startswith(("./", "/", "~"))
    for text in (commands.install(machine), commands.afterwards(machine, wish), commands.share("./x", wish)):
        for command in run_in_shell(text):
            if command[:3] == ["python", "-m", "zoo"]:
                zoo_parser().parse_args(command[3:])
            else:
                assert command[0] in ("pip", "hf")


def test_names_and_places():
    wish = Wish(r"C:\fakepath\L'Étoile (1).jpg", {}, "~/my photos/", "me")
    assert wish.painting == "L'Étoile (1).jpg" and wish.name == "l-etoile-1" and wish.repo == "me/l-etoile-1"
    _, args = parse("minutes", wish)
    assert args.content == "/me/my photos/" and args.out == Path("l-etoile-1")
    start, args = parse("jobs", wish)
    assert "/me/my photos:/photos" in start and args.content == "/photos"
    assert parse("jobs", Wish(photos="holiday.zip"))[1].content == "holiday.zip"
    assert "./photos:/photos" in parse("jobs", Wish())[0]
    assert Wish("..", {"title": "!?"}).name == "my-painting" and Wish(photos="").repo == "YOUR-NAME/painting"


def test_advice_says_what_is_missing():
    _, needed, name, larger = commands.advice("jobs", Wish(), (400, 900))
    assert "400×900 px" in larger and "short side of 512" in larger and "title, author, licence and source" in needed
    assert "ends at once" in needed and "YOUR-NAME" in name
    assert "Before it can be shared" in commands.advice("laptop", Wish(), None)[1]
    full = commands.advice("laptop", Wish("x.jpg", FULL, owner="me"), (600, 512))
    assert full == [MACHINES["laptop"].says, "", "", ""]


def test_minutes_are_those_of_the_documents():
    text = (ROOT / "docs" / "TRAINING.md").read_text(encoding="utf-8")
    for machine, words in (("minutes", "ten minutes"), ("laptop", "three quarters of an hour"), ("gpu", "79 seconds")):
        assert words in MACHINES[machine].says.lower() and words in text.lower()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'Repository = "{commands.ADDRESS}"' in project
    script = commands.SCRIPT.removeprefix("https://raw.githubusercontent.com/missing-ingredient/missing-ingredient/main/")
    assert (ROOT / script).is_file()


@pytest.mark.slow
def test_hugging_face_jobs_take_the_line(tmp_path):
    """`hf` itself looks at it, offline; the script lies here instead of on the web."""
    (words,) = run_in_shell(commands.train("jobs", Wish("painting.jpg", FULL, "me/photos", "me")))
    words[words.index(commands.SCRIPT)] = str(ROOT / "training" / "jobs" / "train_style.py")
    words[0] = str(Path(sys.executable).parent / "hf")
    done = subprocess.run([*words[:4], "--dry-run", *words[4:]], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"flavor +h200", done.stdout) and re.search(r"timeout +1h", done.stdout) and "HF_TOKEN" in done.stdout
    args = shlex.split(re.search(r"args +(.*)", done.stdout)[1])
    assert make_parser().parse_args([*args, "--out", "x"]).push_to == "me/the-starry-night"
