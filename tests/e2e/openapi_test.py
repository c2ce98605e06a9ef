"""What the OpenAPI document says is what the daemon does. Run by openapi_test.sh with a state folder, the hash of a
torrent that seeds, a number of requests and perhaps a seed.

1. every example of the document fits its schema;
2. every operation is asked with its own examples; its answer is one that the document has;
3. so many requests are made up: valid ones, ones with one field broken, random ones. No answer is a 500, each comes
   within 5 s, each is one that the document has, and what was refused changed nothing;
4. the daemon is well, and POST /shutdown ends it.
"""

import base64
import collections
import copy
import http.client
import json
import os
import pathlib
import random
import string
import sys
import time
import urllib.parse
import warnings

import jsonschema

warnings.simplefilter("ignore", DeprecationWarning)

WITHIN = 5.0  # seconds that an answer may take
UNKNOWN = "fedcba9876543210fedcba9876543210fedcba98"
LAST = "session_shutdown"
# Values that are valid but not wanted here: they would wait, or change what the test stands on.
INSTEAD = {("query", "wait"): 0, ("query", "delete_files"): False, ("body", "remove_data"): False}
# A body that may be anything JSON: those that this daemon takes without becoming another one.
BODIES = {"/api/v1/config": [{}, {"limits": {"global_up_kib": 0}}, {"limits": {"per_torrent_up_kib": 0}}]}

Answer = collections.namedtuple("Answer", "status headers body seconds")


class Operation:
    def __init__(self, document, path, method, told):
        self.document, self.path, self.method, self.told = document, path, method.upper(), told
        self.id = told["operationId"]
        self.parameters = [document.follow(p) for p in told.get("parameters", [])]
        body = told.get("requestBody")
        self.content = body["content"]["application/json"] if body else None
        self.body = document.follow(self.content["schema"]) if body else None
        self.needs_body = bool(body and body.get("required"))
        self.is_socket = "101" in told["responses"]
        self.removes = self.method == "DELETE" or self.path.endswith("/remove")

    def answer(self, status):
        said = self.told["responses"].get(str(status))
        return None if said is None else self.document.follow(said)


class Document:
    def __init__(self, read):
        self.read = read
        self.resolver = jsonschema.RefResolver("", read)
        self.validators = {}
        self.operations = [Operation(self, path, method, told) for path, item in read["paths"].items()
                           for method, told in item.items()]

    def follow(self, what):
        while isinstance(what, dict) and "$ref" in what:
            found = self.read
            for part in what["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            what = found
        return what

    def wrong(self, value, schema):
        """What is wrong with a value, None where it fits."""
        made = self.validators.get(id(schema))
        if made is None:
            jsonschema.Draft202012Validator.check_schema(schema)
            made = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
            self.validators[id(schema)] = made
        error = next(made.iter_errors(value), None)
        return None if error is None else f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


class Daemon:
    def __init__(self, url, key):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.key, self.connection = parts.hostname, parts.port, key, None

    def ask(self, method, target, body=None, headers=None):
        for again in (True, False):
            is_fresh = self.connection is None
            if is_fresh:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=WITHIN)
            started = time.monotonic()
            try:
                self.connection.request(method, target, body, {"X-CCBT-API-Key": self.key, **(headers or {})})
                said = self.connection.getresponse()
                text = said.read()
                return Answer(said.status, said.headers, text, time.monotonic() - started)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A connection that was kept may have ended meanwhile; a fresh one may not.
                self.connection.close()
                self.connection = None
                if is_fresh or not again:
                    raise
            except OSError:
                self.connection.close()
                self.connection = None
                raise
        raise AssertionError

    def json(self, target):
        said = self.ask("GET", target)
        return json.loads(said.body) if said.status == 200 else None


