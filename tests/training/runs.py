"""The tiny training that the tests of the trainer share: its command and what its log says."""

from zoo.records import read_log

STEPS = 6
SMALL = 80  # px: at which trainings of tests measure and show, see conftest.smaller


def command(examples, out, *more):
    painting = examples / "sunset.jpg"
    return [
        "--recipe",
        "smoke",
        "--pair",
        "--style-image",
        painting,
        "--content",
        examples,
        "--out",
        out,
        "--log-every",
        1,
        *more,
    ]


def losses(out):
    """What a log says of every step, held-out measurements apart; speeds are left out, they differ from run to run."""
    records = read_log(out / "run" / "log.jsonl")
    return [(r["step"], r["instance"], r["batch"]) for r in records if "held_out" not in r]


def measurements(out):
    records = read_log(out / "run" / "log.jsonl")
    return [(r["step"], r["held_out"]) for r in records if "held_out" in r]
