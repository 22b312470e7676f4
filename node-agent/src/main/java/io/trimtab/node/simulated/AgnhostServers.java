package io.trimtab.node.simulated;

import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Names;
import io.trimtab.node.network.Outlet;
import io.trimtab.node.network.Peer;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Session;
import io.trimtab.node.network.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The subcommands of the test image {@code agnhost} that serve. Each runs until its container ends. Stateless. */
final class AgnhostServers {
    private static final Pattern SOURCE = Pattern.compile("\"Source\"\\s*:\\s*\"([^\"]+)\"");
    private static final Duration DIAL = Duration.ofSeconds(5);

    private AgnhostServers() {}

    /** Begins to serve; false if the subcommand is none that does. */
    static boolean serve(Shell shell, Sockets sockets, List<String> words) {
        String hostname = shell.world().hostname();
        Shell.Sink log = shell.out();
        switch (words.get(1)) {
            case "netexec" -> netexec(shell, sockets, words);
            case "serve-hostname" -> {
                int port = number(words, "port", 9376);
                boolean tcp = is(words, "tcp");
                boolean udp = is(words, "udp");
                if (tcp) {
                    sockets.listen(Protocol.TCP, port, (peer, outlet) -> {
                        outlet.send(hostname);
                        outlet.close();
                        return bytes -> {};
                    });
                }
                if (udp) {
                    sockets.listen(Protocol.UDP, port, (peer, outlet) -> bytes -> outlet.send(hostname));
                }
                if (!tcp && !udp) {
                    sockets.listen(Protocol.TCP, port, Http.listener(r -> {
                        log.write("HTTP request from " + r.peer().address() + ":"
                                + r.peer().port() + "\n");
                        return Http.Reply.text(hostname);
                    }));
                }
                log.write("Serving on port " + port + ".\n");
            }
            case "porter" -> porter(shell, sockets, is(words, "json-response"));
            case "test-webserver" -> {
                FileView files = shell.files();
                sockets.listen(
                        Protocol.TCP,
                        number(words, "port", 80),
                        Http.listener(r -> browse(files, r).with("Access-Control-Allow-Origin", "*")));
            }
            case "liveness" -> liveness(shell, sockets);
            case "webhook", "crd-conversion-webhook" ->
                // Whether it is there can be asked; nobody outside the pods' network can ask it for more.
                sockets.listen(
                        Protocol.TCP,
                        number(words, "port", 443),
                        Tls.over(Http.listener(request -> request.path().equals("/readyz")
                                ? Http.Reply.text("ok")
                                : Http.Reply.error(404, "404 page not found"))));
            case "nettest" -> netTest(shell, sockets, number(words, "port", 8080));
            case "port-forward-tester" -> portForwardTester(shell, sockets);
            case "guestbook" -> guestbook(shell, sockets, words);
            case "grpc-health-checking" -> grpc(shell, sockets, words);
            default -> {
                return false;
            }
        }
        return true;
    }

    private static boolean is(List<String> words, String flag) {
        return ImageServers.flag(words, flag, "false").equals("true");
    }

    private static int number(List<String> words, String flag, int otherwise) {
        return Programs.number(ImageServers.flag(words, flag, String.valueOf(otherwise)));
    }

    // ---- netexec

    private static void netexec(Shell shell, Sockets sockets, List<String> words) {
        String hostname = shell.world().hostname();
        int port = number(words, "http-port", 8080);
        int udp = number(words, "udp-port", 8081);
        int sctp = number(words, "sctp-port", -1);
        Shell.Sink log = shell.out();
        Http.Handler handler = request -> netexec(shell, sockets, port, request, log);
        String override = ImageServers.flag(words, "http-override", "");
        Http.Handler chosen = override.isEmpty()
                ? handler
                : request -> {
                    int mark = override.indexOf('?');
                    return handler.handle(new Http.Request(
                            "GET",
                            override,
                            mark < 0 ? override : override.substring(0, mark),
                            mark < 0 ? Map.of() : Http.parse(override.substring(mark + 1)),
                            request.headers(),
                            "",
                            request.peer()));
                };
        Listener http = Http.listener(chosen);
        sockets.listen(
                Protocol.TCP,
                port,
                ImageServers.flag(words, "tls-cert-file", "").isEmpty() ? http : Tls.over(http));
        log.write("Started HTTP server on port " + port + "\n");
        if (udp != -1) {
            sockets.listen(
                    Protocol.UDP, udp, (peer, outlet) -> bytes -> datagram(hostname, udp, peer, outlet, bytes, log));
            log.write("Started UDP server on port  " + udp + "\n");
        }
        if (sctp != -1) {
            sockets.listen(
                    Protocol.SCTP, sctp, (peer, outlet) -> bytes -> datagram(hostname, sctp, peer, outlet, bytes, log));
            log.write("Started SCTP server\n");
        }
        int delay = number(words, "delay-shutdown", 0);
        if (delay > 0) {
            shell.trap("TERM", "sleep " + delay);
        }
    }

