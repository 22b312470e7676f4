package io.trimtab.node.simulated;

import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Outlet;
import io.trimtab.node.network.Peer;
import io.trimtab.node.network.Session;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** HTTP/1.1, as far as simulated servers and programs speak it. Texts are Latin-1, a character for a byte. Stateless. */
final class Http {
    private static final int MAX_BODY = 32 << 20;

    private Http() {}

    /**
     * A request.
     *
     * @param target path and query, as they came
     * @param query decoded; the first value of each
     * @param headers names in lower case
     */
    record Request(
            String method,
            String target,
            String path,
            Map<String, String> query,
            Map<String, String> headers,
            String body,
            Peer peer) {
        /** A parameter of the query or of a form. */
        String parameter(String name) {
            String value = query.get(name);
            if (value == null
                    && headers.getOrDefault("content-type", "").startsWith("application/x-www-form-urlencoded")) {
                value = parse(body).get(name);
            }
            return value == null ? "" : value;
        }
    }

    /**
     * An answer.
     *
     * @param after how long it takes to make
     * @param ending whether the server closes the connection after it
     */
    record Reply(int code, Map<String, String> headers, String body, Duration after, boolean ending) {
        static Reply of(int code, String type, String body) {
            return new Reply(code, Map.of("Content-Type", type), body, Duration.ZERO, false);
        }

        static Reply text(String body) {
            return of(200, "text/plain; charset=utf-8", body);
        }

        static Reply error(int code, String body) {
            return of(code, "text/plain; charset=utf-8", body + "\n");
        }

        Reply with(String name, String value) {
            Map<String, String> all = new LinkedHashMap<>(headers);
            all.put(name, value);
            return new Reply(code, all, body, after, ending);
        }

        Reply after(Duration time) {
            return new Reply(code, headers, body, time, ending);
        }

        /** Breaks the connection instead of answering. */
        static Reply silence(Duration after) {
            return new Reply(0, Map.of(), "", after, true);
        }
    }

    /** Answers requests. Called by any thread. */
    interface Handler {
        Reply handle(Request request);
    }

    /** A server whose answers are a handler's. */
    static Listener listener(Handler handler) {
        return (peer, outlet) -> new Connection(handler, peer, outlet);
    }

    /** The server's side of a connection. */
    private static final class Connection implements Session {
        private final Handler handler;
        private final Peer peer;
        private final Outlet outlet;
        private final StringBuilder received = new StringBuilder();
        private boolean over;

        Connection(Handler handler, Peer peer, Outlet outlet) {
            this.handler = handler;
            this.peer = peer;
            this.outlet = outlet;
        }

        @Override
        public void end() {
            if (!over) {
                over = true;
                outlet.close();
            }
        }

        @Override
        public void receive(String bytes) {
            if (over) {
                return;
            }
            received.append(bytes);
            while (!over) {
                int line = received.indexOf("\n");
                if (line < 0) {
                    return;
                }
                String first = received.substring(0, line).strip();
                String[] words = first.split(" ");
                if (words.length != 3 || !words[2].startsWith("HTTP/")) {
                    over = true;
                    outlet.send("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection:"
                            + " close\r\n\r\n400 Bad Request");
                    outlet.close();
                    return;
                }
                int head = received.indexOf("\r\n\r\n");
                if (head < 0) {
                    return;
                }
                Map<String, String> headers = headers(received.substring(line + 1, head));
                String body = "";
                int end = head + 4;
                if ("chunked".equals(headers.get("transfer-encoding"))) {
                    int last = received.indexOf("0\r\n\r\n", end);
                    if (last < 0) {
                        return;
                    }
                    body = unchunk(received.substring(end, last + 5));
                    end = last + 5;
                } else {
                    int length = Math.min(Integer.parseInt(headers.getOrDefault("content-length", "0")), MAX_BODY);
                    if (received.length() < end + length) {
                        return;
                    }
                    body = received.substring(end, end + length);
                    end += length;
                }
                received.delete(0, end);
                answer(words, headers, body);
            }
        }

        private void answer(String[] words, Map<String, String> headers, String body) {
            String target = words[1];
            int mark = target.indexOf('?');
            Reply reply = handler.handle(new Request(
                    words[0],
                    target,
                    decode(mark < 0 ? target : target.substring(0, mark), false),
                    mark < 0 ? Map.of() : parse(target.substring(mark + 1)),
                    headers,
                    body,
                    peer));
            if (reply.code() == 0) {
                over = true;
                outlet.close(reply.after());
                return;
            }
            boolean keep = !reply.ending()
                    && !"close".equalsIgnoreCase(headers.get("connection"))
                    && words[2].equals("HTTP/1.1");
            StringBuilder text = new StringBuilder("HTTP/1.1 " + reply.code() + " " + reason(reply.code()) + "\r\n");
            reply.headers()
                    .forEach((name, value) ->
                            text.append(name).append(": ").append(value).append("\r\n"));
            text.append("Content-Length: ").append(reply.body().length()).append("\r\n");
            text.append(keep ? "\r\n" : "Connection: close\r\n\r\n");
            outlet.send(reply.after(), words[0].equals("HEAD") ? text.toString() : text + reply.body());
            if (!keep) {
                over = true;
                outlet.close(reply.after());
            }
        }
    }

