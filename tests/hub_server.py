"""A stand-in for the Hugging Face hub on loopback: data set repositories behind the hub's own HTTP interface.

What the real client library asks for is there: repositories, pre-upload, LFS (whole or in parts), Xet by a local chunk store,
commits on a parent, tags, downloads. A `Fault` makes one of these requests fail on cue. Files, commits and requests can be
looked at from the test.
"""

import base64
import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

TOKEN = "hf_" + "StandIn" * 5  # may write to what OWNER has
READ_ONLY = "hf_" + "Reader0" * 5
OWNER = "team"


@dataclass(frozen=True)
class Blob:
    """One file in a commit; `lfs` where its bytes lie in the large file storage."""

    sha256: str
    size: int
    data: bytes | None = None

    @property
    def lfs(self) -> bool:
        return self.data is None

    @property
    def oid(self) -> str:
        """The id that pre-upload compares: of git for a regular file, of the content for a large one."""
        if self.data is None:
            return self.sha256
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    files: Mapping[str, Blob]


@dataclass
class Repo:
    private: bool
    commits: list[Commit] = field(default_factory=lambda: [Commit("0" * 40, "initial commit", {})])
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> Commit | None:
        wanted = self.commits[-1].oid if revision == "main" else self.tags.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == wanted), None)


@dataclass
class Fault:
    """What happens to requests whose "METHOD /path" holds `where`: `times` times after the first `after`.

    `does` is a status to answer with, "cut" (the connection breaks while the request is read), "lost" (it is done, and the
    answer never comes), or a function that is called before the request is answered as usual.
    """

    where: str
    does: int | str | Callable[[], None]
    times: int = 1
    after: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    def meets(self, line: str) -> bool:
        if not re.search(self.where, line):
            return False
        self.after -= 1
        if self.after >= 0 or self.times == 0:
            return False
        self.times -= 1
        return True


class Refused(Exception):
    def __init__(self, status: int, error: str, code: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "errors": [{"message": error}]}
        self.headers = {"X-Error-Code": code} if code else {}
        if status == 401:
            self.headers["X-Error-Message"] = error