    private static void datagram(String hostname, int port, Peer peer, Outlet outlet, String bytes, Shell.Sink log) {
        String text = bytes.strip().toLowerCase(Locale.ROOT);
        if (text.equals("hostname")) {
            outlet.send(hostname);
        } else if (text.startsWith("echo ")) {
            outlet.send(text.substring(5));
        } else if (text.equals("clientip")) {
            outlet.send(peer.address() + ":" + peer.port());
        } else if (text.equals("serverport")) {
            outlet.send(String.valueOf(port));
        } else if (!text.isEmpty()) {
            log.write("Unknown UDP command received from " + peer.address() + ":" + peer.port() + ": " + text + "\n");
        }
    }

    private static Http.Reply netexec(Shell shell, Sockets sockets, int port, Http.Request request, Shell.Sink log) {
        log.write("GET " + request.target() + "\n");
        switch (request.path()) {
            case "/clientip" -> {
                return Http.Reply.text(
                        request.peer().address() + ":" + request.peer().port());
            }
            case "/serverport" -> {
                return Http.Reply.text(String.valueOf(port));
            }
            case "/hostname", "/hostName" -> {
                return Http.Reply.text(shell.world().hostname());
            }
            case "/healthz" -> {
                return Http.Reply.text("");
            }
            case "/readyz" -> {
                return sockets.isEnding()
                        ? Http.Reply.of(503, "text/plain; charset=utf-8", "shutting down")
                        : Http.Reply.text("ok");
            }
            case "/echo" -> {
                String code = request.parameter("code");
                if (!code.isEmpty() && !code.matches("-?\\d+")) {
                    return Http.Reply.text("argument 'code' must be an integer or empty, got \"" + code + "\"\n");
                }
                return Http.Reply.of(
                        code.isEmpty() ? 200 : Integer.parseInt(code),
                        "text/plain; charset=utf-8",
                        request.parameter("msg"));
            }
            case "/header" -> {
                return header(request);
            }
            case "/redirect" -> {
                String code = request.parameter("code");
                String location = request.parameter("location");
                return Http.Reply.of(
                                code.isEmpty() ? 302 : Programs.number(code),
                                "text/html; charset=utf-8",
                                "<a href=\"" + location + "\">"
                                        + Http.reason(code.isEmpty() ? 302 : Programs.number(code)) + "</a>.\n\n")
                        .with("Location", location);
            }
            case "/exit" -> {
                Duration wait = SimulatedRuntime.time(request.parameter("wait"));
                sockets.exit(wait, Programs.number(request.parameter("code")));
                return Http.Reply.silence(wait);
            }
            case "/shutdown" -> {
                sockets.exit(Duration.ZERO, 0);
                return Http.Reply.silence(Duration.ZERO);
            }
            case "/shell" -> {
                String command = request.parameter("shellCommand");
                SimulatedRuntime.Executed done =
                        sockets.execute(List.of("sh", "-c", command.isEmpty() ? request.parameter("cmd") : command));
                Map<String, String> output = new TreeMap<>();
                if (!(done.output() + done.errors()).isEmpty()) {
                    output.put("output", done.output() + done.errors());
                }
                if (done.code() != 0) {
                    output.put("error", "exit status " + done.code());
                }
                return Http.Reply.text(json(output)).after(done.took());
            }
            case "/dial" -> {
                return dial(sockets, request);
            }
            case "/upload" -> {
                return upload(shell.files(), request);
            }
            default -> {
                return Http.Reply.text("NOW: " + shell.world().now().get());
            }
        }
    }