    private static Map<String, String> headers(String lines) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String line : lines.split("\r?\n")) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                headers.put(
                        line.substring(0, colon).strip().toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
        }
        return headers;
    }

    private static String unchunk(String text) {
        StringBuilder body = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            int line = text.indexOf("\r\n", at);
            if (line < 0) {
                break;
            }
            int size;
            try {
                size = Integer.parseInt(text.substring(at, line).split(";")[0].strip(), 16);
            } catch (NumberFormatException e) {
                break;
            }
            if (size == 0) {
                break;
            }
            body.append(text, line + 2, Math.min(text.length(), line + 2 + size));
            at = line + 4 + size;
        }
        return body.toString();
    }

    /** The parameters of a query. */
    static Map<String, String> parse(String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String part : query.split("&")) {
            int at = part.indexOf('=');
            if (!part.isEmpty()) {
                parameters.putIfAbsent(
                        decode(at < 0 ? part : part.substring(0, at), true),
                        at < 0 ? "" : decode(part.substring(at + 1), true));
            }
        }
        return parameters;
    }

    private static String decode(String text, boolean form) {
        try {
            String decoded = URLDecoder.decode(form ? text : text.replace("+", "%2B"), StandardCharsets.ISO_8859_1);
            return decoded;
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    static String reason(int code) {
        return switch (code) {
            case 200 -> "OK";
            case 201 -> "Created";
            case 202 -> "Accepted";
            case 204 -> "No Content";
            case 301 -> "Moved Permanently";
            case 302 -> "Found";
            case 303 -> "See Other";
            case 304 -> "Not Modified";
            case 307 -> "Temporary Redirect";
            case 308 -> "Permanent Redirect";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 408 -> "Request Timeout";
            case 409 -> "Conflict";
            case 412 -> "Precondition Failed";
            case 417 -> "Expectation Failed";
            case 429 -> "Too Many Requests";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 502 -> "Bad Gateway";
            case 503 -> "Service Unavailable";
            case 504 -> "Gateway Timeout";
            default -> "Status " + code;
        };
    }

    // ---- the client's side

    /**
     * What came back.
     *
     * @param code 0 if it was no HTTP
     * @param head the answer's head as it came
     * @param headers names in lower case
     * @param took how long it took
     * @param raw all that came
     */
    record Answer(int code, String head, Map<String, String> headers, String body, Duration took, String raw) {}

    /** Gathers what a server sends. */
    static final class Gathering implements Outlet {
        private final List<String> parts = new ArrayList<>();
        private Duration took = Duration.ZERO;
        private @Nullable Duration closed;

        @Override
        public void send(Duration after, String bytes) {
            parts.add(bytes);
            took = after.compareTo(took) > 0 ? after : took;
        }

        @Override
        public void close(Duration after) {
            closed = after;
        }

        String text() {
            return String.join("", parts);
        }

        Duration took() {
            return took;
        }

        /** When the server closed the connection; null if it has not. */
        @Nullable
        Duration closed() {
            return closed;
        }
    }

    /** Asks a server once. */
    static Answer ask(
            Listener listener, Peer peer, String method, String target, Map<String, String> headers, String body) {
        StringBuilder request = new StringBuilder(method + " " + (target.isEmpty() ? "/" : target) + " HTTP/1.1\r\n");
        headers.forEach(
                (name, value) -> request.append(name).append(": ").append(value).append("\r\n"));
        if (!body.isEmpty() || method.equals("POST") || method.equals("PUT") || method.equals("PATCH")) {
            request.append("Content-Length: ").append(body.length()).append("\r\n");
        }
        Gathering gathering = new Gathering();
        Session session = listener.accept(peer, gathering);
        session.receive(request + "\r\n" + body);
        session.end();
        return read(gathering, method.equals("HEAD"));
    }

    private static Answer read(Gathering gathering, boolean headOnly) {
        String raw = gathering.text();
        Duration closed = gathering.closed();
        Duration took = raw.isEmpty() && closed != null ? closed : gathering.took();
        int end = raw.indexOf("\r\n\r\n");
        if (!raw.startsWith("HTTP/") || end < 0) {
            return new Answer(0, "", Map.of(), "", took, raw);
        }
        int line = raw.indexOf("\r\n");
        Map<String, String> headers = headers(raw.substring(Math.min(line + 2, end + 2), end + 2));
        String body = headOnly ? "" : raw.substring(end + 4);
        String length = headers.get("content-length");
        if (length != null && !headOnly) {
            body = body.substring(0, Math.min(body.length(), Integer.parseInt(length)));
        }
        return new Answer(Integer.parseInt(raw.substring(9, 12)), raw.substring(0, end + 4), headers, body, took, raw);
    }
}