class Test:
    def __init__(self, document, daemon, info_hash, seed):
        self.document, self.daemon, self.info_hash = document, daemon, info_hash
        self.random = random.Random(seed)
        self.wrong, self.asked = [], collections.Counter()
        self.seen = collections.defaultdict(collections.Counter)
        self.slowest = (0.0, "")

    def complain(self, what):
        self.wrong.append(what)
        if len(self.wrong) <= 20:
            print(f"WRONG  {what}")

    # ---- one request

    def ask(self, operation, method, target, body, headers, wanted=None):
        line = f"{method} {target[:200]} {str(body)[:300]}"
        try:
            said = self.daemon.ask(method, target, body, headers)
        except OSError as error:
            self.complain(f"{line}: no answer within {WITHIN} s: {error!r}")
            return None
        self.slowest = max(self.slowest, (said.seconds, line))
        if said.seconds > WITHIN:
            self.complain(f"{line}: answered after {said.seconds:.1f} s")
        if said.status in (500, 501):
            self.complain(f"{line}: {said.status} {said.body[:200]}")
        if operation is not None:
            self.seen[operation.id][said.status] += 1
            self.hold(operation, line, said)
        else:
            self.hold_error(line, said)
        if wanted is not None and not wanted(said.status):
            self.complain(f"{line}: {said.status} {said.body[:200]} is not the answer to that")
        return said

    def hold(self, operation, line, said):
        """The answer is one that the document has."""
        told = operation.answer(said.status)
        if told is None:
            self.complain(f"{line}: {said.status} {said.body[:200]} is not in the document")
            return
        for name in told.get("headers", {}):
            # A daemon that has no more to say than "not so" need not have looked at its truth.
            if name == "X-CCBT-Revision" and name not in said.headers:
                self.complain(f"{line}: {said.status} without {name}")
        content = told.get("content")
        if content is None:
            if said.body:
                self.complain(f"{line}: {said.status} has a body")
            return
        kind = said.headers.get_content_type()
        if kind not in content:
            self.complain(f"{line}: {said.status} is {kind}, not one of {list(content)}")
        elif kind == "application/json":
            if problem := self.document.wrong(json.loads(said.body), content[kind]["schema"]):
                self.complain(f"{line}: {said.status} {said.body[:300]}: {problem}")

    def hold_error(self, line, said):
        if said.status >= 400:
            problem = self.document.wrong(json.loads(said.body), self.document.read["components"]["schemas"]["Error"])
            if problem:
                self.complain(f"{line}: {said.status} {said.body[:300]}: {problem}")

    # ---- values

    def hash_for(self, operation):
        return self.random.choice([UNKNOWN] if operation.removes else [self.info_hash, self.info_hash.upper(), UNKNOWN])

    def text(self, most):
        letters = string.ascii_letters + string.digits + " .:/-_äß文\"\\"
        return "".join(self.random.choice(letters) for _ in range(self.random.randint(0, min(most, 30))))

    def valid(self, schema, operation, name=""):
        """A value that the schema takes."""
        schema = self.document.follow(schema)
        if "anyOf" in schema:
            return self.valid(self.random.choice(schema["anyOf"]), operation, name)
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type", "object")
        if isinstance(kind, list):
            kind = self.random.choice(kind)
        if kind == "null":
            return None
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "number"):
            least = max(schema.get("minimum", -1000), -10**9)
            most = min(schema.get("maximum", 10**6), 10**9)
            chosen = self.random.choice([least, most, self.random.randint(int(least), int(most))])
            return chosen if kind == "integer" else float(chosen)
        if kind == "string":
            if "pattern" in schema or "info_hash" in name:
                return self.hash_for(operation)
            if schema.get("format") == "byte":
                return base64.b64encode(self.random.randbytes(self.random.randint(0, 40))).decode()
            return self.text(schema.get("maxLength", 30))
        if kind == "array":
            return [self.valid(schema["items"], operation, name) for _ in range(self.random.randint(0, 3))]
        out = {}
        for key, member in schema.get("properties", {}).items():
            if key in schema.get("required", ()) or self.random.random() < 0.5:
                out[key] = INSTEAD.get(("body", key), self.valid(member, operation, key))
        return out

    def broken(self, schema):
        """A value that the schema does not take; None where there is none to be had."""
        schema = self.document.follow(schema)
        if "anyOf" in schema:
            return self.broken(schema["anyOf"][0])
        kind = schema.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        other = {"boolean": [5, "perhaps", [], {}], "integer": ["many", True, [], {}, 1.5, 1e300],
                 "number": ["much", False, [], {}], "string": [7, True, [], {}, 0.5], "array": [{}, 3, "x", True],
                 "object": [[], "x", 4, False]}
        choices = list(other.get(kinds[0], []))
        if "enum" in schema:
            choices.append("neither this nor that")
        if "minimum" in schema:
            choices.append(schema["minimum"] - 1)
        if "maximum" in schema and schema["maximum"] < 2**53:
            choices.append(schema["maximum"] + 1)
        if "maxLength" in schema and schema["maxLength"] < 10000:
            choices.append("x" * (schema["maxLength"] + 1))
        if "pattern" in schema:
            choices.append("0123")
        if kinds[0] == "array" and "items" in schema:
            inside = self.broken(schema["items"])
            if inside is not None:
                choices.append([inside])
        return self.random.choice(choices) if choices else None

    # ---- requests

    def request(self, operation, parameters, body):
        path, query, headers = operation.path, [], {}
        for told in operation.parameters:
            if told["name"] not in parameters:
                continue
            value = parameters[told["name"]]
            if isinstance(value, list):
                value = ",".join(map(str, value))
            elif isinstance(value, bool):
                value = str(value).lower()
            if told["in"] == "path":
                path = path.replace("{" + told["name"] + "}", urllib.parse.quote(str(value), safe=""))
            elif told["in"] == "query":
                query.append((told["name"], value))
            else:
                headers[told["name"]] = str(value).encode("ascii", "replace").decode().strip()
        if query:
            path += "?" + urllib.parse.urlencode(query)
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        elif operation.method != "GET":
            headers["Content-Length"] = "0"
        return operation.method, path, body, headers

    def with_example(self, operation):
        parameters = {p["name"]: p["example"] for p in operation.parameters if "example" in p and
                      (p.get("required") or p["in"] == "query")}
        for name in ("since", "if_none_match", "If-None-Match"):
            parameters.pop(name, None)
        for place, name in INSTEAD:
            if place == "query" and name in parameters:
                parameters[name] = INSTEAD[place, name]
        if "info_hash" in parameters:
            parameters["info_hash"] = self.info_hash
        return self.request(operation, parameters, operation.content["example"] if operation.content else None)

    def made_up(self, operation):
        parameters = {}
        for told in operation.parameters:
            if told["name"] == "Idempotency-Key":
                if self.random.random() < 0.1:
                    parameters[told["name"]] = self.random.randbytes(12).hex()
            elif told.get("required") or self.random.random() < 0.4:
                value = INSTEAD.get((told["in"], told["name"]), self.valid(told["schema"], operation, told["name"]))
                if told["in"] == "path" and value == "":
                    value = "x"
                if value is not None:
                    parameters[told["name"]] = value
        body = None
        if operation.path in BODIES:
            body = copy.deepcopy(self.random.choice(BODIES[operation.path]))
        elif operation.body is not None and (operation.needs_body or self.random.random() < 0.8):
            body = self.valid(operation.body, operation)
        return parameters, body

    def break_one(self, operation):
        """A made-up request with one thing wrong with it; None where the operation leaves nothing to break."""
        parameters, body = self.made_up(operation)
        places = [p for p in operation.parameters if "pattern" in p["schema"] or p["schema"].get("type") in
                  ("integer", "number", "boolean")]
        fields = list((operation.body or {}).get("properties", {}).items()) if operation.path not in BODIES else []
        required = list((operation.body or {}).get("required", ()))
        choices = ["parameter"] * len(places) + ["field"] * len(fields) + ["gone"] * bool(required) + \
            ["kind"] * (operation.body is not None)
        choice = self.random.choice(choices or [None])
        if choice is None:
            return None
        if choice == "parameter":
            told = self.random.choice(places)
            parameters[told["name"]] = "no!"
        elif choice == "kind":
            body = self.random.choice([[], "x", 5, True])
        else:
            body = body if isinstance(body, dict) else self.valid(operation.body, operation)
            if choice == "gone":
                body.pop(self.random.choice(required), None)
            else:
                name, schema = self.random.choice(fields)
                bad = self.broken(schema)
                if bad is None:
                    return None
                body[name] = bad
        return self.request(operation, parameters, body)

    def anything(self, depth=0):
        kinds = [None, True, False, 0, -1, 2**63, -2**63, 1e308, 0.1, "", "\0", "x" * 100, "ÿ文", UNKNOWN, "../etc"]
        if depth < 3 and self.random.random() < 0.4:
            count = self.random.randint(0, 3)
            if self.random.random() < 0.5:
                return [self.anything(depth + 1) for _ in range(count)]
            return {self.text(8): self.anything(depth + 1) for _ in range(count)}
        return self.random.choice(kinds)

    def random_one(self, operations):
        """(operation or None, method, target, body, headers) of a request that no answer but a refusal fits."""
        operation = self.random.choice(operations)
        kind = self.random.randrange(6)
        headers = {"Content-Type": "application/json"}
        if kind == 0:  # a path that is none
            parts = [urllib.parse.quote(self.text(12) or "x", safe="") for _ in range(self.random.randint(1, 4))]
            return None, self.random.choice(["GET", "POST", "DELETE"]), "/api/v1/none/" + "/".join(parts), None, headers
        if kind == 1:  # a method that it has not
            has = {o.method for o in operations if o.path == operation.path}
            method = self.random.choice(sorted({"GET", "POST", "PUT", "DELETE", "PATCH"} - has))
            # What another template of the same shape takes is no wrong method.
            path = operation.path.replace("{", "").replace("}", "")
            return None, "PATCH" if "{" in operation.path else method, path, None, headers
        if kind == 2:  # a body that is no JSON
            body = self.random.choice([self.random.randbytes(self.random.randint(1, 60)), b"{", b'{"a":1,"a":2}',
                                       b"[" * 40, b'{"x": NaN}', b"\xff\xfe", b"{}{}"])
            parameters = self.made_up(operation)[0]
            method, target, _, more = self.request(operation, parameters, None)
            more.pop("Content-Length", None)
            return operation, method, target, body, {**more, **headers}
        if kind == 3:  # of another content type
            parameters = self.made_up(operation)[0]
            method, target, _, more = self.request(operation, parameters, None)
            more.pop("Content-Length", None)
            return operation, method, target, b"a=b", {**more, "Content-Type": "application/x-www-form-urlencoded"}
        if kind == 4 and operation.body is not None and operation.body.get("required"):  # random values of its fields
            parameters, _ = self.made_up(operation)
            body = {name: self.anything() for name in operation.body.get("properties", {})}
            must = operation.body["required"][0]
            body[must] = self.broken(operation.body["properties"][must])
            return operation, *self.request(operation, parameters, body)
        method, target, body, more = operation.method, operation.path, None, {}
        for told in operation.parameters:
            if told["in"] == "path":
                target = target.replace("{" + told["name"] + "}", urllib.parse.quote(self.text(40) or "%", safe=""))
        if operation.method == "GET":
            target += "?" + urllib.parse.urlencode([(p["name"], INSTEAD.get(("query", p["name"]), self.text(20)))
                                                    for p in operation.parameters if p["in"] == "query"])
        elif "{" not in operation.path:
            body, more = b"[]", headers
        return operation, method, target, body, more

    # ---- the whole

    def examples(self):
        count = 0

        def hold(where, media):
            nonlocal count
            given = [media["example"]] if "example" in media else []
            given += [e["value"] for e in media.get("examples", {}).values()]
            for one in given:
                count += 1
                if problem := self.document.wrong(one, media["schema"]):
                    self.complain(f"the example of {where}: {problem}")
            return bool(given)

        for o in self.document.operations:
            for told in o.parameters:
                if told["name"] != "Idempotency-Key" and not hold(f"{o.id} {told['name']}", told):
                    self.complain(f"{o.id}: {told['name']} has no example")
            if o.content is not None and not hold(f"{o.id}'s body", o.content):
                self.complain(f"{o.id}: its body has no example")
            for status in o.told["responses"]:
                for kind, media in o.answer(status).get("content", {}).items():
                    if kind != "application/json" or o.id == "session_openapi":
                        continue
                    if not hold(f"{o.id} {status}", media):
                        self.complain(f"{o.id}: its answer {status} has no example")
        for name, item in self.document.read["webhooks"].items():
            if not hold(f"the event {name}", item["post"]["requestBody"]["content"]["application/json"]):
                self.complain(f"the event {name} has no example")
        print(f"{count} examples are held against their schemas")

    def state(self):
        """What no refused request may change; not what moves by itself: rates, which torrents the queue lets run."""
        api, out = "/api/v1", {}
        rows = self.daemon.json(f"{api}/torrents")["torrents"]
        out["torrents"] = [{**{key: row[key] for key in ("info_hash", "name", "labels", "output_dir",
                                                         "download_limit_kib", "upload_limit_kib")},
                            "paused": row["status"] == "paused"} for row in rows]
        for path in ("/security/blacklist", "/security/whitelist", "/config", "/nat/status"):
            out[path] = self.daemon.json(api + path)
        queue = self.daemon.json(f"{api}/queue") or {"entries": []}
        out["queue"] = [(e["info_hash"], e["queue_position"], e["priority"]) for e in queue["entries"]]
        keys = self.daemon.json(f"{api}/keys") or {}
        out["keys"] = sorted(k["name"] for k in keys.get("keys", []))
        files = self.daemon.json(f"{api}/torrents/{self.info_hash}/files") or {"files": []}
        out["files"] = [(f["index"], f["selected"], f["priority"]) for f in files["files"]]
        return out

    def unchanged(self, before, what):
        after = self.state()
        for name, was in before.items():
            if after[name] != was:
                self.complain(f"{what} changed {name}: from {str(was)[:300]} to {str(after[name])[:300]}")

    def every_operation(self):
        for o in self.document.operations:
            if o.id == LAST:
                continue
            if o.is_socket:
                method, target, body, headers = o.method, o.path, None, {
                    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode()}
                said = self.ask(o, method, target, body, headers, lambda status: status == 101)
                self.daemon.connection.close()
                self.daemon.connection = None
            else:
                said = self.ask(o, *self.with_example(o))
            if said is not None:
                code = "" if said.status < 400 else " " + json.loads(said.body)["code"]
                print(f"  {said.status}{code:24} {o.method:6} {o.path}")
                if code.strip() in ("VALIDATION_ERROR", "INVALID_JSON", "INVALID_INFO_HASH", "INVALID_PORT"):
                    self.complain(f"{o.id} refuses its own example: {said.body[:300]}")
            # The torrent that all stands on is still there for the next.
            if not self.daemon.json(f"/api/v1/torrents/{self.info_hash}"):
                restored = pathlib.Path(self.torrent).read_bytes()
                self.daemon.ask("POST", "/api/v1/torrents/add", json.dumps(
                    {"torrent_data": base64.b64encode(restored).decode()}), {"Content-Type": "application/json"})

    def many(self, count):
        operations = [o for o in self.document.operations if o.id != LAST and not o.is_socket]
        for i in range(count * 3 // 10):
            operation = operations[i % len(operations)]
            parameters, body = self.made_up(operation)
            made = self.request(operation, parameters, body)
            self.ask(operation, *made, lambda status: status not in (401, 405, 415))
            self.asked["valid"] += 1
        before = self.state()
        while self.asked["broken"] < count * 4 // 10:
            operation = self.random.choice(operations)
            made = self.break_one(operation)
            if made is not None:
                self.ask(operation, *made, lambda status: 400 <= status < 500)
                self.asked["broken"] += 1
        self.unchanged(before, "what had one field broken")
        while sum(self.asked.values()) < count:
            operation, *made = self.random_one(operations)
            mutates = made[0] != "GET"
            self.ask(operation, *made, (lambda status: 400 <= status < 500) if mutates else None)
            self.asked["random"] += 1
        self.unchanged(before, "what was random")


def record(test):
    """For tools/conformance: what was asked, and with what end."""
    folder = os.environ.get("CONFORMANCE_RECORDS")
    if folder:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"openapi.{os.getpid()}"), "w", encoding="utf-8") as out:
            for o in test.document.operations:
                for status in sorted(test.seen[o.id]):
                    out.write(f"{o.method} {o.path} {status} e2e.openapi\n")


