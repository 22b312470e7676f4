#!/usr/bin/env python3
"""Reads every resource from two servers and says where they differ: same.py KUBECONFIG KUBECONFIG."""
import json
import subprocess
import sys


def raw(config, path):
    answer = subprocess.run(["kubectl", "--kubeconfig", config, "get", "--raw", path], capture_output=True, text=True)
    return json.loads(answer.stdout) if answer.returncode == 0 else {"failed": answer.stderr.strip()}


def resources(config):
    groups = [("/api/v1", raw(config, "/api/v1"))]
    for group in raw(config, "/apis")["groups"]:
        for version in group["versions"]:
            path = "/apis/" + version["groupVersion"]
            groups.append((path, raw(config, path)))
    for path, answer in groups:
        for resource in answer.get("resources", []):
            if "list" in resource["verbs"] and "/" not in resource["name"]:
                yield path + "/" + resource["name"]


def difference(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from difference(a.get(key), b.get(key), path + "." + key)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from difference(x, y, f"{path}[{i}]")
    elif a != b:
        yield f"{path}: {json.dumps(a)[:300]} <> {json.dumps(b)[:300]}"


def key(item):
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def main(one, other):
    count = objects = wrong = 0
    known = set(resources(other))
    for path in sorted(set(resources(one)) & known):
        lists = [raw(config, path) for config in (one, other)]
        for answer in lists:
            answer.get("metadata", {}).pop("resourceVersion", None)
            if isinstance(answer.get("items"), list):
                # Written again while the two are asked.
                answer["items"] = sorted((i for i in answer["items"] if "renewTime" not in i.get("spec", {}) or
                                          i["metadata"]["namespace"] != "kube-system"), key=key)
        found = list(difference(*lists))
        count += 1
        objects += len(lists[0].get("items") or [])
        if found:
            wrong += 1
            print(f"{path} differs:")
            for line in found[:10]:
                print("   ", line)
    print(f"{count} resources, {objects} objects, {wrong} resources differ")
    return 1 if wrong else 0


sys.exit(main(*sys.argv[1:3]))