    private static Http.Reply header(Http.Request request) {
        String key = request.parameter("key");
        if (!key.isEmpty()) {
            return Http.Reply.text(request.headers().getOrDefault(key.toLowerCase(Locale.ROOT), ""));
        }
        StringBuilder all = new StringBuilder("{");
        new TreeMap<>(request.headers()).forEach((name, value) -> {
            if (!name.equals("host")) {
                StringBuilder canonical = new StringBuilder();
                for (String part : name.split("-")) {
                    canonical
                            .append(canonical.length() > 0 ? "-" : "")
                            .append(
                                    part.isEmpty()
                                            ? ""
                                            : part.substring(0, 1).toUpperCase(Locale.ROOT) + part.substring(1));
                }
                all.append(all.length() > 1 ? "," : "")
                        .append(quote(canonical.toString()))
                        .append(":[")
                        .append(quote(value))
                        .append("]");
            }
        });
        return Http.Reply.text(all + "}");
    }

    private static Http.Reply upload(FileView files, Http.Request request) {
        String type = request.headers().getOrDefault("content-type", "");
        int at = type.indexOf("boundary=");
        int begin = request.body().indexOf("\r\n\r\n");
        int end = at < 0
                ? -1
                : request.body().lastIndexOf("\r\n--" + type.substring(at + 9).replace("\"", ""));
        if (begin < 0 || end < begin) {
            return Http.Reply.text("{\"error\":\"Unable to upload file.\"}");
        }
        if (!files.isDirectory("/uploads")) {
            files.makeDirectory("/uploads", true);
        }
        String path =
                "/uploads/upload" + (100_000_000 + Math.floorMod(request.body().hashCode(), 900_000_000));
        files.write(path, request.body().substring(begin + 4, end), false, 0700);
        return Http.Reply.of(201, "text/plain; charset=utf-8", "{\"output\":" + quote(path) + "}");
    }

    private static Http.Reply dial(Sockets sockets, Http.Request request) {
        String tries = request.parameter("tries");
        String protocol = request.parameter("protocol").toLowerCase(Locale.ROOT);
        if (request.parameter("request").isEmpty()) {
            return Http.Reply.error(400, "request parameter not specified. <nil>");
        }
        if (!List.of("", "http", "udp", "sctp").contains(protocol)) {
            return Http.Reply.error(400, "unsupported protocol. " + protocol);
        }
        List<String> responses = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        Duration took = Duration.ZERO;
        boolean last = false;
        for (int i = 0; i < Math.max(1, tries.isEmpty() ? 1 : Programs.number(tries)); i++) {
            Dialled one = dial(
                    sockets,
                    request.parameter("host"),
                    Programs.number(request.parameter("port")),
                    protocol.equals("udp") ? Protocol.UDP : protocol.equals("sctp") ? Protocol.SCTP : Protocol.TCP,
                    request.parameter("request"));
            took = took.plus(one.took());
            last = one.answer() != null;
            if (one.answer() != null) {
                responses.add(one.answer());
            } else {
                errors.add(one.error());
            }
        }
        StringBuilder body = new StringBuilder("{");
        if (!errors.isEmpty()) {
            body.append("\"errors\":").append(list(errors));
        }
        if (last) {
            body.append(body.length() > 1 ? "," : "").append("\"responses\":").append(list(responses));
        }
        return Http.Reply.text(body + "}").after(took);
    }

    /** How a question to another server ended. */
    private record Dialled(@Nullable String answer, String error, Duration took) {}

