# SPDX-License-Identifier: Apache-2.0
"""JSON Schema, as much of it as test/schema/ uses, and no more."""
import json
import os

HOME = os.path.join(os.path.dirname(__file__), "..", "schema")
KNOWN = {"$schema", "title", "type", "required", "properties", "items", "enum", "minimum",
         "maximum"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
         "number": (int, float)}


def wrong(schema, doc, at="$"):
    """What is wrong with a document, as a list of sentences."""
    unknown = set(schema) - KNOWN
    if unknown:
        return [f"{at}: the schema says {unknown}, which is not known here"]
    want = schema.get("type")
    if want and (not isinstance(doc, TYPES[want]) or
                 (want == "integer" and isinstance(doc, bool))):
        return [f"{at}: {doc!r} is no {want}"]
    out = []
    if "enum" in schema and doc not in schema["enum"]:
        out.append(f"{at}: {doc!r} is none of {schema['enum']}")
    if "minimum" in schema and doc < schema["minimum"]:
        out.append(f"{at}: {doc} is below {schema['minimum']}")
    if "maximum" in schema and doc > schema["maximum"]:
        out.append(f"{at}: {doc} is above {schema['maximum']}")
    for key in schema.get("required", ()):
        if key not in doc:
            out.append(f"{at}: {key} is missing")
    for key, sub in schema.get("properties", {}).items():
        if key in doc:
            out += wrong(sub, doc[key], f"{at}.{key}")
    for i, one in enumerate(doc if "items" in schema else ()):
        out += wrong(schema["items"], one, f"{at}[{i}]")
    return out


def check(name, doc):
    """Fail unless a document is as test/schema/NAME.json says."""
    with open(os.path.join(HOME, name + ".json"), encoding="utf-8") as f:
        found = wrong(json.load(f), doc)
    assert not found, "\n".join(found)
