package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Names;
import io.trimtab.node.network.Outlet;
import io.trimtab.node.network.Peer;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Session;
import io.trimtab.node.network.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Programs that ask others by way of the network. Stateless; what an attempt costs in time, the program takes. */
final class NetPrograms {
    private static final Pattern URL =
            Pattern.compile("(?:(https?)://)?(?:[^@/]*@)?(\\[[^]]+]|[^:/?]+)(?::(\\d+))?([/?].*)?");
    /** How long a connection is tried if nobody sets a limit, as Linux does. */
    private static final Duration PATIENCE = Duration.ofSeconds(130);

    private static final Duration RESOLVER = Duration.ofSeconds(10);
    private static final int REDIRECTS = 10;

    private NetPrograms() {}

    static int run(Shell shell, String program, List<String> args) {
        Sockets sockets = shell.world().sockets();
        if (sockets == null) {
            return 0;
        }
        return switch (program) {
            case "curl" -> new Curl(shell, sockets, args).run();
            case "wget" -> wget(shell, sockets, args);
            case "nc" -> nc(shell, sockets, args);
            case "nslookup" -> nslookup(shell, sockets, args);
            case "dig" -> dig(shell, sockets, args);
            case "host" -> host(shell, sockets, args);
            case "getent" -> getent(shell, sockets, args);
            case "netstat", "ss" -> netstat(shell, sockets);
            default -> ping(shell, sockets, args);
        };
    }

    static int hostname(Shell shell, List<String> args) {
        Sockets sockets = shell.world().sockets();
        if (sockets != null && (args.contains("-i") || args.contains("-I"))) {
            return Programs.line(shell, sockets.address());
        }
        if (sockets != null && (args.contains("-f") || args.contains("--fqdn"))) {
            return Programs.line(shell, Names.fullName(sockets.pod()));
        }
        return Programs.line(shell, shell.world().hostname());
    }

    /** Ends with a message when the time has passed. */
    private static int fails(Shell shell, Duration time, String message, int code) {
        shell.later(time, () -> {
            shell.complain(message);
            shell.end(code);
        });
        return Programs.LATER;
    }

    private static int ends(Shell shell, Duration time, String output, int code) {
        shell.later(time, () -> {
            shell.print(output);
            shell.end(code);
        });
        return Programs.LATER;
    }

