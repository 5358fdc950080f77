"""The API's description as a judge: answers against the schema of their operation.

A small part of JSON Schema 2020-12, the part that the description uses; any other keyword fails, so
that nothing is passed over in silence.
"""
import datetime
import re
import urllib.parse
import uuid

TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
}
ANNOTATIONS = {"description", "default", "writeOnly", "readOnly"}
# What nginx says before it knows an operation, and what is broken on our side or behind us.
ANYWHERE = {405, 414, 431, 500, 502, 504}


def is_uuid(text):
    return str(uuid.UUID(text)) == text


def is_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None


FORMATS = {
    "uuid": is_uuid,
    "date-time": is_time,
    "email": lambda text: text.count("@") == 1,
    "uri": lambda text: bool(urllib.parse.urlsplit(text).scheme),
    "int64": lambda number: -2 ** 63 <= number < 2 ** 63,
    "password": lambda text: True,
    "uri-reference": lambda text: " " not in text,
}


def holds(check, value):
    try:
        return check(value)
    except ValueError:
        return False


class Description:
    def __init__(self, document):
        self.document = document
        self.patterns = []
        for path, item in document["paths"].items():
            expression = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
            self.patterns.append((path.count("{"), re.compile(expression + r"\Z"), path, item))
        # as the router has it: literal segments win over parameters
        self.patterns.sort(key=lambda pattern: pattern[0])

    def follow(self, node):
        while "$ref" in node:
            at = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            node = at
        return node

    def operation(self, method, path):
        """The operation of a path below the server's address, or None."""
        method = "get" if method == "HEAD" else method.lower()
        for _, expression, _, item in self.patterns:
            if method in item and expression.match(path):
                return item[method]
        return None

    def problems(self, value, schema, at=""):
        """What is wrong with value, as sentences."""
        found = []
        for keyword, argument in schema.items():
            if keyword in ANNOTATIONS:
                continue
            judge = getattr(self, "judge_" + keyword.replace("$", ""), None)
            if judge is None:
                raise AssertionError(f"{at}: the keyword {keyword} has no judge")
            found += judge(value, argument, schema, at)
        return found

    def judge_ref(self, value, argument, schema, at):
        return self.problems(value, self.follow({"$ref": argument}), at)

    def judge_anyOf(self, value, argument, schema, at):
        tries = [self.problems(value, one, at) for one in argument]
        return [] if any(not one for one in tries) else [f"{at}: fits none of {tries}"]

    def judge_type(self, value, argument, schema, at):
        types = argument if isinstance(argument, list) else [argument]
        return [] if any(TYPES[t](value) for t in types) else [f"{at}: {value!r:.80} is no {argument}"]

    def judge_enum(self, value, argument, schema, at):
        return [] if value in argument else [f"{at}: {value!r:.80} is none of {argument}"]

    def judge_properties(self, value, argument, schema, at):
        if not isinstance(value, dict):
            return []
        return [p for name, inner in argument.items() if name in value
                for p in self.problems(value[name], inner, f"{at}/{name}")]

    def judge_required(self, value, argument, schema, at):
        if not isinstance(value, dict):
            return []
        return [f"{at}: {name} is missing" for name in argument if name not in value]

    def judge_additionalProperties(self, value, argument, schema, at):
        if not isinstance(value, dict) or argument is True:
            return []
        beyond = [name for name in value if name not in schema.get("properties", {})]
        if argument is False:
            return [f"{at}: {name} is not in the schema" for name in beyond]
        return [p for name in beyond for p in self.problems(value[name], argument, f"{at}/{name}")]

    def judge_propertyNames(self, value, argument, schema, at):
        if not isinstance(value, dict):
            return []
        return [p for name in value for p in self.problems(name, argument, f"{at}/{name}")]

    def judge_items(self, value, argument, schema, at):
        if not isinstance(value, list):
            return []
        return [p for i, item in enumerate(value) for p in self.problems(item, argument, f"{at}/{i}")]

    def judge_format(self, value, argument, schema, at):
        wanted = int if argument == "int64" else str
        # an optional text may stand empty
        if not isinstance(value, wanted) or value == "" or holds(FORMATS[argument], value):
            return []
        return [f"{at}: {value!r:.80} is no {argument}"]

    def judge_pattern(self, value, argument, schema, at):
        if not isinstance(value, str) or value == "" or re.search(argument, value):
            return []
        return [f"{at}: {value!r:.80} does not match {argument}"]

    def bound(self, value, kinds, measure, fits, at, words):
        if not isinstance(value, kinds) or isinstance(value, bool) or fits(measure(value)):
            return []
        return [f"{at}: {words}, but it is {measure(value)}"]

    def judge_minimum(self, value, argument, schema, at):
        return self.bound(value, (int, float), lambda v: v, lambda n: n >= argument, at, f"{argument} at least")

    def judge_maximum(self, value, argument, schema, at):
        return self.bound(value, (int, float), lambda v: v, lambda n: n <= argument, at, f"{argument} at most")

    def judge_minLength(self, value, argument, schema, at):
        return self.bound(value, str, len, lambda n: n >= argument, at, f"{argument} characters at least")

    def judge_maxLength(self, value, argument, schema, at):
        return self.bound(value, str, len, lambda n: n <= argument, at, f"{argument} characters at most")

    def judge_minItems(self, value, argument, schema, at):
        return self.bound(value, list, len, lambda n: n >= argument, at, f"{argument} items at least")

    def judge_maxItems(self, value, argument, schema, at):
        return self.bound(value, list, len, lambda n: n <= argument, at, f"{argument} items at most")

    def judge_minProperties(self, value, argument, schema, at):
        return self.bound(value, dict, len, lambda n: n >= argument, at, f"{argument} members at least")

    def judge_maxProperties(self, value, argument, schema, at):
        return self.bound(value, dict, len, lambda n: n <= argument, at, f"{argument} members at most")

    def judge(self, method, target, answer):
        """What is wrong with an answer to that method and target (the path, below the server's
        address, with its query)."""
        path, query = urllib.parse.urlsplit(target)[2:4]
        operation = self.operation(method, path)
        if operation is None:
            return [] if answer.status in ANYWHERE | {404} else [f"{answer.status} of an unknown operation"]
        declared = operation["responses"].get(str(answer.status))
        if declared is None:
            return [] if answer.status in ANYWHERE else [f"the status {answer.status} is not described"]
        declared = self.follow(declared)
        found = self.headers(answer, declared)
        if method == "HEAD" or not answer.body:
            if declared.get("content") and method != "HEAD" and answer.status != 304:
                found.append("the body is missing")
            return found
        kind = answer.headers["Content-Type"].split(";")[0]
        if kind not in declared.get("content", {}):
            return found + [f"the type {kind} is not described"]
        if kind in ("application/x-ndjson", "text/csv"):
            return found
        return found + self.problems(answer.json, declared["content"][kind]["schema"])

    def judge_taken(self, method, target, body):
        """What is wrong with a body that was taken: the server judges by the same tables."""
        operation = self.operation(method, urllib.parse.urlsplit(target).path)
        if operation is None:
            return []
        if "requestBody" not in operation:
            return ["no body is described"]
        return self.problems(body, operation["requestBody"]["content"]["application/json"]["schema"])

    def headers(self, answer, declared):
        """Headers of our own that are not described. Some belong to every answer."""
        names = {name.lower() for name in declared.get("headers", {})}
        ours = {"etag", "location", "link", "retry-after", "idempotency-replayed", "x-request-id",
                "ratelimit", "ratelimit-policy", "www-authenticate"}
        sent = {name.lower() for name in answer.headers.keys()} & ours
        if answer.status >= 300:  # a refusal's response is one for all operations
            sent -= {"ratelimit", "ratelimit-policy"}
        return [f"the header {name} is not described" for name in sorted(sent - names)]
