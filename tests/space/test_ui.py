"""The page as built: silent, local, and honest about its comparison."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

import zoo
from space import launch_options, ui, words
from space.theme import make_theme
from tests.conftest import ROOT, served
from zoo import catalog, hub
from zoo.errors import StyleNotFoundError


def test_the_theme_fetches_no_fonts():
    assert make_theme()._stylesheets == []


def test_captions_say_which_is_which_and_which_reading_of_batch_norm():
    said = words.captions("batch")
    assert said.index("Batch norm") < said.index("Instance norm") and "running statistics" in said and "eval mode" in said
    assert "Your photo" in words.captions("photo") and "Batch norm" not in words.captions("photo")


def test_an_empty_zoo_is_told_plainly(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    with pytest.raises(StyleNotFoundError, match="train one"):
        ui.build_demo()


def test_a_style_without_a_twin_is_shown_and_one_that_paints_no_photo_does_not_make_a_page(
    monkeypatch, tmp_path, small_pair, capsys
):
    shutil.rmtree(small_pair / "batch")
    zoo.save(zoo.create(architecture="synthesis", width=2, padding="circular"), tmp_path / "tiles")
    (small_pair / "model.safetensors").rename(tmp_path / "weights")
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    with pytest.raises(StyleNotFoundError):
        ui.build_demo()
    told = capsys.readouterr().err
    assert "small-pair/model.safetensors: there is no such file" in told and "tiles" not in told
    (tmp_path / "weights").rename(small_pair / "model.safetensors")
    ui.build_demo().close()
    assert "small-pair" not in capsys.readouterr().err


def test_one_bad_local_style_does_not_take_the_page_down(monkeypatch, tmp_path, small_pair, capsys):
    """(issue 13, item 34)"""
    figures = {name: {"content": 1, "style": 1, "objective": 0} for name in ("photo", "batch", "instance")}
    record = {"held_out": {"256": {**figures, "photos": [], "command": "", "machine": ""}}}
    for name in ("objectives-of-0", os.fsdecode(b"no-utf-8-\xff"), "title"):
        shutil.copytree(small_pair, tmp_path / "styles" / name)
    (tmp_path / "styles" / "objectives-of-0" / "metrics.json").write_text(json.dumps(record))
    (tmp_path / "styles" / "title" / "recipe.yaml").write_text(r'painting: {title: "\ud800"}')
    monkeypatch.setenv(catalog.LOCAL_VARIABLE, str(tmp_path / "styles"))
    demo = ui.build_demo()
    json.dumps(demo.get_config_file(), default=str).encode()  # what the page is sent
    demo.close()
    told = capsys.readouterr().err
    assert told.count("left out: ") == 2 and "left out: title: " in told and "no-utf-8" in told


@pytest.mark.slow
def test_no_request_leaves_the_machine_at_import_and_launch():
    """Every name lookup and outward connection of a fresh process is recorded while the page is built and served."""
    code = """
        import socket
        outside = []
        look_up, connect = socket.getaddrinfo, socket.socket.connect
        local = ("localhost", "127.0.0.1", "0.0.0.0", "::1", "", None)
        def watched_look_up(host, *args, **more):
            if (host.decode() if isinstance(host, bytes) else host) not in local:
                outside.append(host)
                raise OSError("no network in this test")
            return look_up(host, *args, **more)
        def watched_connect(self, address):
            if isinstance(address, tuple) and address[0] not in local:
                outside.append(address)
                raise OSError("no network in this test")
            return connect(self, address)
        socket.getaddrinfo, socket.socket.connect = watched_look_up, watched_connect
        import time, urllib.request
        from app import demo
        from space import launch_options
        from tests.conftest import free_port
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_port=free_port(), **launch_options())
        assert urllib.request.urlopen(url).status == 200
        time.sleep(2)
        demo.close()
        print("outside:", outside)
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GRADIO_", "HF_"))}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )
    assert "outside: []" in done.stdout, done.stdout + done.stderr


def test_nothing_of_a_visitor_is_kept():
    assert launch_options()["run_history"] is False