    private static Dialled dial(Sockets sockets, String host, int port, Protocol protocol, String question) {
        Names.Answer name = sockets.lookup(host);
        if (name.records().isEmpty()) {
            return new Dialled(null, "dial tcp: lookup " + host + ": no such host", Duration.ZERO);
        }
        String address = name.records().get(0);
        String place = address + ":" + port;
        Verdict verdict = sockets.dial(address, port, protocol);
        if (!(verdict instanceof Verdict.Reached reached)) {
            boolean silent = verdict instanceof Verdict.Silent;
            String error = protocol == Protocol.TCP
                    ? "Get \"http://" + place + "/" + question + "\": "
                            + (silent
                                    ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
                                    : "dial tcp " + place + ": connect: "
                                            + (verdict instanceof Verdict.Refused
                                                    ? "connection refused"
                                                    : "no route to host"))
                    : "reading from " + protocol.name().toLowerCase(Locale.ROOT) + " connection failed. err:'read "
                            + place + ": " + (silent ? "i/o timeout" : "connection refused") + "'";
            return new Dialled(null, error, silent ? DIAL : Duration.ZERO);
        }
        if (protocol == Protocol.TCP) {
            Http.Answer answer = Http.ask(
                    reached.listener(),
                    reached.peer(),
                    "GET",
                    "/" + question,
                    Map.of("Host", place, "User-Agent", "Go-http-client/1.1"),
                    "");
            return answer.code() == 0 || answer.took().compareTo(DIAL) > 0
                    ? new Dialled(null, "Get \"http://" + place + "/" + question + "\": EOF", answer.took())
                    : new Dialled(answer.body(), "", answer.took());
        }
        Http.Gathering gathering = new Http.Gathering();
        reached.listener().accept(reached.peer(), gathering).receive(question);
        return gathering.text().isEmpty()
                ? new Dialled(null, "reading from udp connection failed. err:'i/o timeout'", DIAL)
                : new Dialled(gathering.text(), "", gathering.took());
    }

    // ---- the others

    private static Http.Reply browse(FileView files, Http.Request request) {
        String path = FileView.normal("/", request.path());
        if (files.isDirectory(path) && files.find(path + "/index.html") == null) {
            StringBuilder list = new StringBuilder(
                    "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n");
            files.list(path).forEach(name -> {
                String shown = files.isDirectory(FileView.normal(path, name)) ? name + "/" : name;
                list.append("<a href=\"")
                        .append(shown)
                        .append("\">")
                        .append(shown)
                        .append("</a>\n");
            });
            return Http.Reply.of(200, "text/html; charset=utf-8", list + "</pre>\n");
        }
        Http.Reply reply = ImageServers.files(files, "/", path, "");
        return reply.code() == 404 ? Http.Reply.error(404, "404 page not found") : reply;
    }

    private static void porter(Shell shell, Sockets sockets, boolean json) {
        shell.variables().forEach((name, value) -> {
            Http.Handler handler = request -> json
                    ? Http.Reply.of(
                            200,
                            "application/json",
                            "{\"Method\":" + quote(request.method()) + ",\"Body\":" + quote(value) + "}")
                    : Http.Reply.of(
                            200,
                            value.startsWith("<") ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
                            value);
            if (name.startsWith("SERVE_PORT_")) {
                sockets.listen(Protocol.TCP, Programs.number(name.substring(11)), Http.listener(handler));
            } else if (name.startsWith("SERVE_TLS_PORT_")) {
                sockets.listen(Protocol.TCP, Programs.number(name.substring(15)), Tls.over(Http.listener(handler)));
            } else if (name.startsWith("SERVE_SCTP_PORT_")) {
                sockets.listen(
                        Protocol.SCTP,
                        Programs.number(name.substring(16)),
                        (peer, outlet) -> bytes -> outlet.send(value));
            }
        });
    }

    private static void liveness(Shell shell, Sockets sockets) {
        Supplier<Instant> now = shell.world().now();
        Instant began = now.get();
        sockets.listen(Protocol.TCP, 8080, Http.listener(request -> {
            double seconds = Duration.between(began, now.get()).toMillis() / 1000.0;
            return switch (request.path()) {
                case "/started" -> Http.Reply.text(seconds + "s");
                case "/healthz" ->
                    seconds > 10
                            ? Http.Reply.of(500, "text/plain; charset=utf-8", "error: " + seconds)
                            : Http.Reply.text("ok");
                case "/redirect" ->
                    Http.Reply.of(
                                    302,
                                    "text/html; charset=utf-8",
                                    "<a href=\"" + request.parameter("loc") + "\">Found</a>.\n\n")
                            .with("Location", request.parameter("loc"));
                default -> Http.Reply.error(404, "404 page not found");
            };
        }));
    }

