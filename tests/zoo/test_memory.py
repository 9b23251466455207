"""What a picture takes of the memory is known before; what does not fit is refused in words."""

import platform
import re
import subprocess
import sys
import threading
import time

import psutil
import pytest
import torch
from PIL import Image, ImageChops

import zoo
from tests.conftest import ROOT
from zoo import memory
from zoo.__main__ import main
from zoo.errors import ConfigError, PhotoError
from zoo.memory import VARIABLE, Budget, allowance, available, longest_side, peak_bytes, whole

CPU, WIDE = torch.device("cpu"), zoo.GeneratorConfig(architecture="texture", width=64)


@pytest.mark.slow
@pytest.mark.parametrize("one", ["johnson instance 16 1024 768", "texture instance 8 768 512", "synthesis batch 8 512 512"])
def test_it_is_what_painting_takes(one):
    """Measured in a process of its own: never more than was foretold, nor much less (issue 13, items 33 and 35)."""
    command = [sys.executable, "-m", "benchmarks.painting_memory", *one.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert 0.5 < float(done.stdout.split()[-1]) <= 1.05, done.stdout + done.stderr


def test_the_texture_network_costs_what_its_maps_cost():
    """Not its width alone is bounded: at one width it takes five times as much (issue 13, item 33)."""
    size = (768, 768)
    assert peak_bytes(WIDE, size) > 4.5 * peak_bytes(zoo.GeneratorConfig(width=64), size)
    assert peak_bytes(WIDE, size) > 5.5 * 2**30


def test_a_photo_that_would_not_fit_is_refused_before_anything_is_taken(small_pair, monkeypatch):
    """The size that the error names is painted (issue 13, item 35)."""
    monkeypatch.setenv(VARIABLE, "100M")
    photo, generator = Image.new("RGB", (3000, 2000), "teal"), zoo.load(small_pair)
    monkeypatch.setattr("zoo.engine.painting.to_tensor", lambda *_: pytest.fail("was allocated"))
    before = psutil.Process().memory_info().rss
    with pytest.raises(PhotoError, match=r"3000×2000 px would take 664 MiB of memory .* 100 MiB") as refused:
        zoo.paint(generator, photo)
    assert psutil.Process().memory_info().rss - before < 100 * 2**20
    monkeypatch.undo()
    monkeypatch.setenv(VARIABLE, "100M")
    fits = int(re.search(r"long side of (\d+) px", str(refused.value))[1])
    assert 900 < fits < 1200
    assert zoo.paint(generator, photo, fits).width == fits
    with pytest.raises(PhotoError):
        zoo.paint(generator, photo, fits + 70)


@pytest.mark.slow
def test_a_photo_too_large_for_its_maps_is_painted_in_strips_and_one_too_large_for_these_refused(small_pair, monkeypatch):
    """Issue 15: it was refused."""
    photo = Image.effect_noise((2400, 1600), 60).convert("RGB")
    whole_picture = zoo.stylize(photo, small_pair, "batch")
    monkeypatch.setenv(VARIABLE, "140M")
    assert ImageChops.difference(zoo.stylize(photo, small_pair, "batch"), whole_picture).getextrema() == ((0, 0),) * 3
    monkeypatch.setenv(VARIABLE, "110M")
    with pytest.raises(PhotoError, match=r"2400×1600 px would take [0-9]+ MiB of memory .* choose a long side of"):
        zoo.stylize(photo, small_pair)


def test_the_command_line_says_it_in_one_line(small_pair, tmp_path, capsys, monkeypatch):
    """Instead of being killed without a word (issue 13, item 35)."""
    monkeypatch.setenv(VARIABLE, "120M")
    Image.new("RGB", (3000, 2000)).save(tmp_path / "large.png")
    assert main(["stylize", f"{tmp_path}/large.png", "-s", str(small_pair), "-o", f"{tmp_path}/a.png"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "choose a long side of" in told and not (tmp_path / "a.png").exists()


def test_the_longest_side_fits_and_no_much_longer_one_does():
    for size in ((6000, 4000), (100, 9000), (2000, 2000)):
        side = longest_side(whole(WIDE), size, 2**30)
        scaled = [tuple(max(32, round(s * k / max(size))) for s in size) for k in (side, side + 70)]
        assert peak_bytes(WIDE, scaled[0]) <= 2**30 < peak_bytes(WIDE, scaled[1])
    assert longest_side(whole(WIDE), (6000, 4000), 10**6) == 0


@pytest.mark.parametrize(("said", "bytes"), [("6G", 6 * 2**30), ("1.5 GiB", 3 * 2**29), ("800m", 800 * 2**20), ("123", 123)])
def test_the_limit_may_be_set(monkeypatch, said, bytes):
    monkeypatch.setenv(VARIABLE, said)
    assert allowance(CPU) == bytes


@pytest.mark.parametrize("said", ["lots", "-1G", "0", "6 potatoes", "nan", "9" * 400, "9" * 400 + ".5T", "0.1"])
def test_a_limit_that_is_none_is_said(monkeypatch, said):
    """However many digits it has (issue 13, item 35)"""
    monkeypatch.setenv(VARIABLE, said)
    with pytest.raises(ConfigError, match=f"{VARIABLE} is an amount of memory, .{{1,200}}$"):
        allowance(CPU)


def test_without_a_limit_it_is_a_share_of_what_is_free(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(memory, "_left_in_cgroups", lambda: [10 * 2**20, 5 * 2**20])
    assert available(CPU) == 5 * 2**20 and allowance(CPU) == 4 * 2**20
    monkeypatch.setattr(memory, "_left_in_cgroups", list)
    assert 0 < available(CPU) <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("own", "root", "names"),
    [("0::/a/b", "", ("memory.max", "memory.current", "inactive_file")),
     ("3:cpu:/x\n4:memory:/a/b", "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))],
)  # fmt: skip
def test_what_a_container_leaves_is_read(monkeypatch, tmp_path, own, root, names):
    """The least that a control group above this process leaves; one without a limit does not count (issue 13, item 35)."""
    (tmp_path / "own").write_text(own)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    for group, limit in (("", "max"), ("a", "8000"), ("a/b", "9000")):
        where = tmp_path / root / group
        where.mkdir(parents=True, exist_ok=True)
        for name, text in zip((*names[:2], "memory.stat"), (limit, "5000", f"anon 1\n{names[2]} 1000"), strict=True):
            (where / name).write_text(text)
    assert memory._left_in_cgroups() == [4000, 5000]
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "none")
    assert memory._left_in_cgroups() == []


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of GNU's C library")
def test_what_was_freed_is_kept_for_what_is_asked_for_next():
    code = """
import resource, torch
from zoo.memory import keep_freed

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        blocks = [torch.ones(2**22) for _ in range(4)]  # 16 MiB each
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
keep_freed()
faults()
print(usual, faults())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    usual, kept = map(int, done.stdout.split())
    assert usual > 20_000 and kept < usual / 4, done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of GNU's C library")
def test_what_is_kept_is_given_back_where_it_is_wanted(monkeypatch):
    """Or a film's second frame would find less memory than its first, for what the first one left."""
    code = """
import psutil, torch
from zoo import memory
from zoo.device import CPU

memory.keep_freed()
memory.available = lambda device: 2**40 - psutil.Process().memory_info().rss
del [torch.ones(2**22) for _ in range(16)][:]  # 256 MiB
print(memory.allowance(CPU), memory.allowance(CPU, 2**30), memory.allowance(CPU, 2**50))
"""
    monkeypatch.delenv(VARIABLE, raising=False)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    kept, enough, given_back = (int(word) / memory.SHARE for word in done.stdout.split())
    assert abs(enough - kept) < 2**24 and given_back - kept > 200 * 2**20, done.stderr


def test_pictures_at_the_same_time_share_it(monkeypatch):
    """Two that fit one after the other, but not together, are painted one after the other (issue 13, items 32 and 33)."""
    config, size = zoo.GeneratorConfig(), (1000, 1000)
    monkeypatch.setenv(VARIABLE, str(int(1.5 * peak_bytes(config, size))))
    budget, inside, most = Budget(CPU), [], []

    def paint():
        with budget.spend(whole(config), size):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    threads = [threading.Thread(target=paint) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert most == [1, 1, 1, 1]
    with pytest.raises(ZeroDivisionError), budget.spend(whole(config), size):
        _ = 1 / 0
    with budget.spend(whole(config), size):  # an error gives back what it had
        pass


def test_a_tile_that_would_not_fit_is_refused_before_there_is_a_picture(tmp_path, monkeypatch):
    """Its size is the user's alone: 96,000 px would be 37 GB of pixels (issue 13, item 35)."""
    zoo.save(zoo.create(architecture="synthesis", width=2, padding="circular"), tmp_path / "tiles")
    monkeypatch.setattr(Image, "new", lambda *args: pytest.fail("was allocated"))
    with pytest.raises(PhotoError, match="96000×96000 px would take"):
        zoo.texture(tmp_path / "tiles", size=96_000)