def main():
    state, info_hash, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 20240229
    daemon = Daemon(json.loads((state / "daemon.json").read_text())["url"], (state / "api_key").read_text().strip())
    document = Document(daemon.json("/openapi.json"))
    test = Test(document, daemon, info_hash, seed)
    test.torrent = state.parent.parent / "here.torrent"
    print(f"seed {seed}: CCBT_SEED={seed} makes up the same requests")
    started = time.monotonic()
    test.examples()
    test.every_operation()
    test.many(count)
    seconds = time.monotonic() - started
    if daemon.json("/health") != {"status": "ok"}:
        test.complain("the daemon is not well")
    last = next(o for o in document.operations if o.id == LAST)
    pid = daemon.json("/api/v1/status")["pid"]
    test.ask(last, *test.request(last, {}, None), lambda status: status == 200)
    end = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
        time.sleep(0.05)
    if os.path.exists(f"/proc/{pid}"):
        test.complain("the daemon still runs 20 s after POST /shutdown")
    record(test)
    statuses = collections.Counter()
    for counted in test.seen.values():
        statuses.update(counted)
    print(f"{len(document.operations)} operations; {dict(test.asked)} requests in {seconds:.1f} s, "
          f"the slowest {test.slowest[0]:.2f} s: {test.slowest[1][:100]}")
    print("answers by status: " + ", ".join(f"{k}: {v}" for k, v in sorted(statuses.items())))
    print("nothing is wrong" if not test.wrong else f"{len(test.wrong)} things are wrong")
    return 1 if test.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
