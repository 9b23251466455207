"""The operator's list: a slip of the pen in it is an error, never a style that is shown after all."""

import pytest

from space import blocklist, build_demo
from zoo.errors import ConfigError


@pytest.mark.parametrize("written", [b"eve/bad  # spam", b"\xef\xbb\xbfeve/bad\nx/y", b"a/b eve/bad\r\n", b"# all\nEVE/*"])
def test_a_file_is_read_as_it_was_meant(monkeypatch, tmp_path, written):
    """(issue 13, item 31)"""
    (tmp_path / "blocked.txt").write_bytes(written)
    monkeypatch.setenv(blocklist.VARIABLE, str(tmp_path / "blocked.txt"))
    assert blocklist.is_blocked("eve/bad@main") and not blocklist.is_blocked("bob/wave")


@pytest.mark.parametrize("said", ["eve", "https://huggingface.co/eve/bad", "a/b eve/bad@main", "eve/[bad"])
def test_what_blocks_nothing_is_an_error_at_the_start(monkeypatch, said):
    monkeypatch.setenv(blocklist.VARIABLE, said)
    with pytest.raises(ConfigError, match="blocks nothing"):
        build_demo()
    with pytest.raises(ConfigError):
        blocklist.check("eve/bad")


@pytest.mark.parametrize("said", ["/no/such/file.txt", "./list/of.txt", "../blocked.txt"])
def test_a_file_that_is_not_there_is_no_style(monkeypatch, said):
    monkeypatch.setenv(blocklist.VARIABLE, said)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        build_demo()


def test_a_file_is_named_by_its_whole_path_and_a_list_may_be_long(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "of.txt").write_text("eve/bad")
    monkeypatch.setenv(blocklist.VARIABLE, "list/of.txt")
    with pytest.raises(ConfigError, match="which is a file: give its whole path"):
        blocklist.patterns()
    monkeypatch.setenv(blocklist.VARIABLE, "./list/of.txt")
    assert blocklist.is_blocked("eve/bad")
    monkeypatch.setenv(blocklist.VARIABLE, " ".join(f"eve/a-rather-long-name-{k}" for k in range(300)))
    assert blocklist.is_blocked("eve/a-rather-long-name-299") and not blocklist.is_blocked("eve/bad")


def test_a_file_that_cannot_be_read_is_an_error_in_words(monkeypatch, tmp_path, forbidden):
    (tmp_path / "blocked.txt").write_bytes(b"\xff\xfe")
    monkeypatch.setenv(blocklist.VARIABLE, str(tmp_path / "blocked.txt"))
    with pytest.raises(ConfigError, match="cannot be read: 'utf-8' codec"):
        blocklist.patterns()
    forbidden(tmp_path / "blocked.txt")
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        blocklist.patterns()
