"""The local Hub's HTTP side: accounts, repositories, files, commits by regular upload and LFS, pull requests, faults."""

import base64
import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hub.repos import Repo, git_oid, is_large

TOKEN, USER, ANYWHERE = "hf_test_token_of_alice", "alice", {"Access-Control-Allow-Origin": "*"}  # by pages of anywhere
KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}


@dataclass
class Fault:
    """What the next requests whose "METHOD /path" matches end in: a status, or "slow", "drip", "cut", "corrupt", "html", or
    those bytes; given None, the right answer; with those headers in any case."""

    pattern: str
    what: int | str | bytes | None
    times: int = 10**6
    headers: dict[str, str] = field(default_factory=dict)


class LocalHub:
    """The server, its repositories, the requests it saw, the faults it was told to have."""

    def __init__(self):
        self.repos: dict[tuple[str, str], Repo] = {}
        self.blobs: dict[str, bytes] = {}  # LFS
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.page, self.closed = 20, False
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *request: None  # a client that gave up waiting is no news
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.closed = True  # to connections that are open, too
        self.server.shutdown()
        self.server.server_close()

    def add(self, id: str, files: dict[str, bytes], kind: str = "model", **more) -> Repo:
        """A repository with one commit of those files."""
        repo = self.repos[kind, id] = Repo(kind, id, **more)
        repo.commit("main", files, "files")
        return repo

    def fault(self, request: str) -> Fault:
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.pattern, request):
                fault.times -= 1
                return fault
        return Fault("", None)


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def answer(self) -> None:
        if self.hub.closed:
            self.close_connection = True
            return self.connection.close()
        url = urlsplit(self.path)
        self.query, path = parse_qs(url.query), unquote(url.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = f"{self.command} {path}"
        self.hub.requests.append(request)
        fault = self.hub.fault(request)
        self.broken, self.more = fault.what, fault.headers
        if self.broken == "slow":
            time.sleep(30)
        if self.broken == "html":
            return self.send(b"<html>Log in to the hotel's network</html>", **{"Content-Type": "text/html"})
        if isinstance(self.broken, bytes):
            return self.send(self.broken, **{"Content-Type": "application/json"})
        if isinstance(self.broken, int):
            codes = {403: "GatedRepo", 404: "EntryNotFound"} if "resolve" in path else {}
            return self.send_json({"error": "as told"}, self.broken, **{"X-Error-Code": codes.get(self.broken, "")})
        for pattern, act in (
            (r"/api/whoami-v2", self.whoami),
            (r"/api/repos/create", self.create),
            (r"/api/validate-yaml", lambda: self.send_json({"errors": [], "warnings": []})),
            (r"/api/models", self.listing),
            (r"/lfs/(?P<oid>\w{64})", self.put_lfs),
            (r"/(?:(?P<plural>datasets|spaces)/)?(?P<id>[^/]+/[^/]+)\.git/info/lfs/objects/batch", self.lfs_batch),
            (r"/api/(?P<plural>\w+)/(?P<id>[^/]+/[^/]+)/preupload/(?P<rev>.+)", self.preupload),
            (r"/api/(?P<plural>\w+)/(?P<id>[^/]+/[^/]+)/commit/(?P<rev>.+)", self.commit),
            (r"/api/(?P<plural>\w+)/(?P<id>[^/]+/[^/]+)/discussions", self.discuss),
            (r"/api/(?P<plural>\w+)/(?P<id>[^/]+/[^/]+)/tree/(?P<rev>.+)", self.tree),
            (r"/api/(?P<plural>\w+)/(?P<id>[^/]+/[^/]+)(?:/revision/(?P<rev>.+))?", self.info),
            (
                r"/(?:(?P<plural>datasets|spaces)/)?(?P<id>[^/]+/[^/]+)/resolve/(?P<rev>refs/pr/\d+|[^/]+)/(?P<file>.+)",
                self.file,
            ),
        ):
            if found := re.fullmatch(pattern, path):
                return act(**found.groupdict())
        self.send_json({"error": f"no such endpoint {path}"}, 404)

    # answers

    def send_json(self, data: object, status: int = 200, **headers: str) -> None:
        self.send(json.dumps(data).encode(), status, **{"Content-Type": "application/json", **headers})

    def send(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **ANYWHERE, **headers, **self.more}.items():
            if value:
                self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.broken == "cut":
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        elif self.broken == "drip":
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(0.2)
        else:
            self.wfile.write(data[:-9] + bytes(9) if self.broken == "corrupt" else data)

    def user(self) -> str | None:
        given = self.headers.get("Authorization", "")
        return USER if given == f"Bearer {TOKEN}" else None

    def repo(self, plural: str | None, id: str) -> Repo | None:
        """The repository, or None after the answer that it cannot be seen."""
        repo = self.hub.repos.get((KINDS.get(plural or "models"), id))
        if self.headers.get("Authorization") and not self.user():
            self.send_json({"error": "Invalid credentials in Authorization header"}, 401)
        elif repo is None or (repo.private and not self.user()):
            self.send_json({"error": "Repository not found"}, 404, **{"X-Error-Code": "RepoNotFound"})
        else:
            return repo
        return None

    def revision(self, repo: Repo, rev: str | None) -> str | None:
        sha = repo.resolve(rev or "main")
        if sha is None:
            self.send_json({"error": f"Invalid rev id: {rev}"}, 404, **{"X-Error-Code": "RevisionNotFound"})
        return sha

    # endpoints

    def whoami(self) -> None:
        if not self.user():
            return self.send_json({"error": "Invalid username or password."}, 401)
        self.send_json({"type": "user", "name": USER, "fullname": "Alice", "avatarUrl": "", "orgs": []})

    def create(self) -> None:
        asked = json.loads(self.body)
        kind, owner = asked.get("type") or "model", asked.get("organization") or self.user()
        if not self.user():
            return self.send_json({"error": "Invalid username or password."}, 401)
        if owner != self.user():
            return self.send_json({"error": f"You don't have the rights to create a {kind} under {owner}"}, 403)
        id = f"{owner}/{asked['name']}"
        url = f"{self.hub.url}/{'' if kind == 'model' else kind + 's/'}{id}"
        if (kind, id) in self.hub.repos:
            return self.send_json({"error": "You already created this repo", "url": url}, 409)
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.repos[kind, id] = Repo(kind, id, private=bool(private), hardware=asked.get("hardware"), sdk=asked.get("sdk"))
        self.send_json({"url": url})

    def listing(self) -> None:
        wanted, words = set(self.query.get("filter", [])), self.query.get("search", [""])[0].lower()
        author, sort = self.query.get("author", [""])[0], self.query.get("sort", [""])[0]
        found = [r for r in self.hub.repos.values() if r.kind == "model" and (not r.private or self.user())]
        found = [r for r in found if wanted <= set(r.tags()) and words in r.id.lower()]
        found = [r for r in found if not author or r.id.startswith(f"{author}/")]
        if sort in ("likes", "downloads"):
            found.sort(key=lambda r: -getattr(r, sort))
        start, size = int(self.query.get("cursor", ["0"])[0]), min(int(self.query.get("limit", ["1000"])[0]), self.hub.page)
        more = {}
        if start + size < len(found):
            pairs = [(k, v) for k, values in self.query.items() if k != "cursor" for v in values]
            query = "&".join(f"{k}={quote(v)}" for k, v in [*pairs, ("cursor", str(start + size))])
            more = {"Link": f'<{self.hub.url}/api/models?{query}>; rel="next"'}
        self.send_json([self.describe(r, r.refs["main"]) for r in found[start : start + size]], **more)

    def describe(self, repo: Repo, sha: str) -> dict:
        hardware = {"runtime": {"stage": "RUNNING", "hardware": {"current": None, "requested": repo.hardware}}}
        return {
            **(hardware if repo.hardware else {}),
            **repo.told(self.query.get("expand", [])),
            "id": repo.id, "modelId": repo.id, "sha": sha, "private": repo.private, "gated": "auto" if repo.gated else False,
            "tags": repo.tags(), "likes": repo.likes, "downloads": repo.downloads, "author": repo.id.split("/")[0],
            "lastModified": "2026-11-22T08:39:34.000Z", "createdAt": "2026-11-22T08:39:34.000Z",
        }  # fmt: skip

    def info(self, plural: str, id: str, rev: str | None = None) -> None:
        if (repo := self.repo(plural, id)) and (sha := self.revision(repo, rev)):
            files = self.entries(repo, sha)
            siblings = [{"rfilename": f["path"], "size": f["size"], "blobId": f["oid"], "lfs": f.get("lfs")} for f in files]
            for sibling in siblings:
                if sibling["lfs"]:
                    sibling["lfs"] = {"sha256": sibling["lfs"]["oid"], "size": sibling["size"], "pointerSize": 134}
            self.send_json({**self.describe(repo, sha), "siblings": siblings})

    def entries(self, repo: Repo, sha: str) -> list[dict]:
        found = []
        for path, data in sorted(repo.commits[sha].items()):
            entry = {"type": "file", "path": path, "size": len(data), "oid": git_oid(data)}
            if is_large(path):
                entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            found.append(entry)
        return found

    def tree(self, plural: str, id: str, rev: str) -> None:
        if (repo := self.repo(plural, id)) and (sha := self.revision(repo, rev)):
            self.send_json(self.entries(repo, sha))

    def file(self, plural: str | None, id: str, rev: str, file: str) -> None:
        if not (repo := self.repo(plural, id)) or not (sha := self.revision(repo, rev)):
            return
        if repo.gated and not self.user():
            return self.send_json({"error": "gated"}, 403, **{"X-Error-Code": "GatedRepo"})
        if (data := repo.commits[sha].get(file)) is None:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha}
            return self.send_json({"error": "Entry not found"}, 404, **headers)
        if file == "config.json" and self.command == "GET":
            repo.downloads += 1
        oid = hashlib.sha256(data).hexdigest() if is_large(file) else git_oid(data)
        self.send(data, **{"ETag": f'"{oid}"', "X-Repo-Commit": sha})

    def preupload(self, plural: str, id: str, rev: str) -> None:
        if (repo := self.repo(plural, id)) and (sha := self.revision(repo, rev)):
            if not self.user():
                return self.send_json({"error": "Invalid username or password."}, 401)
            held, files = {e["path"]: e for e in self.entries(repo, sha)}, []
            for file in json.loads(self.body)["files"]:
                entry = held.get(file["path"], {})
                oid = entry.get("lfs", entry).get("oid")
                mode = "lfs" if is_large(file["path"]) else "regular"
                files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
            self.send_json({"files": files})

    def lfs_batch(self, plural: str | None, id: str) -> None:
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            actions = {"upload": {"href": f"{self.hub.url}/lfs/{wanted['oid']}", "header": {}}}
            objects.append({**wanted, **({} if wanted["oid"] in self.hub.blobs else {"actions": actions})})
        self.send_json({"transfer": "basic", "objects": objects})

    def put_lfs(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            return self.send_json({"error": "content does not match its hash"}, 422)
        self.hub.blobs[oid] = self.body
        self.send_json({})

    def commit(self, plural: str, id: str, rev: str) -> None:
        if not (repo := self.repo(plural, id)) or not (sha := self.revision(repo, rev)):
            return
        pull = self.query.get("create_pr") == ["1"]
        if not self.user() or (not pull and not rev.startswith("refs/pr/") and not id.startswith(f"{USER}/")):
            return self.send_json({"error": "Forbidden: you may not write here"}, 403 if self.user() else 401)
        files, title = dict(repo.commits[sha]), ""
        for line in self.body.splitlines():
            key, value = json.loads(line).values()
            if key == "header":
                title = value["summary"]
            elif key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
            elif key == "deletedFile":
                files.pop(value["path"])
        answer = {}
        if pull:
            number = repo.open_pull(title)
            rev, answer = f"refs/pr/{number}", {"pullRequestUrl": f"{self.hub.url}/{id}/discussions/{number}"}
        new = repo.commit(rev, files, title)
        self.send_json({"commitUrl": f"{self.hub.url}/{id}/commit/{new}", "commitOid": new, **answer})

    def discuss(self, plural: str, id: str) -> None:
        if repo := self.repo(plural, id):
            if not self.user():
                return self.send_json({"error": "Invalid username or password."}, 401)
            self.send_json({"num": repo.open_pull(json.loads(self.body)["title"])})
