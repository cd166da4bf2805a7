"""Writes a JSON schema for each kind of Kubernetes, from the description of its API.

Arguments: swagger.json, folder. The files are named as kubeconform looks for them. Objects accept no
other properties than those described.
"""

import json
import pathlib
import sys

NUMBER_OR_TEXT = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "number"}]}
# Text in the description, but numbers are accepted, too.
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


def schema(node):
    """Translates a schema; a map of properties is not one, whatever its keys are."""
    if not isinstance(node, dict):
        return node
    if node.get("format") == "int-or-string":
        return NUMBER_OR_TEXT
    if "$ref" in node:
        return {"$ref": "definitions.json" + node["$ref"]}
    result = {key: node[key] for key in ("type", "enum", "required") if key in node}
    for key in ("items", "additionalProperties"):
        if key in node:
            result[key] = schema(node[key])
    if "properties" in node:
        result["properties"] = {name: schema(body) for name, body in node["properties"].items()}
        result.setdefault("additionalProperties", False)
    return result


def main():
    api = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    definitions = {name: schema(body) for name, body in api["definitions"].items()}
    definitions[QUANTITY] = NUMBER_OR_TEXT
    (folder / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, body in api["definitions"].items():
        for kind in body.get("x-kubernetes-group-version-kind", []):
            group = kind["group"].split(".")[0]
            suffix = "-".join(part for part in (kind["kind"], group, kind["version"]) if part)
            reference = {"$ref": "definitions.json#/definitions/" + name}
            (folder / (suffix.lower() + ".json")).write_text(json.dumps(reference))


main()