    private static @Nullable Duration seconds(String text) {
        try {
            double value = Double.parseDouble(text.replaceFirst("s$", ""));
            return value <= 0 ? null : Duration.ofMillis((long) (value * 1000));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static Duration least(@Nullable Duration a, @Nullable Duration b, Duration otherwise) {
        Duration least = a == null ? b : b == null || a.compareTo(b) < 0 ? a : b;
        return least == null ? otherwise : least;
    }

    // ---- curl

    /** One call of curl. */
    private static final class Curl {
        private final Shell shell;
        private final Sockets sockets;
        private final List<String> urls = new ArrayList<>();
        private final Map<String, String> headers = new LinkedHashMap<>();
        private final Map<String, String> resolved = new LinkedHashMap<>();
        private final StringBuilder data = new StringBuilder();
        private String method = "";
        private boolean silent;
        private boolean shows;
        private boolean fails;
        private boolean follows;
        private boolean head;
        private boolean include;
        private boolean verbose;
        private boolean remoteName;
        private @Nullable Duration limit;
        private @Nullable Duration connect;
        private @Nullable String output;
        private String format = "";
        private int retries;
        private boolean retriesRefused;

        Curl(Shell shell, Sockets sockets, List<String> args) {
            this.shell = shell;
            this.sockets = sockets;
            headers.put("Host", "");
            headers.put("User-Agent", "curl/8.9.1");
            headers.put("Accept", "*/*");
            for (int i = 0; i < args.size(); i++) {
                String arg = args.get(i);
                if (!arg.startsWith("-") || arg.equals("-")) {
                    urls.add(arg);
                } else if (arg.startsWith("--")) {
                    int at = arg.indexOf('=');
                    String name = at < 0 ? arg.substring(2) : arg.substring(2, at);
                    boolean takes = takesValue(name);
                    String value = at >= 0 ? arg.substring(at + 1) : takes && i + 1 < args.size() ? args.get(++i) : "";
                    option(name, value);
                } else {
                    for (int j = 1; j < arg.length(); j++) {
                        String name = longName(arg.charAt(j));
                        if (takesValue(name)) {
                            option(
                                    name,
                                    j + 1 < arg.length() ? arg.substring(j + 1) : ++i < args.size() ? args.get(i) : "");
                            break;
                        }
                        option(name, "");
                    }
                }
            }
        }

        private static String longName(char letter) {
            return switch (letter) {
                case 's' -> "silent";
                case 'S' -> "show-error";
                case 'f' -> "fail";
                case 'L' -> "location";
                case 'I' -> "head";
                case 'i' -> "include";
                case 'v' -> "verbose";
                case 'm' -> "max-time";
                case 'o' -> "output";
                case 'O' -> "remote-name";
                case 'w' -> "write-out";
                case 'X' -> "request";
                case 'd' -> "data";
                case 'F' -> "form";
                case 'H' -> "header";
                case 'A' -> "user-agent";
                case 'u' -> "user";
                case 'x' -> "proxy";
                case 'T' -> "upload-file";
                case 'b' -> "cookie";
                case 'e' -> "referer";
                default -> "";
            };
        }

        private static boolean takesValue(String name) {
            return switch (name) {
                case "max-time",
                        "connect-timeout",
                        "output",
                        "write-out",
                        "request",
                        "data",
                        "data-raw",
                        "data-binary",
                        "data-urlencode",
                        "form",
                        "header",
                        "user-agent",
                        "user",
                        "proxy",
                        "upload-file",
                        "cookie",
                        "referer",
                        "retry",
                        "retry-delay",
                        "retry-max-time",
                        "resolve",
                        "interface",
                        "local-port",
                        "cacert",
                        "cert",
                        "key",
                        "capath",
                        "noproxy",
                        "url",
                        "keepalive-time",
                        "limit-rate" -> true;
                default -> false;
            };
        }

        private void option(String name, String value) {
            switch (name) {
                case "silent" -> silent = true;
                case "show-error" -> shows = true;
                case "fail", "fail-with-body" -> fails = true;
                case "location" -> follows = true;
                case "head" -> head = true;
                case "include" -> include = true;
                case "verbose" -> verbose = true;
                case "max-time" -> limit = seconds(value);
                case "connect-timeout" -> connect = seconds(value);
                case "output" -> output = value;
                case "remote-name" -> remoteName = true;
                case "write-out" -> format = value;
                case "request" -> method = value;
                case "data", "data-raw", "data-binary", "data-urlencode" -> {
                    data.append(data.length() > 0 ? "&" : "").append(value);
                    headers.putIfAbsent("Content-Type", "application/x-www-form-urlencoded");
                }
                case "header" -> {
                    int colon = value.indexOf(':');
                    if (colon > 0) {
                        headers.keySet().removeIf(h -> h.equalsIgnoreCase(value.substring(0, colon)));
                        headers.put(
                                value.substring(0, colon),
                                value.substring(colon + 1).strip());
                    }
                }
                case "user-agent" -> headers.put("User-Agent", value);
                case "resolve" -> {
                    String[] parts = value.split(":", 3);
                    if (parts.length == 3) {
                        resolved.put(parts[0].replaceFirst("^\\+", ""), parts[2].replaceAll("[\\[\\]]", ""));
                    }
                }
                case "retry" -> retries = Programs.number(value);
                case "retry-connrefused", "retry-all-errors" -> retriesRefused = true;
                case "url" -> urls.add(value);
                case "get" -> method = "GET";
                default -> {}
            }
        }

        int run() {
            if (urls.isEmpty()) {
                shell.complain("curl: (2) no URL specified\n");
                return 2;
            }
            next(0, 0, 1);
            return Programs.LATER;
        }

        private void next(int url, int tried, int delay) {
            Result result = once(urls.get(url), 0);
            shell.later(result.took(), () -> {
                boolean again = tried < retries
                        && (result.code() == 28
                                || result.code() == 7 && retriesRefused
                                || result.code() != 0 && retriesRefused);
                if (again) {
                    shell.later(Duration.ofSeconds(delay), () -> next(url, tried + 1, Math.min(600, delay * 2)));
                    return;
                }
                if (verbose) {
                    shell.complain(result.trace());
                }
                if (!result.error().isEmpty() && (!silent || shows)) {
                    shell.complain("curl: (" + result.code() + ") " + result.error() + "\n");
                }
                String text = result.output();
                String file = remoteName ? urls.get(url).replaceFirst(".*/", "") : output;
                if (file == null || file.equals("-")) {
                    shell.print(text);
                } else if (!file.equals("/dev/null") && (result.code() == 0 || !text.isEmpty())) {
                    shell.files().write(shell.path(file), text, false, 0644);
                }
                if (!format.isEmpty()) {
                    shell.print(written(result));
                }
                if (url + 1 < urls.size()) {
                    next(url + 1, 0, 1);
                } else {
                    shell.end(result.code());
                }
            });
        }

        private String written(Result result) {
            return format.replace("%{http_code}", String.format("%03d", result.status()))
                    .replace("%{response_code}", String.format("%03d", result.status()))
                    .replace("%{remote_ip}", result.address())
                    .replace("%{size_download}", String.valueOf(result.output().length()))
                    .replace(
                            "%{time_total}",
                            String.format(Locale.ROOT, "%.6f", result.took().toMillis() / 1000.0))
                    .replace("%{exitcode}", String.valueOf(result.code()))
                    .replace("\\n", "\n")
                    .replace("\\t", "\t");
        }

        /** How one URL went. */
        private record Result(
                int code, String error, String output, int status, String address, Duration took, String trace) {
            static Result failed(int code, String error, Duration took) {
                return new Result(code, error, "", 0, "", took, "");
            }
        }

        private Result once(String url, int redirects) {
            Matcher matcher = URL.matcher(url);
            if (!matcher.matches()) {
                return Result.failed(3, "URL rejected: Malformed input to a URL function", Duration.ZERO);
            }
            boolean tls = "https".equals(matcher.group(1));
            String host = matcher.group(2).replaceAll("[\\[\\]]", "");
            int port = matcher.group(3) == null ? tls ? 443 : 80 : Integer.parseInt(matcher.group(3));
            String path = matcher.group(4) == null
                    ? "/"
                    : matcher.group(4).startsWith("?") ? "/" + matcher.group(4) : matcher.group(4);
            String given = resolved.get(host);
            Names.Answer name = given == null ? sockets.lookup(host) : sockets.lookup(given);
            Duration patience = least(connect, limit, PATIENCE);
            if (name.outcome() == Names.Outcome.SILENT) {
                Duration took = least(connect, limit, RESOLVER);
                return took.compareTo(RESOLVER) < 0
                        ? Result.failed(
                                28, "Resolving timed out after " + (took.toMillis() + 1) + " milliseconds", took)
                        : Result.failed(6, "Could not resolve host: " + host, RESOLVER);
            }
            if (name.records().isEmpty()) {
                return Result.failed(6, "Could not resolve host: " + host, Duration.ZERO);
            }
            String address = name.records().get(0);
            Verdict verdict = sockets.dial(address, port, Protocol.TCP);
            if (verdict instanceof Verdict.Silent) {
                return Result.failed(
                        28,
                        connect == null && limit == null
                                ? "Failed to connect to " + host + " port " + port + " after " + patience.toMillis()
                                        + " ms: Couldn't connect to server"
                                : "Connection timed out after " + (patience.toMillis() + 1) + " milliseconds",
                        patience);
            }
            if (!(verdict instanceof Verdict.Reached reached)) {
                return Result.failed(
                        7,
                        "Failed to connect to " + host + " port " + port + " after 0 ms: Couldn't connect to server",
                        Duration.ZERO);
            }
            Listener listener = reached.listener();
            if (tls) {
                if (!(listener instanceof Tls inner)) {
                    return Result.failed(
                            35, "OpenSSL/3.3.2: error:0A0000C6:SSL routines::packet length too long", Duration.ZERO);
                }
                listener = inner.inner();
            }
            Map<String, String> sent = new LinkedHashMap<>(headers);
            if (sent.getOrDefault("Host", "").isEmpty()) {
                String shown = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
                sent.put("Host", port == (tls ? 443 : 80) ? shown : shown + ":" + port);
            }
            String verb = !method.isEmpty() ? method : head ? "HEAD" : data.length() > 0 ? "POST" : "GET";
            Http.Answer answer = Http.ask(listener, reached.peer(), verb, path, sent, data.toString());
            String trace =
                    "*   Trying " + address + ":" + port + "...\n* Connected to " + host + " (" + address + ") port "
                            + port + "\n> " + verb + " " + path + " HTTP/1.1\n> Host: " + sent.get("Host") + "\n> \n"
                            + (answer.head().isEmpty()
                                    ? ""
                                    : "< " + answer.head().strip().replace("\r\n", "\n< ") + "\n< \n");
            Duration took = answer.took();
            boolean answered = !answer.raw().isEmpty();
            if (limit != null && (took.compareTo(limit) > 0 || !answered && took.isZero())) {
                return Result.failed(
                        28,
                        "Operation timed out after " + (limit.toMillis() + 1) + " milliseconds with 0 bytes received",
                        limit);
            }
            if (!answered) {
                return Result.failed(52, "Empty reply from server", took.isZero() ? Duration.ZERO : took);
            }
            if (answer.code() == 0) {
                return new Result(1, "Received HTTP/0.9 when not allowed", "", 0, address, took, trace);
            }
            String location = answer.headers().get("location");
            if (follows && location != null && answer.code() / 100 == 3) {
                if (redirects >= REDIRECTS) {
                    return Result.failed(47, "Maximum (50) redirects followed", took);
                }
                String target = location.startsWith("http")
                        ? location
                        : (tls ? "https://" : "http://") + host + ":" + port + location;
                Result next = once(target, redirects + 1);
                return new Result(
                        next.code(),
                        next.error(),
                        next.output(),
                        next.status(),
                        next.address(),
                        took.plus(next.took()),
                        trace + next.trace());
            }
            if (fails && answer.code() >= 400) {
                return new Result(
                        22,
                        "The requested URL returned error: " + answer.code(),
                        "",
                        answer.code(),
                        address,
                        took,
                        trace);
            }
            String text = (include || head ? answer.head() : "") + answer.body();
            return new Result(0, "", text, answer.code(), address, took, trace);
        }
    }

    // ---- wget, as busybox has it

    private static int wget(Shell shell, Sockets sockets, List<String> args) {
        boolean quiet = false;
        boolean spider = false;
        String output = null;
        String url = null;
        String body = "";
        Duration limit = null;
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Host", "");
        headers.put("User-Agent", "Wget");
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.startsWith("--timeout=")) {
                limit = seconds(arg.substring(10));
            } else if (arg.startsWith("--header=")) {
                String[] pair = arg.substring(9).split(":", 2);
                headers.put(pair[0], pair.length > 1 ? pair[1].strip() : "");
            } else if (arg.startsWith("--post-data=")) {
                body = arg.substring(12);
            } else if (arg.startsWith("--output-document=")) {
                output = arg.substring(18);
            } else if (arg.equals("--spider")) {
                spider = true;
            } else if (arg.equals("--header")
                    || arg.equals("--post-data")
                    || arg.equals("--timeout")
                    || arg.equals("--tries")) {
                i++;
            } else if (arg.equals("--quiet")) {
                quiet = true;
            } else if (arg.startsWith("-") && !arg.startsWith("--") && arg.length() > 1) {
                for (int j = 1; j < arg.length(); j++) {
                    char letter = arg.charAt(j);
                    quiet |= letter == 'q';
                    if ("OTtPUYow".indexOf(letter) >= 0) {
                        String value =
                                j + 1 < arg.length() ? arg.substring(j + 1) : ++i < args.size() ? args.get(i) : "";
                        if (letter == 'O') {
                            output = value;
                        } else if (letter == 'T') {
                            limit = seconds(value);
                        }
                        break;
                    }
                }
            } else if (!arg.startsWith("-")) {
                url = arg;
            }
        }
        if (url == null) {
            shell.complain("wget: missing URL\n");
            return 1;
        }
        Matcher matcher = URL.matcher(url);
        if (!matcher.matches()) {
            shell.complain("wget: not an http or ftp url: " + url + "\n");
            return 1;
        }
        boolean tls = "https".equals(matcher.group(1));
        String host = matcher.group(2);
        int port = matcher.group(3) == null ? tls ? 443 : 80 : Integer.parseInt(matcher.group(3));
        String path = Objects.requireNonNullElse(matcher.group(4), "/");
        Names.Answer name = sockets.lookup(host);
        if (name.records().isEmpty()) {
            Duration took = name.outcome() == Names.Outcome.SILENT ? least(limit, null, RESOLVER) : Duration.ZERO;
            return fails(
                    shell,
                    took,
                    "wget: bad address '" + host + (matcher.group(3) == null ? "" : ":" + port) + "'\n",
                    1);
        }
        String address = name.records().get(0);
        if (!quiet) {
            shell.complain("Connecting to " + host + (matcher.group(3) == null ? "" : ":" + port) + " (" + address + ":"
                    + port + ")\n");
        }
        Verdict verdict = sockets.dial(address, port, Protocol.TCP);
        if (verdict instanceof Verdict.Silent) {
            return fails(
                    shell,
                    least(limit, null, PATIENCE),
                    limit == null
                            ? "wget: can't connect to remote host (" + address + "): Operation timed out\n"
                            : "wget: download timed out\n",
                    1);
        }
        if (!(verdict instanceof Verdict.Reached reached)) {
            shell.complain("wget: can't connect to remote host (" + address + "): "
                    + (verdict instanceof Verdict.Refused ? "Connection refused" : "No route to host") + "\n");
            return 1;
        }
        headers.put("Host", port == 80 ? host : host + ":" + port);
        headers.put("Connection", "close");
        Listener listener = tls && reached.listener() instanceof Tls inner ? inner.inner() : reached.listener();
        Http.Answer answer = Http.ask(listener, reached.peer(), body.isEmpty() ? "GET" : "POST", path, headers, body);
        Duration took = answer.took();
        if (limit != null && took.compareTo(limit) > 0) {
            return fails(shell, limit, "wget: download timed out\n", 1);
        }
        if (answer.code() == 0) {
            return fails(shell, took, "wget: error getting response\n", 1);
        }
        if (answer.code() >= 400) {
            String first = answer.head().substring(0, answer.head().indexOf("\r\n"));
            return fails(shell, took, "wget: server returned error: " + first + "\n", 1);
        }
        if (spider) {
            return ends(shell, took, "", 0);
        }
        if ("-".equals(output)) {
            return ends(shell, took, answer.body(), 0);
        }
        String last = path.replaceFirst("\\?.*", "").replaceFirst(".*/", "");
        String file = output != null ? output : last.isEmpty() ? "index.html" : last;
        String error =
                file.equals("/dev/null") ? null : shell.files().write(shell.path(file), answer.body(), false, 0644);
        if (error != null) {
            return fails(shell, took, "wget: can't open '" + file + "': " + error + "\n", 1);
        }
        return fails(shell, took, quiet ? "" : "saving to '" + file + "'\n'" + file + "' saved\n", 0);
    }

