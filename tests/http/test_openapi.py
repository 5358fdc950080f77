"""The API's own description: that it is served, whole, sound, and true.

That answers are as it says is not tested here but in every HTTP test: conftest.py holds each answer,
and each body that was taken, against it (schema.py).
"""
import glob
import json
import os
import re
import subprocess

import pytest

import schema

STATE = os.environ.get("CATCHMENT_STATE", "")
METHODS = {"get", "post", "put", "patch", "delete"}
FAMILIES = "account admin collectors datasources exports instances marketplace trials".split()
KEYWORDS = {name.removeprefix("judge_").replace("ref", "$ref") for name in dir(schema.Description)
            if name.startswith("judge_")} | schema.ANNOTATIONS


@pytest.fixture(scope="module")
def served(anyone):
    return anyone.get("/openapi.json")


@pytest.fixture(scope="module")
def document(served):
    return served.json


@pytest.fixture(scope="module")
def families():
    """What each responder prints with --routes."""
    found = {}
    for program in glob.glob(STATE + "/app/libexec/catchment/catchment-*.fcgi"):
        printed = json.loads(subprocess.run([program, "--routes"], check=True, capture_output=True).stdout)
        found[printed["family"]] = printed
    assert sorted(found) == FAMILIES
    return found


@pytest.fixture(scope="module")
def operations(document):
    return {(method, path): operation for path, item in document["paths"].items()
            for method, operation in item.items()}


def routes(families):
    for name, family in families.items():
        for route in family["routes"]:
            path = re.sub(r":text\}", "}", route["path"])
            yield name, route, (route["method"].lower(), path)


