"""The container: it gets the files that a Space gets, and what it runs is a command of the page (issue 16)."""

import json
import re

from space.deploy import space_files
from space.serve import make_parser
from tests.conftest import ROOT
from zoo.records import parse_yaml

INSTRUCTIONS = re.compile(r"(ARG|CMD|COPY|ENV|EXPOSE|FROM|HEALTHCHECK|RUN|USER|WORKDIR) (\S.*)")


def instructions() -> list[tuple[str, str]]:
    """Of the Containerfile, with what follows each, comments left out."""
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    found = [INSTRUCTIONS.fullmatch(line) for line in lines if line and not line.startswith("#")]
    assert all(found)
    return [(one[1], one[2]) for one in found]


def copied() -> set[str]:
    return {source for name, words in instructions() if name == "COPY" for source in words.split()[:-1]}


def test_it_holds_what_a_space_holds():
    assert instructions()[0][0] == "FROM" and all((ROOT / source).exists() for source in copied())
    here = {name.split("/")[0] for name in space_files()} - {"README.md"}  # a Space's own, with its settings
    assert copied() == here
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*" and {line[1:] for line in ignored if line.startswith("!")} == copied()


def test_it_runs_the_page_for_whoever_reaches_it_and_not_as_root():
    (words,) = (json.loads(words) for name, words in instructions() if name == "CMD")
    assert words[:3] == ["python", "-m", "space.serve"]
    args = make_parser().parse_args(words[3:])
    assert (args.host, args.port, args.train) == ("0.0.0.0", 7860, None)
    names = [name for name, _ in instructions()]
    assert ("EXPOSE", "7860") in instructions() and names.index("USER") < names.index("CMD")
    (health,) = (words for name, words in instructions() if name == "HEALTHCHECK")
    _, flag, code = json.loads(health.split("CMD ")[1])
    assert flag == "-c" and f":{args.port}/health" in compile(code, "health", "exec").co_consts[2]


def test_compose_builds_it_and_gives_it_nothing_to_write_but_its_cache():
    composed = parse_yaml((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    page = composed["services"]["page"]
    assert (ROOT / page["build"]["context"] / page["build"]["dockerfile"]).is_file()
    assert page["build"]["args"].keys() == {words.split("=")[0] for name, words in instructions() if name == "ARG"}
    assert page["ports"] == ["127.0.0.1:7860:7860"] and page["read_only"] and page["cap_drop"] == ["ALL"]
    assert [volume.split(":")[0] for volume in page["volumes"]] == list(composed["volumes"])
