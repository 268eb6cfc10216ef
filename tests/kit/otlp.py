# SPDX-License-Identifier: MPL-2.0
"""otlp - whether a body is an ExportTraceServiceRequest in JSON, written from the specification alone

The messages are those of opentelemetry-proto 1.x (trace/v1, resource/v1, common/v1); the rules are those of
the protobuf-JSON mapping with what OTLP changes of it: ids are hex and not base64, enums are numbers, and
nothing else than lowerCamelCase is a name. Receivers overlook names they do not know; this does not.
"""
import re


class Wrong(Exception):
    """A body that is not as it should be; says where."""


def _text(value, where):
    if not isinstance(value, str):
        raise Wrong(f"{where}: {value!r} is no string")


def _truth(value, where):
    if not isinstance(value, bool):
        raise Wrong(f"{where}: {value!r} is no bool")


def _number(low, high):
    """32-bit numbers are numbers."""
    def look(value, where):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(f"{where}: {value!r} is no number from {low} to {high}")
    return look


def _long(low, high):
    """64-bit numbers are decimal strings."""
    def look(value, where):
        if not isinstance(value, str) or not re.fullmatch(r"-?(0|[1-9][0-9]*)", value) or not low <= int(value) <= high:
            raise Wrong(f"{where}: {value!r} is no 64-bit number as a string")
    return look


def _double(value, where):
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or value in ("NaN", "Infinity", "-Infinity")):
        raise Wrong(f"{where}: {value!r} is no double")


def _id(size, may_be_empty=False):
    def look(value, where):
        if may_be_empty and value == "":
            return
        if not isinstance(value, str) or not re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", value) or not int(value, 16):
            raise Wrong(f"{where}: {value!r} is no id of {size} bytes in hex")
    return look


def _base64(value, where):
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9+/_-]*={0,2}", value):
        raise Wrong(f"{where}: {value!r} is no base64")


def _list(of):
    def look(value, where):
        if not isinstance(value, list):
            raise Wrong(f"{where}: {value!r} is no array")
        for index, item in enumerate(value):
            of(item, f"{where}[{index}]")
    return look


def _message(name, required=(), one_of=()):
    """A message; its fields are looked up late, since messages hold each other."""
    def look(value, where):
        if not isinstance(value, dict):
            raise Wrong(f"{where}: {value!r} is no {name}")
        for key, member in value.items():
            if key not in FIELDS[name]:
                raise Wrong(f"{where}: {name} has no '{key}'")
            FIELDS[name][key](member, f"{where}.{key}")
        for key in required:
            if key not in value:
                raise Wrong(f"{where}: '{key}' is missing")
        if sum(key in value for key in one_of) > 1:
            raise Wrong(f"{where}: more than one of {one_of}")
    return look


U32, U64 = _number(0, 2 ** 32 - 1), _long(0, 2 ** 64 - 1)
I64 = _long(-2 ** 63, 2 ** 63 - 1)
VALUES = ("stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue")
ATTRIBUTES = _list(_message("KeyValue", required=("key", "value")))

FIELDS = {
    "ExportTraceServiceRequest": {"resourceSpans": _list(_message("ResourceSpans"))},
    "ResourceSpans": {"resource": _message("Resource"), "scopeSpans": _list(_message("ScopeSpans")),
                      "schemaUrl": _text},
    "Resource": {"attributes": ATTRIBUTES, "droppedAttributesCount": U32},
    "ScopeSpans": {"scope": _message("InstrumentationScope"), "spans": _list(_message(
        "Span", required=("traceId", "spanId", "name", "startTimeUnixNano", "endTimeUnixNano"))),
        "schemaUrl": _text},
    "InstrumentationScope": {"name": _text, "version": _text, "attributes": ATTRIBUTES,
                             "droppedAttributesCount": U32},
    "Span": {"traceId": _id(16), "spanId": _id(8), "traceState": _text, "parentSpanId": _id(8, True), "flags": U32,
             "name": _text, "kind": _number(0, 5), "startTimeUnixNano": U64, "endTimeUnixNano": U64,
             "attributes": ATTRIBUTES, "droppedAttributesCount": U32, "events": _list(_message("Event")),
             "droppedEventsCount": U32, "links": _list(_message("Link")), "droppedLinksCount": U32,
             "status": _message("Status")},
    "Event": {"timeUnixNano": U64, "name": _text, "attributes": ATTRIBUTES, "droppedAttributesCount": U32},
    "Link": {"traceId": _id(16), "spanId": _id(8), "traceState": _text, "attributes": ATTRIBUTES,
             "droppedAttributesCount": U32, "flags": U32},
    "Status": {"message": _text, "code": _number(0, 2)},
    "KeyValue": {"key": _text, "value": _message("AnyValue", one_of=VALUES)},
    "AnyValue": {"stringValue": _text, "boolValue": _truth, "intValue": I64, "doubleValue": _double,
                 "arrayValue": _message("ArrayValue"), "kvlistValue": _message("KeyValueList"), "bytesValue": _base64},
    "ArrayValue": {"values": _list(_message("AnyValue", one_of=VALUES))},
    "KeyValueList": {"values": ATTRIBUTES},
}

_look = _message("ExportTraceServiceRequest")


def fault(body):
    """What is wrong with a body; None when nothing is."""
    try:
        _look(body, "$")
    except Wrong as wrong:
        return str(wrong)
    return None


def _flat(attributes):
    """KeyValues as a dictionary."""
    read = {"stringValue": str, "intValue": int}
    return {one["key"]: read[kind](value) for one in attributes for kind, value in one["value"].items()}


def spans(body):
    """The spans of a body, each with its resource's attributes as `resource`."""
    return [{**span, "attributes": _flat(span["attributes"]), "resource": _flat(group["resource"]["attributes"])}
            for group in body["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]]
