"""A Hub on loopback: repositories, commits, LFS objects, branches and tags over the protocol that huggingface_hub speaks.

``faults`` holds what goes wrong: ``(method, path pattern, status or "break")``, each once, in the order of need.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_test_token"
Files = dict[str, bytes]


@dataclass
class Hub:
    """What the server holds. ``commits`` maps a commit to its files; ``refs`` names branches and tags."""

    url: str = ""
    repos: dict[str, bool] = field(default_factory=dict)  # name: private
    commits: dict[str, Files] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    objects: Files = field(default_factory=dict)
    faults: list[tuple[str, str, int | str]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    large: int = 2000  # bytes from which a file goes to the object store before the commit

    def files(self, ref: str = "main") -> Files:
        return self.commits[self.refs.get(ref, ref)]


class Handler(BaseHTTPRequestHandler):
    """One request. Paths are those of the public Hub."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        for fault in self.hub.faults:
            method, pattern, what = fault
            if method == self.command and re.search(pattern, path):
                self.hub.faults.remove(fault)
                return self._fail(what)
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if not path.startswith("/lfs/") and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer({"error": "Invalid credentials"}, 401)
        for method, pattern, action in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command.replace("HEAD", "GET"):
                return action(self, body, **match.groupdict())
        return self._answer({"error": f"no route for {self.command} {path}"}, 404)

    def _fail(self, what: int | str) -> None:
        self.close_connection = True
        if what == "break":
            self.rfile.read(10)  # in the middle of the body
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Said aloud, or the client may take the connection for its next request just before it is gone.
        self._answer({"error": "as the test wants"}, int(what), {"Connection": "close"})

    def _answer(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def create(self, body: bytes) -> None:
        asked = json.loads(body)
        repo = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
        url = f"{self.hub.url}/datasets/{repo}"
        if repo in self.hub.repos:
            return self._answer({"error": "You already created this dataset repo", "url": url}, 409)
        self.hub.repos[repo] = asked.get("private") or asked.get("visibility") == "private"
        self.hub.commits["0" * 40] = {".gitattributes": b"* lfs\n"}
        self.hub.refs["main"] = "0" * 40
        return self._answer({"url": url, "name": repo})

    def validate(self, body: bytes) -> None:
        assert json.loads(body)["repoType"] == "dataset"
        self._answer({"errors": [], "warnings": []})

    def preupload(self, body: bytes, repo: str, ref: str) -> None:
        if repo not in self.hub.repos or ref not in self.hub.refs:
            return self._answer({"error": "not found"}, 404)
        files = json.loads(body)["files"]
        modes = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["size"] > self.hub.large else "regular",
                "shouldIgnore": False,
            }
            for one in files
        ]
        return self._answer({"files": modes})

    def batch(self, body: bytes, repo: str) -> None:
        objects = []
        for one in json.loads(body)["objects"]:
            upload = {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}
            objects.append(one if one["oid"] in self.hub.objects else {**one, "actions": upload})
        self._answer({"transfer": "basic", "objects": objects})

    def store(self, body: bytes, oid: str) -> None:
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.objects[oid] = body
        self.hub.uploads.append(oid)
        self._answer({})

    def commit(self, body: bytes, repo: str, ref: str) -> None:
        files = dict(self.hub.files(ref))
        message = ""
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "header":
                message = f"{value['summary']}\n{value.get('description', '')}"
            elif entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            else:
                del files[value["path"]]
        oid = hashlib.sha1(body + str(len(self.hub.commits)).encode()).hexdigest()
        self.hub.commits[oid] = files
        self.hub.refs[ref] = oid
        self.hub.messages.append(message)
        self._answer({"commitUrl": f"{self.hub.url}/datasets/{repo}/commit/{oid}", "commitOid": oid, "success": True})

    def name(self, body: bytes, repo: str, kind: str, ref: str) -> None:
        name, start = (json.loads(body)["tag"], ref) if kind == "tag" else (ref, "main")
        if name in self.hub.refs:
            return self._answer({"error": "Reference already exists"}, 409)
        self.hub.refs[name] = self.hub.refs.get(start, start)
        return self._answer({})

    def info(self, body: bytes, repo: str, ref: str | None = None) -> None:
        if repo not in self.hub.repos:
            return self._answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        sha = self.hub.refs.get(ref or "main", ref or "main")
        if sha not in self.hub.commits:
            return self._answer({"error": "no such revision"}, 404, {"X-Error-Code": "RevisionNotFound"})
        siblings = [{"rfilename": path} for path in sorted(self.hub.commits[sha])]
        return self._answer({"id": repo, "sha": sha, "siblings": siblings, "private": True, "tags": [], "downloads": 0})

    def paths(self, body: bytes, repo: str, ref: str) -> None:
        asked = json.loads(body)["paths"]
        self._answer([self._entry(path, data) for path, data in self.hub.files(ref).items() if path in asked])

    def tree(self, body: bytes, repo: str, ref: str, under: str = "") -> None:
        prefix = f"{under}/" if under else ""
        inside = {path: data for path, data in self.hub.files(ref).items() if path.startswith(prefix)}
        if not inside:
            return self._answer({"error": "no such folder"}, 404, {"X-Error-Code": "EntryNotFound"})
        deep = "recursive=True" in self.path or "recursive=true" in self.path
        folders = {prefix + path[len(prefix) :].split("/")[0] for path in inside if "/" in path[len(prefix) :]}
        shown = inside if deep else {path: data for path, data in inside.items() if "/" not in path[len(prefix) :]}
        listed = [{"type": "directory", "path": folder, "oid": "0" * 40, "size": 0} for folder in sorted(folders)]
        return self._answer([*listed, *(self._entry(path, data) for path, data in shown.items())])

    def resolve(self, body: bytes, repo: str, ref: str, path: str) -> None:
        data = self.hub.files(ref).get(path)
        if data is None:
            return self._answer({"error": "no such file"}, 404, {"X-Error-Code": "EntryNotFound"})
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": self.hub.refs.get(ref, ref)}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted:
            start, end = int(wanted[1]), int(wanted[2] or len(data) - 1)
            headers["Content-Range"] = f"bytes {start}-{min(end, len(data) - 1)}/{len(data)}"
            return self._answer(data[start : end + 1], 206, headers)
        return self._answer(data, 200, {**headers, "Accept-Ranges": "bytes"})

    def _entry(self, path: str, data: bytes) -> dict[str, Any]:
        return {"type": "file", "path": path, "oid": hashlib.sha1(data).hexdigest(), "size": len(data)}


_REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"
ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", Handler.validate),
    ("POST", rf"/api/datasets/{_REPO}/preupload/(?P<ref>.+)", Handler.preupload),
    ("POST", rf"/datasets/{_REPO}\.git/info/lfs/objects/batch", Handler.batch),
    ("PUT", r"/lfs/(?P<oid>\w+)", Handler.store),
    ("POST", rf"/api/datasets/{_REPO}/commit/(?P<ref>.+)", Handler.commit),
    ("POST", rf"/api/datasets/{_REPO}/(?P<kind>tag|branch)/(?P<ref>.+)", Handler.name),
    ("POST", rf"/api/datasets/{_REPO}/paths-info/(?P<ref>[^/]+)", Handler.paths),
    ("GET", rf"/api/datasets/{_REPO}/tree/(?P<ref>[^/]+)(?:/(?P<under>.+))?", Handler.tree),
    ("GET", rf"/api/datasets/{_REPO}/revision/(?P<ref>.+)", Handler.info),
    ("GET", rf"/api/datasets/{_REPO}", Handler.info),
    ("GET", rf"/datasets/{_REPO}/resolve/(?P<ref>[^/]+)/(?P<path>.+)", Handler.resolve),
]


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Serve an empty Hub on a free port until the block ends."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
