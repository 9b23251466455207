"""Model cards: what the Hub reads of them, and what a stranger needs to know."""

import pytest
import torch
import yaml

import zoo
from tests.hub.repos import files_of
from zoo.__main__ import main
from zoo.adapter import save_adapter
from zoo.card import make_card
from zoo.catalog import BUNDLED, find
from zoo.errors import ConfigError
from zoo.style import style_at


def data_of(card):
    """The front matter."""
    return yaml.safe_load(card.split("---\n")[1])


def held(hub):
    """The files of alice/x."""
    repo = hub.repos["model", "alice/x"]
    return repo.commits[repo.refs["main"]]


@pytest.fixture
def adapter(tmp_path):
    """Makes an adapter on the bundled Udnie, known by that name."""

    def make(name):
        generator = zoo.load("udnie")
        with torch.no_grad():
            generator.enter.norm.weight.mul_(1.5)
        save_adapter(generator, find("udnie").folder, name, tmp_path / "adapter")
        return style_at(tmp_path / "adapter")

    return make


def test_a_card_says_how_to_install_what_it_cannot_do_and_whom_to_cite():
    """(issue 13, item 30)"""
    card = make_card(find("great-wave"), "alice/wave", "https://hub.example.org")
    for words in (
        "pip install",
        "-s alice/wave",
        "## Limitations",
        "Katsushika Hokusai: say so",
        "arXiv:1607.08022",
        "@article",
    ):
        assert words in card
    data = data_of(card)
    assert data["thumbnail"] == "https://hub.example.org/alice/wave/resolve/main/images/instance.jpg"
    assert {"artist:katsushika-hokusai", "painting:the-great-wave-off-kanagawa"} <= set(data["tags"])
    assert "datasets" not in data and "thumbnail" not in data_of(make_card(find("great-wave")))


def test_photos_of_the_hub_are_named(painted_pair):
    """(issue 13, item 30)"""
    recipe = yaml.safe_load((painted_pair / "recipe.yaml").read_text())
    recipe["photos"]["dataset"] = "some/photos@main"
    (painted_pair / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    assert data_of(make_card(style_at(painted_pair)))["datasets"] == ["some/photos"]


def test_an_adapter_names_a_base_that_the_hub_knows(adapter):
    """(issue 13, item 30)"""
    bundled = make_card(adapter("udnie"))
    assert "base_model" not in data_of(bundled) and "An adapter: what it changes in `udnie`" in bundled
    shared = data_of(make_card(adapter(f"alice/udnie@{'0' * 40}")))
    assert shared["base_model"] == "alice/udnie" and shared["base_model_relation"] == "adapter"


def test_the_licence_of_the_weights_is_asked_for_and_said(hub, logged_in, painted_pair, capsys):
    """(issue 13, item 30)"""
    assert main(["publish", str(painted_pair), "--to", "alice/x"]) == 0
    assert (
        data_of(held(hub)["README.md"].decode())["license"] == "apache-2.0"
        and "Weights: apache-2.0" in held(hub)["README.md"].decode()
    )
    assert "the weights under apache-2.0" in capsys.readouterr().err
    recipe = yaml.safe_load((painted_pair / "recipe.yaml").read_text())
    recipe["painting"]["licence_weights"] = "cc-by-4.0"
    (painted_pair / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    assert (
        main(["publish", str(painted_pair), "--to", "alice/x"]) == 0
        and data_of(held(hub)["README.md"].decode())["license"] == "cc-by-4.0"
    )
    assert main(["publish", str(painted_pair), "--to", "alice/x", "--licence-weights", "mit"]) == 0
    assert data_of(held(hub)["README.md"].decode())["license"] == "mit"
    assert main(["publish", str(painted_pair), "--to", "alice/x", "--licence-weights", "my own: yes"]) == 2
    with pytest.raises(ConfigError, match="weights' licence"):
        make_card(style_at(painted_pair), licence="a\nb")


SHOWN = sorted(path.parts[-3] for path in BUNDLED.glob("*/images/painting.jpg"))


def test_a_licence_comes_with_what_it_is_of():
    assert SHOWN and {path.parent.name for path in BUNDLED.glob("*/LICENSE-painting.txt")} <= set(SHOWN)


@pytest.mark.parametrize("slug", SHOWN)
def test_a_reproduction_under_the_gpl_brings_its_text_along(hub, logged_in, slug, tmp_path):
    """Published, and pulled with its pictures. (issue 13, item 30)"""
    zoo.publish(BUNDLED / slug, "alice/x")
    files = held(hub)
    assert "images/painting.jpg" in files
    needed = "GPL" in find(slug).painting["source"]
    assert ("LICENSE-painting.txt" in files) == needed
    if needed:
        assert b"GNU GENERAL PUBLIC LICENSE" in files["LICENSE-painting.txt"] and b"LICENSE-painting.txt" in files["README.md"]
        from zoo.sharing import pull_to

        assert "LICENSE-painting.txt" in files_of(pull_to("alice/x", tmp_path / "mine") and tmp_path / "mine")
