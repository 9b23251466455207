"""What the local Hub holds: repositories with commits, references and pull requests, in memory."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path


def files_of(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their relative names, as a commit holds them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def git_oid(data: bytes) -> str:
    """Git's hash of a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repo:
    """One repository; a commit is a dict from path to content."""

    kind: str  # model, dataset or space
    id: str
    private: bool = False
    gated: bool = False
    likes: int = 0
    downloads: int = 0
    hardware: str | None = None  # of a Space
    sdk: str | None = None  # that a Space was made with
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    pulls: list[dict] = field(default_factory=list)

    def __post_init__(self):
        self.commit("main", {}, "initial commit")

    def commit(self, ref: str, files: dict[str, bytes], message: str) -> str:
        """Put a commit on top of a reference; returns its sha."""
        text = f"{self.kind}/{self.id}/{ref}/{len(self.commits)}/{message}"
        sha = hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha], self.refs[ref] = files, sha
        self.messages.append(message)
        return sha

    def resolve(self, revision: str) -> str | None:
        """The sha of a reference or a sha."""
        return self.refs.get(revision) or (revision if revision in self.commits else None)

    def open_pull(self, title: str) -> int:
        """A pull request, as a branch of its own; returns its number."""
        number = len(self.pulls) + 1
        self.pulls.append({"num": number, "title": title})
        self.refs[f"refs/pr/{number}"] = self.refs["main"]
        return number

    def card_data(self) -> dict:
        """The front matter of the card on main."""
        import yaml

        card = self.commits[self.refs["main"]].get("README.md", b"").decode()
        return (yaml.safe_load(card.split("---\n")[1]) if card.startswith("---") else None) or {}

    def told(self, keys: list[str]) -> dict:
        """What the Hub tells of some, or when it is asked for."""
        return {**({"sdk": self.sdk} if self.sdk else {}), **({"cardData": self.card_data()} if "cardData" in keys else {})}

    def tags(self) -> list[str]:
        """Tags of the card on main, as the Hub derives them."""
        data = self.card_data()
        extra = [data[key] for key in ("library_name", "pipeline_tag") if key in data]
        return [*data.get("tags", []), *extra, *([f"license:{data['license']}"] if "license" in data else [])]


def is_large(path: str) -> bool:
    """Whether the Hub keeps a file by LFS."""
    return path.endswith((".safetensors", ".onnx"))