def nodes(value, at=""):
    """Every object of the document, with its place."""
    if isinstance(value, dict):
        yield at, value
        for name, inner in value.items():
            yield from nodes(inner, f"{at}/{name}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from nodes(inner, f"{at}/{i}")


def schemas(document):
    """Every schema, with its place."""
    for name, one in document["components"]["schemas"].items():
        yield from below(one, name)
    for at, node in nodes(document["paths"]):
        if isinstance(node.get("schema"), dict):
            yield from below(node["schema"], at)


def below(one, at):
    yield at, one
    for name, inner in one.get("properties", {}).items():
        yield from below(inner, f"{at}/{name}")
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(one.get(name), dict):
            yield from below(one[name], f"{at}/{name}")
    for i, inner in enumerate(one.get("anyOf", [])):
        yield from below(inner, f"{at}/anyOf/{i}")


def parameters(description, operation):
    return [description.follow(one) for one in operation.get("parameters", [])]


# How it is served.

def test_anybody_gets_it_at_both_addresses(anyone, tenant, served):
    for who in (anyone, tenant):
        for path in ("/openapi.json", "api/openapi.json"):
            answer = who.get(path)
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.headers["Cache-Control"] == "public, max-age=300"
            assert answer.body == served.body


def test_it_is_not_sent_again_to_who_has_it(anyone, served):
    tag = served.headers["ETag"]
    assert anyone.get("/openapi.json", 304, headers={"If-None-Match": tag}).body == b""
    assert anyone.get("/openapi.json", headers={"If-None-Match": '"other"'}).body == served.body
    assert anyone.ask("HEAD", "/openapi.json", 200).headers["ETag"] == tag


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nobody_writes_it(anyone, method):
    assert anyone.ask(method, "/openapi.json", 405, "method_not_allowed").headers["Allow"] == "GET, HEAD"


def test_the_command_prints_the_same(served):
    printed = subprocess.run([STATE + "/app/bin/catchment", "openapi"], check=True, capture_output=True)
    assert printed.stdout == served.body
    wrong = subprocess.run([STATE + "/app/bin/catchment", "openapi", "more"], capture_output=True)
    assert wrong.returncode == 2 and b"usage: catchment openapi" in wrong.stderr


# That it is whole.

def test_every_route_is_in_it_and_nothing_else(families, operations):
    expected = {at for _, _, at in routes(families)}
    expected |= {("get", "/healthz"), ("get", "/readyz"), ("get", "/openapi.json")}
    assert set(operations) == expected
    assert len(operations) > 60


def test_every_route_shows_who_may_use_it(families, operations):
    for name, route, at in routes(families):
        operation = operations[at]
        assert name in operation["tags"], at
        assert route["summary"] in operation["summary"], at
        word = "x-platform-role" if route["access"] == "platform" else "x-role"
        assert operation.get(word) == route.get("role"), at
        assert operation.get("x-scope") == route.get("scope"), at
        assert operation["security"] == ([] if route["access"] == "public" else [{"bearer": []}]), at
        assert ("401" in operation["responses"]) == (route["access"] != "public" or 401 in route["also"]), at


def test_every_route_shows_what_it_takes(document, families, operations):
    description = schema.Description(document)
    for name, route, at in routes(families):
        found = parameters(description, operations[at])
        shown = {one["name"] for one in found if one["in"] == "query"}
        assert {one["name"] for one in route.get("query", [])} <= shown, at
        named = {one["name"] for one in found if one["in"] == "header"}
        assert ("If-Match" in named) == ("versioned" in route["flags"]), at
        assert ("Idempotency-Key" in named) == (at[0] == "post" and route["access"] != "public"), at
        body = operations[at].get("requestBody")
        assert (body is not None) == ("in" in route), at
        if body:
            assert "/" + route["in"] + '"' in json.dumps(body), at
            assert body["x-bytes-max"] >= route["bodyMax"], at
            assert body["required"] == ("bodyOptional" not in route["flags"]), at


def test_every_route_shows_what_it_answers(families, operations):
    for name, route, at in routes(families):
        answers = operations[at]["responses"]
        for status in [route["status"], *route["also"]]:
            assert str(status) in answers, (at, status)
        success = json.dumps(answers[str(route["status"])])
        assert ("out" not in route) or "/" + route["out"] + '"' in success, at
        flags = set(route["flags"])
        assert ("application/x-ndjson" in success) == ("stream" in flags and "csv" not in flags), at
        assert ("text/csv" in success) == ("csv" in flags), at
        assert ("412" in answers) == bool({"versioned", "unversioned"} & set(route["flags"])), at
        assert ("415" in answers) == ("in" in route), at
        assert "429" in answers and "503" in answers and "default" in answers, at


def test_every_shape_of_every_family_is_in_it(document, families):
    names = {shape["name"] for family in families.values() for shape in family["shapes"]}
    assert set(document["components"]["schemas"]) == names | {"Problem"}


# That it is sound: the rules of OpenAPI 3.1 that it can break.

def test_its_head_is_that_of_openapi(document):
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"] and re.fullmatch(r"\d+\.\d+\.\d+", document["info"]["version"])
    assert [server["url"] for server in document["servers"]] == ["/api/v1", "/api"]
    assert set(document) == {"openapi", "info", "jsonSchemaDialect", "servers", "tags", "paths", "components"}
    assert [tag["name"] for tag in document["tags"]] == sorted({*FAMILIES, "health"})
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_every_operation_is_well_formed(document, operations):
    description = schema.Description(document)
    tags = {tag["name"] for tag in document["tags"]}
    for (method, path), operation in operations.items():
        at = (method, path)
        assert method in METHODS and path.startswith("/"), at
        assert set(operation) <= {"operationId", "summary", "tags", "security", "x-role", "x-platform-role", "x-scope", "parameters",
                                  "requestBody", "responses"}, at
        assert set(operation["tags"]) <= tags, at
        found = [(one["in"], one["name"]) for one in parameters(description, operation)]
        assert len(found) == len(set(found)), at
        assert {name for where, name in found if where == "path"} == set(re.findall(r"\{(\w+)\}", path)), at
        for one in parameters(description, operation):
            assert one["in"] in ("path", "query", "header") and isinstance(one["schema"], dict), at
            assert one["in"] != "path" or one["required"] is True, at
        assert method not in ("get", "delete") or "requestBody" not in operation, at
        for status, answer in operation["responses"].items():
            assert re.fullmatch(r"[2345]\d\d|default", status), at
            answer = description.follow(answer)
            assert answer["description"], at
            assert status not in ("204", "304") or "content" not in answer, at
            if status == "default" or status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], at


def test_every_operation_has_a_name_of_its_own(operations):
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)


def test_every_reference_leads_somewhere_and_every_part_is_used(document):
    description = schema.Description(document)
    used = set()
    for at, node in nodes(document):
        if "$ref" in node:
            assert isinstance(description.follow({"$ref": node["$ref"]}), dict), at
            used.add(node["$ref"])
    parts = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses", "headers", "parameters")
             for name in document["components"][kind]}
    taken_as_queries = {ref for ref in parts if ref not in used}
    assert not taken_as_queries