    // ---- nc

    /** Opens a socket in the file system, to which nobody comes. */
    private static int listenAt(Shell shell, String name) {
        String error = shell.files().write(shell.path(name), "", false, FileTree.Entry.SOCKET | 0755);
        if (error != null) {
            shell.complain("nc: bind: " + error + "\n");
            return 1;
        }
        shell.sleep(Shell.FOREVER);
        return 0;
    }

    private static int nc(Shell shell, Sockets sockets, List<String> args) {
        boolean verbose = false;
        boolean scan = false;
        boolean udp = false;
        boolean listens = false;
        boolean keeps = false;
        Duration limit = null;
        String local = "";
        List<String> operands = new ArrayList<>();
        List<String> command = List.of();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (!arg.startsWith("-") || arg.equals("-")) {
                operands.add(arg);
                continue;
            }
            if (arg.matches("-[lk]*U") && i + 1 < args.size()) {
                return listenAt(shell, args.get(i + 1));
            }
            for (int j = 1; j < arg.length(); j++) {
                char letter = arg.charAt(j);
                verbose |= letter == 'v';
                scan |= letter == 'z';
                udp |= letter == 'u';
                listens |= letter == 'l';
                keeps |= letter == 'k';
                if ("wpqsei".indexOf(letter) >= 0) {
                    String value = j + 1 < arg.length() ? arg.substring(j + 1) : ++i < args.size() ? args.get(i) : "";
                    if (letter == 'w') {
                        limit = seconds(value);
                    } else if (letter == 'p') {
                        local = value;
                    } else if (letter == 'e') {
                        command = new ArrayList<>(List.of(value));
                        command.addAll(args.subList(Math.min(args.size(), i + 1), args.size()));
                        i = args.size();
                    }
                    break;
                }
            }
        }
        Protocol protocol = udp ? Protocol.UDP : Protocol.TCP;
        if (listens) {
            String port = !local.isEmpty() ? local : operands.isEmpty() ? "0" : operands.get(operands.size() - 1);
            return listen(shell, sockets, protocol, Programs.number(port), keeps, command);
        }
        if (operands.size() < 2) {
            shell.complain("usage: nc [-46uvz] [-w timeout] destination port\n");
            return 1;
        }
        String host = operands.get(0);
        int port = Programs.number(operands.get(1));
        Names.Answer name = sockets.lookup(host);
        if (name.records().isEmpty()) {
            Duration took = name.outcome() == Names.Outcome.SILENT ? RESOLVER : Duration.ZERO;
            return fails(
                    shell,
                    took,
                    "nc: getaddrinfo for host \"" + host + "\" port " + port + ": Name or service not known\n",
                    1);
        }
        String address = name.records().get(0);
        Verdict verdict = sockets.dial(address, port, protocol);
        String what = "connect to " + host + (host.equals(address) ? "" : " (" + address + ")") + " port " + port + " ("
                + protocol.name().toLowerCase(Locale.ROOT) + ") failed: ";
        if (udp && !(verdict instanceof Verdict.Reached)) {
            shell.in().take();
            return fails(shell, limit == null ? Duration.ofSeconds(1) : limit, "", 1);
        }
        if (verdict instanceof Verdict.Silent) {
            return fails(
                    shell, least(limit, null, PATIENCE), verbose ? "nc: " + what + "Operation timed out\n" : "", 1);
        }
        if (!(verdict instanceof Verdict.Reached reached)) {
            if (verbose) {
                shell.complain("nc: " + what
                        + (verdict instanceof Verdict.Refused ? "Connection refused" : "No route to host") + "\n");
            }
            return 1;
        }
        if (verbose) {
            shell.complain("Connection to " + host + (host.equals(address) ? "" : " (" + address + ")") + " " + port
                    + " port [" + protocol.name().toLowerCase(Locale.ROOT) + "/*] succeeded!\n");
        }
        if (scan) {
            return 0;
        }
        Http.Gathering gathering = new Http.Gathering();
        Session session = reached.listener().accept(reached.peer(), gathering);
        String input = shell.in().take();
        if (!input.isEmpty()) {
            session.receive(input);
        }
        session.end();
        // One that the server keeps open lasts until the idle limit.
        Duration idle = gathering.closed() != null || limit == null ? Duration.ZERO : limit;
        return ends(shell, gathering.took().plus(idle), gathering.text(), 0);
    }

    /** Waits for somebody to connect, takes what is sent, and answers with the input or with what a command prints. */
    private static int listen(
            Shell shell, Sockets sockets, Protocol protocol, int port, boolean keeps, List<String> command) {
        Input arrived = new Input();
        Input own = shell.in();
        String answer = own.isClosed() ? own.take() : "";
        sockets.listen(protocol, port, new Listener() {
            @Override
            public Session accept(Peer peer, Outlet outlet) {
                if (!keeps) {
                    sockets.close(protocol, port);
                }
                if (!command.isEmpty()) {
                    SimulatedRuntime.Executed done = sockets.execute(command);
                    outlet.send(done.took(), done.output());
                    outlet.close(done.took());
                } else if (!answer.isEmpty()) {
                    outlet.send(answer);
                    if (!keeps) {
                        outlet.close();
                    }
                }
                return new Session() {
                    @Override
                    public void receive(String bytes) {
                        arrived.add(bytes);
                    }

                    @Override
                    public void end() {
                        outlet.close();
                        if (!keeps) {
                            arrived.close();
                        }
                    }
                };
            }
        });
        arrived.onMore(shell::wake);
        await(shell, arrived);
        return Programs.LATER;
    }

    private static void await(Shell shell, Input arrived) {
        shell.whenReady(arrived::hasSome, () -> {
            boolean last = arrived.isClosed();
            shell.print(arrived.take());
            if (last) {
                shell.end(0);
            } else {
                await(shell, arrived);
            }
        });
    }

    // ---- names

    private static int nslookup(Shell shell, Sockets sockets, List<String> args) {
        List<String> operands = new ArrayList<>();
        String type = "A";
        for (String arg : args) {
            Matcher matcher =
                    Pattern.compile("-(?:q|type|querytype|query)=(.*)").matcher(arg);
            if (matcher.matches()) {
                type = matcher.group(1).toUpperCase(Locale.ROOT);
            } else if (!arg.startsWith("-")) {
                operands.add(arg);
            }
        }
        Names names = sockets.names().orElse(null);
        if (operands.isEmpty() || names == null) {
            return 1;
        }
        Pod pod = sockets.pod();
        Names.Resolver resolver = names.resolver(pod);
        String server = operands.size() > 1
                ? operands.get(1)
                : resolver.servers().isEmpty() ? "" : resolver.servers().get(0);
        if (!names.isAnswered(pod, resolver)) {
            return fails(shell, RESOLVER, ";; connection timed out; no servers could be reached\n\n", 1);
        }
        shell.print("Server:\t\t" + server + "\nAddress:\t" + server + ":53\n\n");
        Names.Answer answer = find(names, resolver, operands.get(0), type);
        if (answer == null) {
            shell.print("** server can't find " + operands.get(0) + ": NXDOMAIN\n\n");
            return 1;
        }
        StringBuilder text = new StringBuilder();
        if (answer.alias() != null) {
            text.append(answer.name())
                    .append("\tcanonical name = ")
                    .append(answer.alias())
                    .append('\n');
        }
        for (String line : answer.records()) {
            switch (type) {
                case "SRV" ->
                    text.append(answer.name())
                            .append("\tservice = ")
                            .append(line)
                            .append('\n');
                case "CNAME" -> {}
                case "PTR" ->
                    text.append(answer.name()).append("\tname = ").append(line).append('\n');
                default -> {
                    if (answer.name().endsWith(".in-addr.arpa")) {
                        text.append(answer.name())
                                .append("\tname = ")
                                .append(line.replaceFirst("\\.$", ""))
                                .append('\n');
                    } else {
                        text.append("Name:\t")
                                .append(answer.alias() == null ? answer.name() : answer.alias())
                                .append("\nAddress: ")
                                .append(line)
                                .append('\n');
                    }
                }
            }
        }
        shell.print(text + "\n");
        return 0;
    }

    /** What a name means, with the searches that the resolver makes; null if nothing. */
    private static Names.@Nullable Answer find(Names names, Names.Resolver resolver, String name, String type) {
        if (name.matches("\\d+\\.\\d+\\.\\d+\\.\\d+")) {
            Names.Answer answer = names.query(reversed(name), "PTR");
            return answer.records().isEmpty() ? null : answer;
        }
        for (String candidate : Names.candidates(resolver, name)) {
            Names.Answer answer = names.query(candidate, type);
            String target = answer.alias();
            if (target != null && type.equals("A")) {
                Names.Answer led = names.query(target, type);
                return new Names.Answer(Names.Outcome.FOUND, answer.name(), target, led.records());
            }
            if (answer.outcome() == Names.Outcome.FOUND) {
                return answer;
            }
        }
        return null;
    }

    private static String reversed(String address) {
        String[] parts = address.split("\\.");
        return parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0] + ".in-addr.arpa";
    }

    private static int dig(Shell shell, Sockets sockets, List<String> args) {
        String name = "";
        String type = "A";
        boolean brief = args.contains("+short");
        boolean search = args.contains("+search");
        boolean answersOnly = args.contains("+noall");
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.equals("-x") && i + 1 < args.size()) {
                name = reversed(args.get(++i));
                type = "PTR";
            } else if (arg.equals("-t") && i + 1 < args.size()) {
                type = args.get(++i).toUpperCase(Locale.ROOT);
            } else if (List.of("A", "AAAA", "SRV", "CNAME", "PTR", "ANY", "TXT").contains(arg)) {
                type = arg;
            } else if (!arg.startsWith("+") && !arg.startsWith("-") && !arg.startsWith("@")) {
                name = arg;
            }
        }
        Names names = sockets.names().orElse(null);
        if (names == null) {
            return 9;
        }
        Pod pod = sockets.pod();
        Names.Resolver resolver = names.resolver(pod);
        if (!names.isAnswered(pod, resolver)) {
            return ends(shell, RESOLVER, ";; communications error to " + names.server() + "#53: timed out\n", 9);
        }
        Names.Answer answer =
                search ? find(names, resolver, name, type) : names.query(name.replaceFirst("\\.$", ""), type);
        StringBuilder text = new StringBuilder();
        List<String> records = answer == null ? List.of() : new ArrayList<>(answer.records());
        String owner = answer == null ? name + "." : answer.name() + ".";
        if (answer != null && answer.alias() != null && !type.equals("CNAME")) {
            text.append(brief ? answer.alias() + ".\n" : owner + "\t30\tIN\tCNAME\t" + answer.alias() + ".\n");
            owner = answer.alias() + ".";
            if (!search) {
                records = names.query(answer.alias(), type).records();
            }
        }
        for (String line : records) {
            text.append(brief ? line : owner + "\t30\tIN\t" + (type.equals("ANY") ? "A" : type) + "\t" + line)
                    .append('\n');
        }
        if (!brief && !answersOnly) {
            String status = answer == null || answer.outcome() == Names.Outcome.UNKNOWN ? "NXDOMAIN" : "NOERROR";
            shell.print("\n; <<>> DiG 9.18 <<>> " + String.join(" ", args) + "\n;; ->>HEADER<<- opcode: QUERY, status: "
                    + status + ", id: 1\n\n;; QUESTION SECTION:\n;" + name + ".\t\t\tIN\t" + type + "\n\n"
                    + (records.isEmpty() ? "" : ";; ANSWER SECTION:\n" + text + "\n") + ";; SERVER: " + names.server()
                    + "#53(" + names.server() + ")\n\n");
        } else {
            shell.print(text.toString());
        }
        return 0;
    }

    private static int host(Shell shell, Sockets sockets, List<String> args) {
        String name = args.stream().filter(a -> !a.startsWith("-")).findFirst().orElse("");
        Names.Answer answer = sockets.lookup(name);
        if (answer.outcome() == Names.Outcome.SILENT) {
            return ends(shell, RESOLVER, ";; connection timed out; no servers could be reached\n", 1);
        }
        if (answer.records().isEmpty()) {
            return Programs.line(shell, "Host " + name + " not found: 3(NXDOMAIN)") + 1;
        }
        answer.records().forEach(r -> shell.print(answer.name() + " has address " + r + "\n"));
        return 0;
    }

    private static int getent(Shell shell, Sockets sockets, List<String> args) {
        if (args.size() < 2 || !args.get(0).endsWith("hosts") && !args.get(0).startsWith("ahosts")) {
            return 0;
        }
        Names.Answer answer = sockets.lookup(args.get(1));
        if (answer.records().isEmpty()) {
            return 2;
        }
        answer.records()
                .forEach(r -> shell.print(
                        String.format("%-15s %s%n", r, answer.name()).replace("\r", "")));
        return 0;
    }

    private static int ping(Shell shell, Sockets sockets, List<String> args) {
        int count = 4;
        String host = "";
        for (int i = 0; i < args.size(); i++) {
            if (args.get(i).matches("-[cwWist]") && i + 1 < args.size()) {
                count = args.get(i).equals("-c") ? Programs.number(args.get(i + 1)) : count;
                i++;
            } else if (!args.get(i).startsWith("-")) {
                host = args.get(i);
            }
        }
        Names.Answer answer = sockets.lookup(host);
        if (answer.records().isEmpty()) {
            shell.complain("ping: bad address '" + host + "'\n");
            return 1;
        }
        String address = answer.records().get(0);
        boolean known = sockets.isSomebody(address);
        StringBuilder text = new StringBuilder("PING " + host + " (" + address + "): 56 data bytes\n");
        for (int i = 0; known && i < count; i++) {
            text.append("64 bytes from ")
                    .append(address)
                    .append(": seq=")
                    .append(i)
                    .append(" ttl=64 time=0.05 ms\n");
        }
        text.append("\n--- ")
                .append(host)
                .append(" ping statistics ---\n")
                .append(count)
                .append(" packets transmitted, ");
        text.append(known ? count : 0)
                .append(" packets received, ")
                .append(known ? 0 : 100)
                .append("% packet loss\n");
        return ends(shell, Duration.ofSeconds(known ? Math.max(0, count - 1) : count), text.toString(), known ? 0 : 1);
    }

    private static int netstat(Shell shell, Sockets sockets) {
        shell.print("Active Internet connections (servers and established)\n"
                + "Proto Recv-Q Send-Q Local Address           Foreign Address         State\n");
        for (String line : sockets.listening()) {
            String[] words = line.split(" ");
            shell.print(String.format(
                    "%-5s      0      0 %-23s 0.0.0.0:*               %s%n",
                    words[0], words[1], words[0].equals("udp") ? "" : "LISTEN"));
        }
        return 0;
    }

    // ---- agnhost connect

    /** Tries to connect, and says how that failed in a word. */
    static int connect(Shell shell, Sockets sockets, List<String> words) {
        String target = words.stream()
                .skip(2)
                .filter(w -> !w.startsWith("-") && w.contains(":"))
                .findFirst()
                .orElse("");
        int colon = target.lastIndexOf(':');
        if (colon < 0) {
            shell.complain("UNKNOWN: address " + target + ": missing port in address\n");
            return 1;
        }
        String host = target.substring(0, colon).replaceAll("[\\[\\]]", "");
        int port = Programs.number(target.substring(colon + 1));
        String given = ImageServers.flag(words, "timeout", "");
        Duration limit = given.isEmpty() ? PATIENCE : SimulatedRuntime.time(given);
        Protocol protocol = Protocol.of(ImageServers.flag(words, "protocol", "tcp"));
        Names.Answer name = sockets.lookup(host);
        if (name.records().isEmpty()) {
            Duration took = name.outcome() == Names.Outcome.SILENT ? RESOLVER : Duration.ZERO;
            return fails(shell, took, "DNS: lookup " + host + ": no such host\n", 1);
        }
        Verdict verdict = sockets.dial(name.records().get(0), port, protocol);
        if (verdict instanceof Verdict.Silent) {
            return fails(shell, limit, "TIMEOUT\n", 1);
        }
        if (!(verdict instanceof Verdict.Reached reached)) {
            shell.complain(
                    verdict instanceof Verdict.Refused
                            ? "REFUSED\n"
                            : "OTHER: dial " + protocol.name().toLowerCase(Locale.ROOT) + " " + target
                                    + ": connect: no route to host\n");
            return 1;
        }
        if (protocol == Protocol.TCP) {
            return 0;
        }
        Http.Gathering gathering = new Http.Gathering();
        reached.listener()
                .accept(reached.peer(), gathering)
                .receive(ImageServers.flag(words, protocol == Protocol.UDP ? "udp-data" : "sctp-data", "hostname")
                        + "\n");
        return gathering.text().isEmpty() ? fails(shell, limit, "TIMEOUT\n", 1) : 0;
    }
}
