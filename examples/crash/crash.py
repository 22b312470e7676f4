#!/usr/bin/env python3
"""Kills a loaded API server again and again, and checks that it keeps its word.

    crash.py [--rounds 100] [--minutes N] [--seed N] [--keep] [-- COMMAND...]

COMMAND starts a server; default: ./trimtab apiserver. Writers create, change and delete ConfigMaps; each knows what was
acknowledged to it, and the one write that was under way when the server died. Watchers follow, and resume from the last resource
version they saw. After each restart:
  - every object is in the state that was acknowledged last, at that resource version, or in the one under way, whole;
  - each acknowledged write was told to each watcher exactly once, in order, or the watcher was told 410 and lists anew.
"""
import argparse
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

NAMESPACE = "/api/v1/namespaces/default/configmaps"
WRITERS = 6
WATCHERS = 2
KEYS = 40


class Server:
    def __init__(self, command, directory, port):
        self.command, self.directory, self.port = command, directory, port
        self.process = None
        self.slowest = 0.0

    def start(self):
        ready = os.path.join(self.directory, "ready")
        if os.path.exists(ready):
            os.remove(ready)
        began = time.monotonic()
        self.process = subprocess.Popen(
            self.command + ["--data-dir", os.path.join(self.directory, "data"), "--secure-port", str(self.port + 1),
                            "--insecure-port", str(self.port), "--ready-file", ready],
            stdout=open(os.path.join(self.directory, "log"), "ab"), stderr=subprocess.STDOUT, start_new_session=True)
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() - began > 120:
                sys.exit(f"the server does not start again; see {self.directory}/log")
            time.sleep(0.02)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def connect(self, timeout=20):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)


class Writer:
    """One thread's objects: nobody else writes them, so what was acknowledged last is what must be there."""

    def __init__(self, server, number, seed):
        self.server, self.number = server, number
        self.random = random.Random(f"{seed}-{number}")
        self.known = {}  # name -> (resourceVersion, value), or None when deleted
        self.under_way = None  # (name, value or None)
        self.acknowledged = []  # (resourceVersion, name, value or None)
        self.count = 0

    def run(self, stop):
        connection = self.server.connect()
        while not stop.is_set():
            name = f"w{self.number}-{self.random.randrange(KEYS)}"
            self.count += 1
            value = None if self.known.get(name) and self.random.random() < 0.2 else f"{name}-{self.count}-" + "x" * self.random.randrange(3000)
            self.under_way = (name, value)
            try:
                self.write(connection, name, value)
            except (OSError, http.client.HTTPException):
                return  # killed: whether this write was made is not known
            self.under_way = None

    def write(self, connection, name, value):
        before = self.known.get(name)
        body = {"metadata": {"name": name}, "data": {"value": value}}
        if value is None:
            method, path, body = "DELETE", f"{NAMESPACE}/{name}", None
        elif before:
            method, path = "PUT", f"{NAMESPACE}/{name}"
            body["metadata"]["resourceVersion"] = before[0]
        else:
            method, path = "POST", NAMESPACE
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status not in (200, 201):
            raise AssertionError(f"{method} {path}: {response.status} {answer.get('message')}")
        if value is None:
            self.known[name] = None
            self.acknowledged.append((None, name, None))
        else:
            version = answer["metadata"]["resourceVersion"]
            self.known[name] = (version, value)
            self.acknowledged.append((version, name, value))

    def check(self, objects, faults):
        """After a restart: compares, and takes over what came of the write under way."""
        for name in {f"w{self.number}-{i}" for i in range(KEYS)}:
            found, wanted = objects.get(name), self.known.get(name)
            if found == wanted:
                continue
            if self.under_way and self.under_way[0] == name and (found[1] if found else None) == self.under_way[1]:
                self.known[name] = found
                self.acknowledged.append((found[0] if found else None, name, self.under_way[1]))
                continue
            faults.append(f"{name}: acknowledged {str(wanted)[:80]}, found {str(found)[:80]}")
        self.under_way = None


