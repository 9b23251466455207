"""What all commands do at their edge: one plain line, an exit code, no traceback, nothing left half done."""

import errno
import json
import os
import pickle
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from tests.conftest import ROOT
from zoo.__main__ import main
from zoo.cli import command, say
from zoo.errors import ConfigError, DoneInPart, ZooError, brief, printable


def run(body):
    return command(lambda argv: body())()


def raising(error):
    def body():
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("no\n such   key"), 2, "error: no such key\n"),
        (PermissionError(errno.EACCES, "Permission denied", "photos"), 2, "error: photos: Permission denied\n"),
        (OSError("the disk is full"), 2, "error: the disk is full\n"),
        (DoneInPart("1 of 2 photos failed"), 3, "error: 1 of 2 photos failed\n"),
        (MemoryError(), 2, "error: there is not enough memory: choose a smaller size, or free some\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_goes_wrong_is_one_plain_line_and_an_exit_code(capsys, error, code, line):
    """A file that may not be read ended in a traceback (issue 13, item 42)."""
    assert run(raising(error)) == code
    assert capsys.readouterr().err == line


def test_errors_of_the_code_are_not_hidden():
    with pytest.raises(RuntimeError, match="illegal memory access"):
        run(raising(RuntimeError("CUDA error: an illegal memory access was encountered")))


def test_nobody_reads_on(monkeypatch, capsys):
    """`zoo info x | head -3` ended in a BrokenPipeError's traceback (issue 13, item 27)."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert run(lambda: print("a line")) == 141
    assert capsys.readouterr().err == ""


def test_sigterm_ends_a_command_tidily():
    """It left what was half written (issue 13, item 42)."""
    tidied = []

    def body():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            tidied.append(True)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        run(body)
    assert end.value.code == 143 and tidied and signal.getsignal(signal.SIGTERM) is before


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("library", ["torch", "argparse"])
@pytest.mark.parametrize("start", ["-m zoo", "-m training.train", "-m space.deploy", "app.py", "missing-ingredient"])
def test_ctrl_c_while_libraries_are_imported_leaves_no_traceback(start, library, tmp_path):
    """(issue 13, item 42)"""
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time\ntime.sleep(60)\n"
    (tmp_path / f"{library}.py").write_text(code)
    if start == "missing-ingredient":  # as pip installs it
        (tmp_path / start).write_text("import sys\nfrom zoo.__main__ import main\nsys.exit(main())\n")
        start = str(tmp_path / start)
    own = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    words = [sys.executable, *start.split(), "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, env=own)
    assert done.returncode in (-signal.SIGINT, 130) and (done.stdout, done.stderr) == ("", "")


ESCAPE = "a\x1b]0;owned\x07 \x1b[31mred\x9b2J\u202e \ud800title\r\n\tend"


def test_control_characters_are_never_printed(capsys):
    """A stranger's title could drive the terminal (issue 13, item 25)."""
    assert printable(ESCAPE) == "a]0;owned [31mred2J title   end"
    assert printable("Édtaonisl, 黒 – ok 🎨") == "Édtaonisl, 黒 – ok 🎨"
    say(ESCAPE)
    run(raising(ConfigError(f"unknown key {ESCAPE}")))
    out, err = capsys.readouterr()
    assert out == "a]0;owned [31mred2J title   end\n" and err == "error: unknown key a]0;owned [31mred2J title end\n"


def test_the_words_of_a_style_are_printed_without_control_characters(capsys, small_pair, monkeypatch):
    """(issue 13, item 25)"""
    words = r'"\e[31mred\x9b2J"'  # as YAML escapes them
    facts = ", ".join(f"{key}: {words}" for key in ("title", "author", "year", "licence", "source"))
    (small_pair / "recipe.yaml").write_text(f"painting: {{{facts}}}\nsteps: {words}\n")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    for args in (["list"], ["list", "--json"], ["info", str(small_pair)]):
        assert main(args) == 0
    (small_pair / "config.json").write_text('{"\\u001b[31m": 1}')
    assert main(["texture", str(small_pair), "-o", "y.png"]) == 2
    out, err = capsys.readouterr()
    assert "[31mred2J" in out and "[31m" in err
    assert not [c for c in out + err if c != "\n" and not c.isprintable()]


LONG = "x" * 100_000


@pytest.mark.parametrize("change", ["value", "key", "tensor", "norm"])
def test_no_error_is_longer_than_a_few_sentences(small_pair, change):
    """Errors echoed whatever a stranger had written, megabytes of it (issue 13, item 43)."""
    config, weights = small_pair / "config.json", small_pair / "model.safetensors"
    written, state = json.loads(config.read_text()), load_file(weights)
    if change in ("value", "key"):
        config.write_text(json.dumps({**written, **({"padding": LONG} if change == "value" else {LONG: 1, "\x1b[31m": 2})}))
    else:
        more = {LONG: torch.zeros(1)} if change == "tensor" else {}
        save_file({**state, **more}, weights, metadata={"norm": LONG if change == "norm" else "instance"})
    with pytest.raises(ZooError) as error:
        zoo.load(small_pair)
    assert len(str(error.value)) < 700 and str(error.value).isprintable()


def test_the_text_of_an_error_is_one_line_that_may_be_shown():
    """(issue 13, items 25 and 43)"""
    assert str(ConfigError("no\nkey \x1b[31m\ud800")) == "no key [31m" and str(ZooError()) == ""
    assert 3900 < len(str(ConfigError(LONG))) <= 4000
    assert str(pickle.loads(pickle.dumps(ConfigError("no key")))) == "no key"


def test_long_words_are_cut_in_their_middle():
    assert brief("short") == "short"
    assert brief("a" * 10**6 + ".jpg", 20) == "aaaaaaaa...aaaa.jpg"
