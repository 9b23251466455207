"""MkDocs' hooks: the site is made of the repository's own texts, each where GitHub shows it, none of them twice.

A page may link to any file of the repository, relative to where it lies. What is linked to comes along: texts as pages, modules
as pages of the reference, pictures and everything else as they are. A link to nothing is a warning, which `mkdocs build
--strict` makes an error (with `--quiet` it does not see it).
"""

import argparse
import importlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "space/mark.svg")  # what lies in docs/
PACKAGES = ("zoo", "training", "space")
LINK = re.compile(r"""(\]\(|(?:src|href)=")(?![a-z]+:|#)([^)\s"#]+)""")
log = logging.getLogger("mkdocs.plugins.repository")


def modules() -> list[str]:
    """Every module that has a page in the reference, as it is imported."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return [name for name in names if not name.split(".")[-1].startswith("_")]


def commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """What is typed to call it, and the parser, of every command and of every command of a command."""
    for name in ["zoo.__main__", *modules()]:
        if re.search(r"^def make_parser\(", _source(name).read_text(encoding="utf-8"), re.M):
            parser = importlib.import_module(name).make_parser()
            yield parser.prog, parser
            for action in parser._subparsers._group_actions if parser._subparsers else []:  # argparse has no public way
                yield from ((child.prog, child) for child in action.choices.values())


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The reference's pages in the navigation."""
    (reference,) = (item["Reference"] for item in config.nav if "Reference" in item)
    for package in PACKAGES:
        reference.append({package: [f"reference/{name}.md" for name in modules() if name.split(".")[0] == package]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages, and what they link to."""
    os.environ["COLUMNS"] = "100"  # of the commands' help
    for name in modules():
        files.append(File.generated(config, f"reference/{name}.md", content=f"# `{name}`\n\n::: {name}\n"))
    helps = (f"## `{prog}`\n\n```text\n{parser.format_help()}```\n" for prog, parser in commands())
    files.append(File.generated(config, "reference/commands.md", content="# Commands\n\n" + "\n".join(helps)))
    waiting = [ROOT / "docs" / file.src_uri for file in files.documentation_pages() if not file.generated_by]
    waiting += [ROOT / name for name in BESIDE]
    for path in waiting:  # which grows
        if files.get_file_from_path(_uri(path)) is None:
            files.append(File.generated(config, _uri(path), abs_src_path=str(path)))
        if path.suffix == ".md":
            targets = dict.fromkeys(_target(path, link) for _, link in LINK.findall(path.read_text(encoding="utf-8")))
            waiting += [target for target in targets if target.is_file() and target not in waiting]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links from where the text lies in the repository become links from where the page lies on the site."""
    source = Path(page.file.abs_src_path or "")
    if not source.is_relative_to(ROOT):  # made by `on_files`
        return markdown

    def moved(found: re.Match) -> str:
        target = _target(source, found[2])
        if not target.is_file():
            log.warning("%s links to %s, which is no file", source.relative_to(ROOT), found[2])
            return found[0]
        here = os.path.dirname(page.file.src_uri)
        uri = _uri(target)
        if found[1] != "](":  # HTML is no business of MkDocs', which resolves the links of Markdown
            uri = files.get_file_from_path(uri).dest_uri
        return found[1] + os.path.relpath(uri, here or ".").replace(os.sep, "/")

    return LINK.sub(moved, markdown)


def _source(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _target(page: Path, link: str) -> Path:
    return Path(os.path.normpath(page.parent / link))


def _uri(path: Path) -> str:
    """Where a file of the repository lies on the site."""
    parts = path.relative_to(ROOT).parts
    if path.suffix == ".py" and parts[0] in PACKAGES:
        return f"reference/{'.'.join(parts).removesuffix('.py').removesuffix('.__init__')}.md"
    uri = "/".join(parts[1:] if parts[0] == "docs" else parts)
    return "index.md" if uri == "README.md" else uri
