"""`python -m space.static`: what the folder holds, whoever serves it; that it paints, tests/browser/test_static.py looks."""

import hashlib
import json
import re
import shutil
import threading

import httpx
import pytest
import yaml

from space.browser import runtime
from space.browser.folder import build
from space.browser.index import ISOLATION, headers
from space.browser.look import to_html, variables
from space.browser.server import make_server
from space.static import main
from space.theme import make_theme
from space.words import HERO
from tests.conftest import ROOT
from zoo.catalog import load
from zoo.errors import ConfigError, StyleFolderError
from zoo.export import compare
from zoo.style import style_at

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def built(pair, ort, tmp_path_factory):
    """The page of one small style, to look at."""
    out = tmp_path_factory.mktemp("built") / "page"
    build(out, [style_at(pair)], ort)
    return out


def test_the_folder_holds_all_that_the_page_asks_for(built):
    page = (built / "index.html").read_text(encoding="utf-8")
    zoo = json.loads(re.search(r'id="zoo">(.*?)</script>', page)[1])
    assert [style["slug"] for style in zoo["styles"]] == ["small-pair"]
    asked = re.findall(r'(?:src|href|data-photo)="(?!https?:|data:|#)([^"]+)"', page)
    asked += [file for style in zoo["styles"] for file in style["generators"].values()]
    asked += [f"ort/{api}" for api, _ in zoo["runtime"].values()]
    for source in built.glob("*.js"):
        asked += re.findall(r'(?:from|import\(|URL\()\s*"\./?([\w.]+)"', source.read_text(encoding="utf-8"))
    assert len(asked) > 20 and not [name for name in asked if not (built / name).is_file()]
    assert "$" not in re.sub(r"<script.*?</script>", "", page)  # every name is filled in
    assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="https?:', page)
    assert to_html(HERO) in page and "<strong>Drag the line</strong>" in page  # the texts of the page with gradio
    assert "onnxruntime-LICENSE.txt" in asked and "NOTICE" in asked
    assert (built / "style.css").read_bytes() == (ROOT / "space" / "style.css").read_bytes()


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_the_styles_paint_as_torch_does_and_take_half_the_room(built, pair, norm):
    pytest.importorskip("onnxruntime")
    assert compare(load(pair, norm), (built / "styles" / f"small-pair-{norm}.onnx").read_bytes()) < 2.55


def test_the_service_worker_knows_every_file_by_what_it_holds(built):
    source = (built / "sw.js").read_text(encoding="utf-8")
    files, sent = (json.loads(found) for found in re.findall(r"^const [A-Z]+ = (\{.*?^\});", source, re.M | re.S))
    there = {str(path.relative_to(built)): path for path in built.rglob("*") if path.is_file() and path.name != "sw.js"}
    assert files == {name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for name, path in there.items()}
    assert sent == headers()
    assert re.search(r"\$\{self\.registration\.scope\}", source) and "$$" not in source


def test_it_may_speak_to_its_host_and_to_the_hub_alone(monkeypatch):
    """huggingface.co sends who wants a large file on to another host, which its own *.hf.co are."""
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert "; connect-src 'self' blob: https://huggingface.co https://*.hf.co; " in headers()["Content-Security-Policy"]
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org")
    assert "; connect-src 'self' blob: https://hub.example.org; " in headers()["Content-Security-Policy"]


def test_its_card_makes_a_static_space_of_it(built):
    front, text = (built / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1:]
    card = yaml.safe_load(front)
    assert card["sdk"] == "static" and card["app_file"] == "index.html" and "missing-ingredient" in card["tags"]
    assert card["custom_headers"] == {key.lower(): value for key, value in ISOLATION.items()}
    assert not {key for key in card if key.startswith(("hf_", "sdk_", "python"))} and "never leaves" in text