class Watcher:
    def __init__(self, server):
        self.server = server
        self.version = None
        self.told = []  # (resourceVersion, type, name, value)
        self.gone = 0
        self.resumed = 0
        self.faults = []

    def list(self):
        connection = self.server.connect()
        connection.request("GET", NAMESPACE)
        answer = json.loads(connection.getresponse().read())
        self.version = answer["metadata"]["resourceVersion"]

    def run(self, stop):
        try:
            while not stop.is_set():
                self.follow(stop)
        except (OSError, http.client.HTTPException, ValueError):
            return  # killed, perhaps in the middle of a line

    def follow(self, stop):
        if self.version is None:
            self.list()
        connection = self.server.connect(timeout=1)
        connection.request("GET", f"{NAMESPACE}?watch=1&allowWatchBookmarks=true&timeoutSeconds=60&resourceVersion={self.version}")
        response = connection.getresponse()
        self.resumed += 1
        if response.status == 410:
            self.gone += 1
            self.version = None
            return
        while not stop.is_set():
            try:
                line = response.readline()
            except TimeoutError:
                return
            if not line or not line.endswith(b"\n"):
                return
            event = json.loads(line)
            if event["type"] == "ERROR":
                if event["object"].get("code") != 410:
                    self.faults.append(f"watch: {event}")
                self.gone += 1
                self.version = None
                return
            meta = event["object"]["metadata"]
            version = int(meta["resourceVersion"])
            if event["type"] != "BOOKMARK":
                if self.told and version <= self.told[-1][0]:
                    self.faults.append(f"watch: {version} after {self.told[-1][0]}")
                self.told.append((version, event["type"], meta["name"], event["object"]["data"]["value"]))
            elif version < int(self.version):
                self.faults.append(f"bookmark: {version} after {self.version}")
            self.version = str(version)


def list_all(server):
    connection = server.connect()
    connection.request("GET", NAMESPACE)
    answer = json.loads(connection.getresponse().read())
    objects = {}
    for item in answer["items"]:
        if item["metadata"]["name"].startswith("w"):
            objects[item["metadata"]["name"]] = (item["metadata"]["resourceVersion"], item["data"]["value"])
    return objects, int(answer["metadata"]["resourceVersion"])


def catch_up(watchers, server):
    """Lets the watchers hear everything up to now."""
    _, now = list_all(server)
    stop = threading.Event()
    threads = [threading.Thread(target=w.run, args=(stop,)) for w in watchers]
    for thread in threads:
        thread.start()
    # One more write, so that all have something to wait for.
    connection = server.connect()
    connection.request("POST", NAMESPACE, json.dumps({"metadata": {"generateName": "mark-"}, "data": {"value": ""}}),
                       {"Content-Type": "application/json"})
    mark = int(json.loads(connection.getresponse().read())["metadata"]["resourceVersion"])
    until = time.monotonic() + 30
    while any(w.version is None or int(w.version) < mark for w in watchers) and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()


def check_watch(watcher, writers):
    """Each write of each object, in its order: told once, with the value and the version that were acknowledged."""
    faults = list(watcher.faults)
    if watcher.gone:
        return faults
    told = {}
    for version, kind, name, value in watcher.told:
        told.setdefault(name, []).append((None, None) if kind == "DELETED" else (str(version), value))
    for writer in writers:
        made = {}
        for version, name, value in writer.acknowledged:
            made.setdefault(name, []).append((None, None) if value is None else (version, value))
        for name, writes in made.items():
            if told.get(name, []) != writes:
                faults.append(f"watch of {name}: {len(told.get(name, []))} events of {len(writes)} writes, or others")
    return faults


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--port", type=int, default=18090)
    arguments.add_argument("--minutes", type=float, default=1e9, help="ends after so long, whatever the rounds")
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("command", nargs="*")
    options = arguments.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    directory = tempfile.mkdtemp(prefix="trimtab-crash")
    server = Server(options.command or [os.path.join(here, "../../trimtab"), "apiserver"], directory, options.port)
    chance = random.Random(options.seed)
    faults = []
    began = time.monotonic()
    server.start()
    writers = [Writer(server, i, options.seed) for i in range(WRITERS)]
    watchers = [Watcher(server) for _ in range(WATCHERS)]
    for watcher in watchers:
        watcher.list()
    done = 0
    torn = 0
    for done in range(1, options.rounds + 1):
        stop = threading.Event()
        threads = [threading.Thread(target=one.run, args=(stop,)) for one in writers + watchers]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 1.5))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        torn += sum(1 for w in writers if w.under_way)
        server.start()
        objects, _ = list_all(server)
        for writer in writers:
            writer.check(objects, faults)
        catch_up(watchers, server)
        for watcher in watchers:
            faults += check_watch(watcher, writers)
        if faults or time.monotonic() - began > options.minutes * 60:
            break
    server.kill()
    writes = sum(len(w.acknowledged) for w in writers)
    print(f"{done} kills, {writes} acknowledged writes, {torn} writes under way when killed, "
          f"{sum(len(w.told) for w in watchers)} events to {WATCHERS} watchers, {sum(w.resumed for w in watchers)} resumptions, "
          f"{sum(w.gone for w in watchers)} of them 410, slowest start {server.slowest:.1f} s, {time.monotonic() - began:.0f} s in all, "
          f"seed {options.seed}")
    for fault in faults[:20]:
        print("  wrong:", fault)
    if options.keep or faults:
        print("kept:", directory)
    else:
        shutil.rmtree(directory)
    return 1 if faults else 0


sys.exit(main())
