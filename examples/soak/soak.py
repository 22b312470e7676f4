#!/usr/bin/env python3
"""Keeps a whole cluster busy for a while, and looks for what grows that should not.

    soak.py [--minutes 20] [--seed N] [--keep] [-- COMMAND...]

COMMAND starts a cluster; default: ./trimtab up. Round after round a namespace is made, and in it a Deployment that is rolled out
anew and scaled, a Service, a Job, a StatefulSet, a resource of one's own with its definition; watches come and go; then the
namespace is deleted. After each round:
  - what was asked for came about: ready replicas, endpoints, a completed Job;
  - nothing is left of the namespace and the definition.
At the end the last third of the rounds is compared with the middle one: resident memory, threads, open files and the data on
disk may not have grown by more than a tenth (and what every process needs to breathe), and the log has no error.
"""
import argparse
import http.client
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ALLOWED = 1.10
BREATH = {"resident MB": 24, "threads": 8, "open files": 16, "data MB": 24}


class Cluster:
    def __init__(self, command, directory, port):
        ready = os.path.join(directory, "ready")
        self.port, self.data = port, os.path.join(directory, "data")
        self.log = os.path.join(directory, "log")
        self.process = subprocess.Popen(
            command + ["--data-dir", self.data, "--secure-port", str(port + 1), "--insecure-port", str(port),
                       "--ready-file", ready],
            stdout=open(self.log, "wb"), stderr=subprocess.STDOUT, start_new_session=True)
        began = time.monotonic()
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() - began > 300:
                sys.exit(f"the cluster does not start; see {self.log}")
            time.sleep(0.1)

    def pid(self):
        """The JVM's: the launcher may be its parent."""
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/cmdline", "rb") as f:
                        words = f.read().split(b"\0")
                    if words[0].endswith(b"java") and os.getpgid(int(entry)) == self.process.pid:
                        return int(entry)
                except OSError:
                    continue
        sys.exit(f"the cluster ended; see {self.log}")

    def call(self, method, path, body=None, kind="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": kind})
            response = connection.getresponse()
            text = response.read()
            if response.getheader("Content-Type", "").startswith("application/json"):
                return response.status, json.loads(text)
            return response.status, {"message": text.decode(errors="replace").strip()}
        finally:
            connection.close()

    def must(self, method, path, body=None, kind="application/json"):
        status, answer = self.call(method, path, body, kind)
        if status >= 300:
            raise AssertionError(f"{method} {path}: {status} {answer.get('message')}")
        return answer

    def until(self, what, condition, seconds=180):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not within {seconds} s")
            time.sleep(0.2)

    def measure(self):
        pid = self.pid()
        with open(f"/proc/{pid}/status") as f:
            fields = dict(line.split(":", 1) for line in f if ":" in line)
        size = sum(os.path.getsize(os.path.join(d, name)) for d, _, names in os.walk(self.data) for name in names
                   if os.path.exists(os.path.join(d, name)))
        return {
            "resident MB": int(fields["VmRSS"].split()[0]) / 1024,
            "threads": int(fields["Threads"]),
            "open files": len(os.listdir(f"/proc/{pid}/fd")),
            "data MB": size / 2**20,
        }


def template(name, image, end=False):
    container = {"name": "main", "image": image}
    if end:
        container["command"] = ["sh", "-c", "exit 0"]
    return {"metadata": {"labels": {"app": name}},
            "spec": {"containers": [container], "restartPolicy": "Never" if end else "Always"}}


def definition(group, plural, kind):
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {
        "type": "integer", "minimum": 0}}, "x-kubernetes-validations": [{"rule": "self.size < 100"}]}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                     "versions": [{"name": "v1", "served": True, "storage": True,
                                   "schema": {"openAPIV3Schema": schema}}]}}


def watch(cluster, path, stop):
    """Reads a watch until it ends or the round does."""
    connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=30)
    try:
        connection.request("GET", path + "?watch=true&timeoutSeconds=20&sendInitialEvents=true"
                                         "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")
        response = connection.getresponse()
        while not stop.is_set() and response.readline():
            pass
    except OSError:
        pass
    finally:
        connection.close()