def test_the_colours_are_those_of_the_theme(built):
    css = variables("a { color: var(--link-text-color); margin: var(--none-of-it); border: var(--radius-lg) }", make_theme())
    day, night = css.split(".dark")
    theirs = make_theme()._get_theme_css()  # with references to variables, which gradio has all in the page
    assert "--none-of-it" not in css and "--radius-lg: 12px" in day
    assert re.search(r"--link-text-color: (\S+);", day)[1] == re.search(r"--secondary-600: (\S+);", theirs)[1]
    assert re.search(r"--link-text-color: (\S+);", night)[1] == re.search(r"--secondary-500: (\S+);", theirs)[1]
    assert "*" not in (built / "theme.css").read_text(encoding="utf-8")


def test_words_become_html():
    assert to_html("# A\nb **c** [d](https://e)\nf\n\ng") == (
        '<h1>A</h1><p>b <strong>c</strong> <a href="https://e">d</a> f</p><p>g</p>'
    )


def test_a_folder_is_built_anew_and_what_is_not_of_it_is_left_alone(pair, ort, tmp_path):
    page = tmp_path / "page"
    for name in ("old.js", "CNAME", ".git/config"):
        (page / name).parent.mkdir(parents=True, exist_ok=True)
        (page / name).write_text(name)
    (page / "sw.js").write_text('const FILES = {\n "old.js": "of an earlier build",\n "gone.js": "1"\n};\n')
    build(page, [style_at(pair)], ort)
    assert not (page / "old.js").exists() and (page / "index.html").is_file()
    assert (page / "CNAME").read_text() == "CNAME" and (page / ".git" / "config").is_file()
    (tmp_path / "thesis").mkdir()
    for name in ("chapter.tex", "sw.js"):  # that of another page
        (tmp_path / "thesis" / name).write_text("years of work")
        with pytest.raises(ConfigError, match="something else"):
            build(tmp_path / "thesis", [style_at(pair)], ort)
    assert {path.name for path in (tmp_path / "thesis").iterdir()} == {"chapter.tex", "sw.js"}


def test_mistakes_are_told(small_pair, ort, tmp_path, monkeypatch, capsys):
    out = str(tmp_path / "out")
    assert main([out, "--styles", str(small_pair), "--ort", str(tmp_path / "nowhere")]) == 2
    assert "--ort DIR" in capsys.readouterr().err
    shutil.copytree(ort, tmp_path / "part")
    (tmp_path / "part" / "dist" / runtime.NAMES[-1]).unlink()
    assert main([out, "--styles", str(small_pair), "--ort", str(tmp_path / "part")]) == 2
    assert runtime.NAMES[-1] in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert main([out, "--styles", str(small_pair)]) == 2
    assert "npm" in (told := capsys.readouterr().err) and "--ort DIR" in told
    assert main([out, "--port", "70000"]) == 2
    (small_pair / "batch" / "config.json").unlink()
    with pytest.raises(StyleFolderError, match="small-pair.*both"):
        build(tmp_path / "out", [style_at(small_pair)], ort)
    assert not (tmp_path / "out").exists()


def test_npm_s_package_is_looked_into(tmp_path, monkeypatch):
    """By an npm of our own, which packs a file too few."""
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nmkdir -p package/dist && echo x > package/dist/a.js && tar czf a.tgz package\n")
    npm.chmod(0o755)
    monkeypatch.setattr(runtime.shutil, "which", lambda name: str(npm))
    with pytest.raises(ConfigError, match=f"lacks .*{runtime.NAMES[0]}"):
        runtime.runtime_files()
    npm.write_text("#!/bin/sh\necho no network >&2; exit 1\n")
    with pytest.raises(ConfigError, match="no network.*--ort DIR"):
        runtime.runtime_files()


def test_the_server_sends_what_threads_need(tmp_path):
    (tmp_path / "a.mjs").write_text("1")
    with make_server(tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = httpx.get(f"http://127.0.0.1:{server.server_port}/a.mjs")
        server.shutdown()
    assert answer.text == "1" and "javascript" in answer.headers["content-type"]
    assert {key: answer.headers[key] for key in headers()} == headers()