def test_a_local_styles_pictures_in_a_ring_of_links_break_no_answer(monkeypatch, tmp_path, small_pair):
    """gradio resolves every allowed path for every result. (issue 13, item 34)"""
    (small_pair / "images").symlink_to("images")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    paths = launch_options()["allowed_paths"]
    assert paths and not any(str(small_pair) in path for path in paths)


@pytest.mark.slow
def test_a_link_in_a_local_style_shows_nothing_of_this_machine(monkeypatch, tmp_path, small_pair):
    """A stranger's style may have come by git, which keeps links: it is no style, and what they lead to is not open."""
    secret = tmp_path / "home" / "instance.jpg"
    secret.parent.mkdir()
    secret.write_text("secret")
    (small_pair / "images").symlink_to(secret.parent)
    monkeypatch.setenv(catalog.LOCAL_VARIABLE, str(tmp_path))
    with served() as url:
        gallery = next(c for c in httpx.get(f"{url}config").json()["components"] if c["props"].get("elem_id") == "styles")
        tiles = {tile["caption"]: tile["image"]["path"] for tile in gallery["props"]["value"]}
        answers = [httpx.get(f"{url}gradio_api/file={path}") for path in (secret, small_pair / "images" / "instance.jpg")]
    assert "Small Pair" not in tiles and [answer.status_code for answer in answers] == [403, 403]


def test_errors_tell_no_visitor_where_files_lie(monkeypatch, tmp_path):
    """Nor parts of it, where folders have spaces in their names (issue 13, item 27)."""
    monkeypatch.setenv(catalog.LOCAL_VARIABLE, str(tmp_path / "my styles"))
    monkeypatch.setattr("huggingface_hub.constants.HF_ASSETS_CACHE", str(tmp_path / "a cache"))
    roots = [tmp_path / "my styles", tmp_path / "my styles" / "of a friend"]
    monkeypatch.setenv(catalog.LOCAL_VARIABLE, os.pathsep.join(map(str, roots)))
    for folder in (*roots, hub.cache_folder() / "public", catalog.BUNDLED, ROOT, Path("/srv")):
        path = folder / "wave" / "config.json"
        said = words.without_paths(f"cannot read {path}: [Errno 13] '{path}', see owner/name or https://hf.co/owner/name")
        assert said == "cannot read config.json: [Errno 13] 'config.json', see owner/name or https://hf.co/owner/name"


@pytest.mark.slow
def test_the_documentation_is_served_where_it_was_built(monkeypatch, tmp_path):
    """And a mark beside the page's title."""
    (tmp_path / "index.html").write_text("Start in two minutes")
    monkeypatch.setattr(ui, "MANUAL", tmp_path)
    with served() as url:
        assert "Start in two minutes" in httpx.get(f"{url}docs/").text
        assert '"elem_id":"manual"' in httpx.get(url).text
        assert httpx.get(f"{url}favicon.ico").content == (ROOT / "space" / "mark.svg").read_bytes()
        for path in ("docs/../app.py", "docs/%2e%2e/app.py", "docs//etc/passwd"):
            assert httpx.get(url + path).status_code == 404


@pytest.mark.slow
def test_the_page_without_a_server_is_served_where_it_was_built(monkeypatch, tmp_path, page):
    """Issue 17."""
    (tmp_path / "index.html").write_text("painted in your browser")
    (tmp_path / "app.js").write_text("1")
    assert '"elem_id":"alone"' not in httpx.get(page).text
    monkeypatch.setattr(ui, "BROWSER", tmp_path)
    with served() as url:
        assert '"elem_id":"alone"' in httpx.get(url).text
        assert "painted in your browser" in httpx.get(f"{url}browser", follow_redirects=True).text
        assert "javascript" in httpx.get(f"{url}browser/app.js").headers["content-type"]


def test_it_can_be_installed_as_an_app(page):
    """Issue 16."""
    assert httpx.get(f"{page}config").json()["pwa"]
    manifest = httpx.get(f"{page}manifest.json").json()
    assert manifest["name"] == "Missing Ingredient" and manifest["display"] == "standalone"
    (icon,) = manifest["icons"]
    assert icon["type"] == "image/svg+xml"
    assert httpx.get(urljoin(page, icon["src"])).content == (ROOT / "space" / "mark.svg").read_bytes()