class Hub:
    """The repositories, what was asked, and what goes wrong."""

    def __init__(self, chunks: Path | None = None, part: int = 2**20) -> None:
        self.chunks, self.part = chunks, part  # where Xet's chunks lie; bytes above which LFS wants parts
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.asked: list[str] = []
        self.received = 0  # bytes of all request bodies
        self.faults: list[Fault] = []
        self.lock = threading.RLock()
        self.url = ""

    def files(self, name: str, revision: str = "main") -> dict[str, bytes]:
        """Return the files of a repository as a reader gets them."""
        commit = self.repos[name].at(revision)
        assert commit is not None
        return {
            path: self.objects[blob.sha256] if blob.data is None else blob.data
            for path, blob in commit.files.items()
        }

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, line)) for line in self.asked)

    # ---- what the interface does; each gives the answer's body -------------------------------------------------------

    def create(self, body: dict[str, Any]) -> Any:
        name = f"{body['organization']}/{body['name']}"
        assert body["type"] == "dataset"
        if body["organization"] != OWNER:
            raise Refused(403, f"You don't have the rights to create a dataset under {body['organization']}")
        if name in self.repos:
            raise Refused(409, "You already created this dataset repo")
        self.repos[name] = Repo(body.get("visibility") == "private")
        return {"url": f"{self.url}/datasets/{name}", "name": name, "id": "1"}

    def validate_yaml(self, body: dict[str, Any]) -> Any:
        head = re.match(r"---\n(.*?)\n---\n", body["content"], re.DOTALL)
        try:
            card = yaml.safe_load(head[1]) if head else {}
        except yaml.YAMLError as error:
            raise Refused(400, f"not YAML: {error}") from None
        if not isinstance(card, dict):
            raise Refused(400, "not a mapping")
        return {"errors": [], "warnings": []}

    def preupload(self, repo: Repo, revision: str, body: dict[str, Any]) -> Any:
        commit = self.commit_of(repo, revision)
        return {
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": "lfs"
                    if file["path"].endswith((".parquet", ".png")) or file["size"] > 10 * 2**20
                    else "regular",
                    "shouldIgnore": False,
                    "oid": blob.oid if (blob := commit.files.get(file["path"])) else None,
                }
                for file in body["files"]
            ]
        }

    def lfs_batch(self, body: dict[str, Any]) -> Any:
        return {
            "transfer": "basic",
            "objects": [self._object(one["oid"], one["size"]) for one in body["objects"]],
        }

    def _object(self, oid: str, size: int) -> dict[str, Any]:
        answer: dict[str, Any] = {"oid": oid, "size": size}
        if oid in self.objects:
            return answer
        place = f"{self.url}/lfs/{oid}"
        upload: dict[str, Any] = {"href": place}
        if size > self.part:
            numbers = range(1, -(-size // self.part) + 1)
            header = {str(number): f"{place}?part={number}" for number in numbers}
            upload = {"href": f"{place}?complete=1", "header": {"chunk_size": str(self.part), **header}}
        return answer | {"actions": {"upload": upload, "verify": {"href": f"{place}?verify=1"}}}

    def store(self, oid: str, query: dict[str, list[str]], body: bytes) -> Any:
        if "part" in query:
            self.parts.setdefault(oid, {})[int(query["part"][0])] = body
            return {}
        if "complete" in query and oid in self.objects:
            return {}
        if "complete" in query:
            body = b"".join(data for _, data in sorted(self.parts.pop(oid, {}).items()))
        if "verify" in query:
            if oid not in self.objects:
                raise Refused(404, "Object not found")
            return {}
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refused(400, "The content does not have this hash")
        self.objects[oid] = body
        return {}

    def commit(self, name: str, repo: Repo, lines: list[dict[str, Any]]) -> Any:
        head = repo.commits[-1]
        header = lines[0]["value"]
        if header.get("parentCommit", head.oid) != head.oid:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(head.files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                data = base64.b64decode(value["content"])
                files[value["path"]] = Blob(hashlib.sha256(data).hexdigest(), len(data), data)
            elif line["key"] == "lfsFile":
                if self.chunks is None and value["oid"] not in self.objects:
                    raise Refused(400, f"LFS pointer of {value['path']} points to nothing")
                files[value["path"]] = Blob(value["oid"], value["size"])
            elif line["key"] == "deletedFile" and files.pop(value["path"], None) is None:
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
        oid = hashlib.sha1(json.dumps([head.oid, lines]).encode()).hexdigest()
        repo.commits.append(Commit(oid, header["summary"], files))
        return {"success": True, "commitOid": oid, "commitUrl": f"{self.url}/datasets/{name}/commit/{oid}"}

    def tag(self, repo: Repo, revision: str, body: dict[str, Any]) -> Any:
        if body["tag"] in repo.tags:
            raise Refused(409, "Tag reference exists already")
        repo.tags[body["tag"]] = self.commit_of(repo, revision).oid
        return {}

    def refs(self, repo: Repo) -> Any:
        def ref(kind: str, name: str, oid: str) -> dict[str, str]:
            return {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid}

        tags = [ref("tags", name, oid) for name, oid in repo.tags.items()]
        return {"branches": [ref("heads", "main", repo.commits[-1].oid)], "tags": tags, "converts": []}

    def entries(self, repo: Repo, revision: str, paths: list[str] | None = None) -> Any:
        files = self.commit_of(repo, revision).files
        return [
            {"type": "file", "path": path, "size": blob.size, "oid": blob.oid}
            | ({"lfs": {"oid": blob.sha256, "size": blob.size, "pointerSize": 130}} if blob.lfs else {})
            for path, blob in files.items()
            if paths is None or path in paths
        ]

    @staticmethod
    def commit_of(repo: Repo, revision: str) -> Commit:
        if (commit := repo.at(revision)) is None:
            raise Refused(404, "Invalid rev id", "RevisionNotFound")
        return commit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: Any) -> None: ...

    def _do(self) -> None:
        line, hub = f"{self.command} {self.path}", self.hub
        fault = next((fault for fault in hub.faults if fault.meets(line)), None)
        with hub.lock:
            hub.asked.append(line)
        length = int(self.headers.get("Content-Length", 0))
        if fault and fault.does == "cut":
            self.rfile.read(length // 2)
            return self._cut()
        body = self.rfile.read(length)
        with hub.lock:
            hub.received += len(body)
        if fault and isinstance(fault.does, int):
            return self._answer(fault.does, {"error": f"scripted {fault.does}"}, fault.headers)
        try:
            if fault and callable(fault.does):
                fault.does()
            with hub.lock:
                given, headers = self._route(body), {}
        except Refused as error:
            status, given, headers = error.status, error.body, error.headers
        else:
            status = 200
        if fault and fault.does == "lost":
            return self._cut()
        return self._answer(status, given, headers)

    do_GET = do_POST = do_PUT = do_HEAD = _do

    def _cut(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, given: Any, headers: Mapping[str, str]) -> None:
        data = given if isinstance(given, bytes) else json.dumps(given).encode()
        self.send_response(status)
        named = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
        named |= {"ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        for name, value in named.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):
                self.wfile.write(data)

    def _route(self, body: bytes) -> Any:
        hub, url = self.hub, urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        if match := re.fullmatch(r"/lfs/([0-9a-f]{64})", path):  # signed addresses: no token goes there
            return hub.store(match[1], query, body)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in (TOKEN, READ_ONLY, ""):
            raise Refused(401, "Invalid credentials in Authorization header")
        if self.command in ("POST", "PUT") and token != TOKEN and "paths-info" not in path:
            raise Refused(403, "Forbidden: pass a token that may write")
        if path == "/api/repos/create":
            return hub.create(json.loads(body))
        if path == "/api/validate-yaml":
            return hub.validate_yaml(json.loads(body))
        match = re.fullmatch(r"(?:/api)?/datasets/([^/]+/[^/]+?)(?:\.git/(info)|/([^/]+))?(?:/(.*))?", path)
        if match is None:
            raise Refused(404, "Not found")
        name, word, rest = match[1], match[2] or match[3] or "", match[4] or ""
        repo = hub.repos.get(name)
        if repo is None or (repo.private and not token):
            raise Refused(404, "Repository not found", "RepoNotFound")
        return self._in_repo(name, repo, word, rest, body)

    def _in_repo(self, name: str, repo: Repo, word: str, rest: str, body: bytes) -> Any:
        hub = self.hub
        match word:
            case "" | "revision":
                commit = hub.commit_of(repo, rest or "main")
                return {"id": name, "sha": commit.oid, "private": repo.private}
            case "preupload":
                return hub.preupload(repo, rest, json.loads(body))
            case "info":
                return hub.lfs_batch(json.loads(body))
            case "xet-write-token":
                return {"casUrl": f"local://{hub.chunks}", "exp": 2**32, "accessToken": "chunks"}
            case "commit":
                return hub.commit(name, repo, [json.loads(line) for line in body.splitlines()])
            case "tag":
                return hub.tag(repo, rest, json.loads(body))
            case "refs":
                return hub.refs(repo)
            case "paths-info":
                return hub.entries(repo, rest, parse_qs(body.decode())["paths"])
            case "tree":
                return hub.entries(repo, rest)
            case "resolve":
                revision, _, file = rest.partition("/")
                if (blob := hub.commit_of(repo, revision).files.get(file)) is None:
                    raise Refused(404, "Entry not found", "EntryNotFound")
                return hub.objects[blob.sha256] if blob.data is None else blob.data
        raise Refused(404, f"Not found: {word}")


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    """Serve `hub` while the context is open; gives its address."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