    /** Remembers who has said hello. Whom it would say hello to itself nobody asks. */
    private static void netTest(Shell shell, Sockets sockets, int port) {
        String hostname = shell.world().hostname();
        Map<String, Integer> received = new TreeMap<>();
        sockets.listen(Protocol.TCP, port, Http.listener(request -> {
            switch (request.path()) {
                case "/write" -> {
                    Matcher source = SOURCE.matcher(request.body());
                    synchronized (received) {
                        if (source.find()) {
                            received.merge(source.group(1), 1, Integer::sum);
                        }
                    }
                    return Http.Reply.text("{\"Hostname\":" + quote(hostname) + "}\n");
                }
                case "/read" -> {
                    StringBuilder all = new StringBuilder(
                            "{\n\t\"Hostname\": " + quote(hostname) + ",\n\t\"Sent\": null,\n\t\"Received\": ");
                    synchronized (received) {
                        all.append(received.isEmpty() ? "null" : "");
                        received.forEach((name, count) -> all.append(all.charAt(all.length() - 1) == ' ' ? "{" : ",")
                                .append("\n\t\t")
                                .append(quote(name))
                                .append(": ")
                                .append(count));
                        all.append(received.isEmpty() ? "" : "\n\t}");
                    }
                    return Http.Reply.text(
                            all + ",\n\t\"Errors\": null,\n\t\"Log\": null,\n\t\"StillContactingPeers\": true\n}");
                }
                case "/status" -> {
                    return Http.Reply.text("running");
                }
                case "/quit" -> {
                    sockets.exit(Duration.ZERO, 0);
                    return Http.Reply.silence(Duration.ZERO);
                }
                default -> {
                    return Http.Reply.error(404, "404 page not found");
                }
            }
        }));
    }

    /** Serves one connection, tells how that went, and ends. */
    private static void portForwardTester(Shell shell, Sockets sockets) {
        Map<String, String> variables = shell.variables();
        boolean local = List.of("", "localhost", "127.0.0.1").contains(variables.getOrDefault("BIND_ADDRESS", ""));
        String expected = variables.getOrDefault("EXPECTED_CLIENT_DATA", "");
        int chunks = Programs.number(variables.getOrDefault("CHUNKS", "0"));
        String chunk = "x".repeat(Programs.number(variables.getOrDefault("CHUNK_SIZE", "0")));
        Duration interval = Duration.ofMillis(Programs.number(variables.getOrDefault("CHUNK_INTERVAL", "0")));
        int port = Programs.number(variables.getOrDefault("BIND_PORT", "0"));
        Shell.Sink log = shell.out();
        AtomicBoolean taken = new AtomicBoolean();
        sockets.listen(Protocol.TCP, port, new Listener() {
            @Override
            public boolean isLocal() {
                return local;
            }

            @Override
            public Session accept(Peer peer, Outlet outlet) {
                if (taken.getAndSet(true)) {
                    outlet.close();
                    return bytes -> {};
                }
                log.write("Accepted client connection\n");
                return new Session() {
                    private final StringBuilder received = new StringBuilder();
                    private boolean over;

                    {
                        if (expected.isEmpty()) {
                            send();
                        }
                    }

                    @Override
                    public void receive(String bytes) {
                        received.append(bytes);
                        if (over || received.length() < expected.length()) {
                            return;
                        }
                        String read = received.substring(0, expected.length());
                        if (read.equals(expected)) {
                            log.write("Received expected client data\n");
                            send();
                        } else {
                            end("Expect to read " + quote(expected) + ", but got " + quote(read) + ". err=<nil>\n", 3);
                        }
                    }

                    @Override
                    public void end() {
                        if (!over) {
                            end(
                                    "Expected to read " + expected.length() + " bytes from client, but got "
                                            + received.length() + " instead. err=EOF\n",
                                    2);
                        }
                    }

                    private void end(String message, int code) {
                        over = true;
                        log.write(message);
                        outlet.close();
                        sockets.exit(Duration.ZERO, code);
                    }

                    private void send() {
                        over = true;
                        for (int i = 0; i < chunks; i++) {
                            outlet.send(interval.multipliedBy(i), chunk);
                        }
                        Duration all = interval.multipliedBy(Math.max(0, chunks - 1));
                        outlet.close(all);
                        sockets.say(all, "Shutting down connection\nDone\n");
                        sockets.exit(all.plusMillis(500), 0);
                    }
                };
            }
        });
    }