def one_round(cluster, number, dice):
    space, group, plural = f"soak-{number}", "soak.example.com", f"things{number}"
    core, apps = f"/api/v1/namespaces/{space}", f"/apis/apps/v1/namespaces/{space}"
    merge = "application/merge-patch+json"
    cluster.must("POST", "/api/v1/namespaces", {"metadata": {"name": space}})
    cluster.until("default service account", lambda: cluster.call("GET", core + "/serviceaccounts/default")[0] == 200)
    stop = threading.Event()
    watchers = [threading.Thread(target=watch, args=(cluster, path, stop)) for path in
                [core + "/pods", "/api/v1/pods", apps + "/deployments", core + "/events"] * 3]
    for watcher in watchers:
        watcher.start()

    replicas = dice.randrange(3, 12)
    cluster.must("POST", apps + "/deployments", {
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                 "template": template("web", "nginx:1")}})
    cluster.must("POST", core + "/services", {
        "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
    cluster.must("POST", apps + "/statefulsets", {
        "metadata": {"name": "db"},
        "spec": {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
                 "template": template("db", "postgres:1")}})
    cluster.must("POST", f"/apis/batch/v1/namespaces/{space}/jobs", {
        "metadata": {"name": "once"}, "spec": {"completions": 3, "parallelism": 2,
                                               "template": template("once", "busybox", end=True)}})
    cluster.must("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                 definition(group, plural, f"Thing{number}"))
    things = f"/apis/{group}/v1/namespaces/{space}/{plural}"
    cluster.until("definition served", lambda: cluster.call("GET", things)[0] == 200)
    for i in range(20):
        cluster.must("POST", things, {"apiVersion": f"{group}/v1", "kind": f"Thing{number}",
                                      "metadata": {"name": f"t{i}"}, "spec": {"size": i}})

    def ready(path, field, wanted):
        found = cluster.must("GET", path)
        return (found["status"].get("observedGeneration") == found["metadata"]["generation"]
                and found["status"].get(field, 0) == wanted and found["status"].get("replicas", 0) == wanted)

    cluster.until("deployment", lambda: ready(apps + "/deployments/web", "availableReplicas", replicas))
    cluster.until("stateful set", lambda: ready(apps + "/statefulsets/db", "readyReplicas", 2))
    cluster.until("job", lambda: cluster.must("GET", f"/apis/batch/v1/namespaces/{space}/jobs/once")["status"].get(
        "succeeded") == 3)
    cluster.must("PATCH", apps + "/deployments/web",
                 {"spec": {"template": {"metadata": {"annotations": {"round": str(number)}}}}}, merge)
    cluster.must("PATCH", apps + "/deployments/web/scale", {"spec": {"replicas": replicas + 2}}, merge)
    cluster.until("roll-out", lambda: ready(apps + "/deployments/web", "updatedReplicas", replicas + 2)
                  and ready(apps + "/deployments/web", "availableReplicas", replicas + 2))

    def addresses():
        slices = cluster.must("GET", f"/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices"
                                     "?labelSelector=kubernetes.io/service-name%3Dweb")["items"]
        return sum(1 for s in slices for e in s.get("endpoints") or [] if e["conditions"].get("ready"))

    cluster.until("endpoints", lambda: addresses() == replicas + 2)
    cluster.must("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}")
    cluster.must("DELETE", f"/api/v1/namespaces/{space}")
    cluster.until("namespace gone", lambda: cluster.call("GET", f"/api/v1/namespaces/{space}")[0] == 404)
    cluster.until("definition gone", lambda: cluster.call(
        "GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}")[0] == 404)
    left = cluster.must("GET", "/api/v1/pods")["items"]
    if any(pod["metadata"]["namespace"] == space for pod in left):
        raise AssertionError(f"pods are left of {space}")
    stop.set()
    for watcher in watchers:
        watcher.join()


def verdict(samples):
    """What grew from the middle third to the last one; and a line for each figure."""
    third = len(samples) // 3
    middle, last = samples[third:2 * third], samples[2 * third:]
    grown, lines = [], []
    for figure, breath in BREATH.items():
        before, after = (statistics.median(s[figure] for s in part) for part in (middle, last))
        lines.append(f"{figure}: {samples[0][figure]:.0f} after the first round, {before:.0f} in the middle, "
                     f"{after:.0f} at the end, at most {max(s[figure] for s in samples):.0f}")
        if after > before * ALLOWED + breath:
            grown.append(figure)
    return grown, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--port", type=int, default=28080, help="this one and the next are used")
    parser.add_argument("--keep", action="store_true", help="keep data and log")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    command = options.command or [os.path.join(root, "trimtab"), "up"]
    directory = tempfile.mkdtemp(prefix="soak-")
    dice = random.Random(options.seed)
    cluster = Cluster(command, directory, options.port)
    samples, failure, end = [], None, time.monotonic() + options.minutes * 60
    try:
        while time.monotonic() < end or len(samples) < 6:
            one_round(cluster, len(samples) + 1, dice)
            samples.append(cluster.measure())
    except AssertionError as e:
        failure = f"round {len(samples) + 1}: {e}"
    finally:
        os.killpg(cluster.process.pid, signal.SIGTERM)
        cluster.process.wait()
    with open(cluster.log, errors="replace") as f:
        errors = [line.strip() for line in f if " ERROR " in line]
    grown, lines = verdict(samples) if len(samples) >= 6 else ([], [])
    print(f"{len(samples)} rounds, seed {options.seed}", *lines, sep="\n")
    for line in errors[:10]:
        print("error in the log: " + line)
    if failure:
        print("FAILED " + failure)
    if grown:
        print("FAILED grown: " + ", ".join(grown))
    failed = failure or errors or grown
    if options.keep or failed:
        print(f"kept: {directory}")
    else:
        shutil.rmtree(directory)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