def test_every_schema_is_one(document):
    count = 0
    for at, one in schemas(document):
        count += 1
        assert set(one) <= KEYWORDS, (at, set(one) - KEYWORDS)
        kinds = one.get("type", [])
        assert set([kinds] if isinstance(kinds, str) else kinds) <= set(schema.TYPES), at
        assert set(one.get("required", [])) <= set(one.get("properties", {})), at
        assert one.get("format", "uuid") in schema.FORMATS, at
        for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
            assert one.get(low, 0) <= one.get(high, 2 ** 63), at
        if "default" in one and "type" in one:
            assert not schema.Description(document).problems(one["default"], one), at
    assert count > 300


# That the judge of all other tests judges.

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize("rule, good, bad", [
    ({"type": "integer"}, [0, -1], ["0", 1.5, True, None]),
    ({"type": "number"}, [0, 1.5], ["0", False]),
    ({"type": ["string", "null"]}, ["", None], [0, []]),
    ({"type": "boolean"}, [True], [0, "true"]),
    (OBJECT, [{"a": 1}], [{}, {"a": "1"}, {"a": 1, "b": 2}, [], None]),
    ({"type": "object", "additionalProperties": {"type": "string"}}, [{}, {"x": "y"}], [{"x": 1}]),
    ({"propertyNames": {"maxLength": 2}}, [{"xx": 1}], [{"xxx": 1}]),
    ({"type": "array", "items": OBJECT, "maxItems": 1}, [[], [{"a": 1}]], [[{}], [{"a": 1}, {"a": 1}], {}]),
    ({"enum": ["a", None]}, ["a", None], ["b", ""]),
    ({"anyOf": [OBJECT, {"type": "null"}]}, [None, {"a": 1}], [{}, 1]),
    ({"minimum": 1, "maximum": 3}, [1, 3], [0, 4]),
    ({"minLength": 1, "maxLength": 2}, ["a", "ab"], ["", "abc"]),
    ({"minProperties": 1, "maxProperties": 2, "minItems": 1}, [{"a": 1}, [1]], [{}, [], {"a": 1, "b": 1, "c": 1}]),
    ({"format": "uuid"}, ["0190a2b4-7d4e-7c3a-9f00-000000000001"], ["0190A2B4", "x"]),
    ({"format": "date-time"}, ["2026-01-02T03:04:05Z"], ["2026-01-02T03:04:05", "2026-13-02T03:04:05Z"]),
    ({"pattern": "^[a-z]$"}, ["a"], ["A", "ab"]),
    ({"$ref": "#/components/schemas/One"}, [{"a": 1}], [{}]),
])
def test_a_wrong_value_is_found(rule, good, bad):
    judge = schema.Description({"paths": {}, "components": {"schemas": {"One": OBJECT}}})
    for value in good:
        assert judge.problems(value, rule) == []
    for value in bad:
        assert judge.problems(value, rule), value


def test_a_keyword_without_a_judge_is_not_passed_over():
    with pytest.raises(AssertionError, match="oneOf"):
        schema.Description({"paths": {}}).problems(1, {"oneOf": []})


class Said:
    def __init__(self, status, body, **headers):
        self.status, self.json, self.body = status, body, json.dumps(body).encode()
        self.headers = {"Content-Type": "application/json", **headers}


@pytest.mark.parametrize("answer, wrong", [
    (Said(200, {"status": "ok"}), None),
    (Said(200, {"status": "ok", "more": 1}), "more is not in the schema"),
    (Said(200, {}), "status is missing"),
    (Said(201, {"status": "ok"}), "the status 201 is not described"),
    (Said(409, {}), "the status 409 is not described"),
    (Said(200, {"status": "ok"}, Location="/x"), "the header location is not described"),
    (Said(200, {"status": "ok"}, **{"Content-Type": "text/html"}), "the type text/html is not described"),
    (Said(503, {"status": "ok"}), "the type application/json is not described"),
])
def test_an_answer_that_is_not_described_is_found(document, answer, wrong):
    found = schema.Description(document).judge("GET", "/healthz?x=1", answer)
    assert (wrong is None and not found) or any(wrong in sentence for sentence in found), found