    private static void grpc(Shell shell, Sockets sockets, List<String> words) {
        AtomicBoolean serving = new AtomicBoolean(true);
        String known = ImageServers.flag(words, "service", "");
        int delay = number(words, "delay-unhealthy-sec", -1);
        Supplier<Instant> now = shell.world().now();
        Instant began = now.get();
        sockets.listen(
                Protocol.TCP,
                number(words, "port", 5000),
                new GrpcHealth(service -> service.equals(known)
                        ? serving.get() && (delay < 0 || now.get().isBefore(began.plusSeconds(delay)))
                        : null));
        sockets.listen(Protocol.TCP, number(words, "http-port", 8080), Http.listener(request -> {
            serving.set(!request.path().equals("/make-not-serving"));
            return Http.Reply.text("");
        }));
    }

    private static void guestbook(Shell shell, Sockets sockets, List<String> words) {
        Map<String, String> store = new ConcurrentHashMap<>();
        List<String> replicas = new CopyOnWriteArrayList<>();
        int backend = number(words, "backend-port", 6379);
        Shell.Sink log = shell.out();
        sockets.listen(Protocol.TCP, number(words, "http-port", 80), Http.listener(request -> {
            log.write("GET " + request.target() + "\n");
            String key = request.parameter("key");
            String value = request.parameter("value");
            switch (request.path()) {
                case "/register" -> {
                    replicas.add(request.parameter("host"));
                    return Http.Reply.text("{\"data\":" + json(store) + "}");
                }
                case "/get" -> {
                    return Http.Reply.text(
                            "{\"data\":" + (key.isEmpty() ? json(store) : quote(store.getOrDefault(key, ""))) + "}");
                }
                case "/set" -> {
                    if (key.isEmpty()) {
                        return Http.Reply.error(400, "cannot set with empty key.");
                    }
                    store.put(key, value);
                    Duration took = Duration.ZERO;
                    for (String replica : replicas) {
                        Dialled told =
                                dial(sockets, replica, backend, Protocol.TCP, "set?key=" + key + "&value=" + value);
                        took = took.plus(told.took());
                        if (told.answer() == null) {
                            return Http.Reply.error(
                                            417,
                                            "encountered error while propagating to replica '" + replica + "': "
                                                    + told.error())
                                    .after(took);
                        }
                    }
                    return Http.Reply.text("{\"message\":\"Updated\"}").after(took);
                }
                case "/guestbook" -> {
                    String command = request.parameter("cmd").toLowerCase(Locale.ROOT);
                    if (!command.equals("get") && !command.equals("set")) {
                        return Http.Reply.error(400, "unsupported cmd: '" + command + "'");
                    }
                    Dialled asked = dial(
                            sockets,
                            command.equals("get") ? "agnhost-replica" : "agnhost-primary",
                            backend,
                            Protocol.TCP,
                            command + "?key=" + key + "&value=" + value);
                    return asked.answer() == null
                            ? Http.Reply.error(417, "encountered error: " + asked.error())
                                    .after(asked.took())
                            : Http.Reply.text(asked.answer()).after(asked.took());
                }
                default -> {
                    return Http.Reply.error(404, "404 page not found");
                }
            }
        }));
        String primary = ImageServers.flag(words, "replicaof", "");
        if (!primary.isEmpty()) {
            register(shell, sockets, primary, backend, 12);
        }
    }

    /** Tries until the primary knows this replica. */
    private static void register(Shell shell, Sockets sockets, String primary, int port, int tries) {
        String own = sockets.address();
        Dialled answer = dial(sockets, primary, port, Protocol.TCP, "register?host=" + own);
        if (answer.answer() != null) {
            shell.print("Registered to node: " + primary + "\n");
        } else if (tries == 0) {
            shell.print("Timed out while registering to primary.\n");
            shell.exit(1);
        } else {
            shell.print("encountered error while registering to primary: " + answer.error() + ". Retrying in 1s.\n");
            shell.later(Duration.ofSeconds(1), () -> register(shell, sockets, primary, port, tries - 1));
        }
    }

    // ---- JSON

    private static String json(Map<String, String> values) {
        StringBuilder text = new StringBuilder("{");
        new TreeMap<>(values)
                .forEach((name, value) -> text.append(text.length() > 1 ? "," : "")
                        .append(quote(name))
                        .append(':')
                        .append(quote(value)));
        return text + "}";
    }

    private static String list(List<String> values) {
        return "[" + String.join(",", values.stream().map(AgnhostServers::quote).toList()) + "]";
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> {
                    if (c < 0x20 || c == '<' || c == '>' || c == '&') {
                        quoted.append(String.format("\\u%04x", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }
}
