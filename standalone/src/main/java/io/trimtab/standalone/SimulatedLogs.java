package io.trimtab.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.rest.NodeProxy;
import io.trimtab.node.simulated.SimulatedRuntime;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What the containers of simulated nodes have printed, and go on to print. Stateless. */
final class SimulatedLogs {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.nnnnnnnnn'Z'").withZone(ZoneOffset.UTC);
    private static final Map<String, List<String>> TEXT = Map.of("Content-Type", List.of("text/plain"));

    private SimulatedLogs() {}

    static ApiResponse answer(SimulatedRuntime simulated, Driver driver, NodeProxy.Target target, ApiRequest request) {
        Pod pod = SimulatedNodes.pod(target.object());
        boolean previous = is(request, "previous");
        boolean times = is(request, "timestamps");
        Long limit = number(request, "limitBytes");
        if (is(request, "follow") && !previous && !SimulatedNodes.isWebSocket(request)) {
            Following following = new Following(simulated, driver, target, request, pod);
            if (following.begin()) {
                return new ApiResponse.Stream(200, TEXT, following::to);
            }
        }
        List<SimulatedRuntime.LogLine> lines = simulated
                .log(pod, target.container(), previous)
                .orElseThrow(() -> Statuses.badRequest(
                        previous
                                ? "previous terminated container \"" + target.container() + "\" in pod \""
                                        + pod.getMetadata().getName() + "\" not found"
                                : "container \"" + target.container() + "\" in pod \""
                                        + pod.getMetadata().getName() + "\" is waiting to start: " + waiting(target)));
        byte[] body = text(chosen(lines, driver, request), times);
        if (limit != null && limit < body.length) {
            body = Arrays.copyOf(body, limit.intValue());
        }
        byte[] whole = body;
        return SimulatedNodes.isWebSocket(request)
                ? new ApiResponse.Conversation(101, Map.of(), false, nothing -> List.of(whole))
                : new ApiResponse.Whole(200, TEXT, whole);
    }

    /** A log that somebody reads as it is written. Lines that come before the reader does are kept for it. */
    private static final class Following {
        private final SimulatedRuntime simulated;
        private final Driver driver;
        private final NodeProxy.Target target;
        private final ApiRequest request;
        private final Pod pod;
        private final List<SimulatedRuntime.LogLine> early = new ArrayList<>();
        private boolean ended;
        private ApiResponse.@Nullable Sink sink;
        private final AtomicLong left;
        private Runnable cancel = () -> {};

        Following(SimulatedRuntime simulated, Driver driver, NodeProxy.Target target, ApiRequest request, Pod pod) {
            this.simulated = simulated;
            this.driver = driver;
            this.target = target;
            this.request = request;
            this.pod = pod;
            Long limit = number(request, "limitBytes");
            this.left = new AtomicLong(limit == null ? Long.MAX_VALUE : limit);
        }

        /** False if there is nothing to follow. */
        synchronized boolean begin() {
            Optional<Runnable> followed = simulated.follow(pod, target.container(), new SimulatedRuntime.Reader() {
                @Override
                public void line(SimulatedRuntime.LogLine line) {
                    Following.this.line(line);
                }

                @Override
                public void ended() {
                    Following.this.ended();
                }
            });
            followed.ifPresent(c -> cancel = c);
            return followed.isPresent();
        }

        private synchronized void line(SimulatedRuntime.LogLine line) {
            ApiResponse.Sink known = sink;
            if (known == null) {
                early.add(line);
            } else {
                write(known, List.of(line));
            }
        }

        private synchronized void ended() {
            ended = true;
            ApiResponse.Sink known = sink;
            if (known != null) {
                known.end();
            }
        }

        synchronized Runnable to(ApiResponse.Sink given) {
            sink = given;
            // What was printed between the following and now stands in both: the log is the one that is whole.
            List<SimulatedRuntime.LogLine> before = new ArrayList<>(
                    simulated.log(pod, target.container(), false).orElse(List.of()));
            before.removeIf(line -> !line.text().endsWith("\n") && !ended);
            early.clear();
            write(given, chosen(before, driver, request));
            if (ended) {
                given.end();
            }
            return cancel;
        }

        private void write(ApiResponse.Sink to, List<SimulatedRuntime.LogLine> lines) {
            byte[] bytes = text(lines, is(request, "timestamps"));
            long allowed = left.getAndAdd(-bytes.length);
            if (allowed <= 0 || bytes.length == 0) {
                return;
            }
            to.write(bytes.length > allowed ? Arrays.copyOf(bytes, (int) allowed) : bytes);
            if (bytes.length >= allowed) {
                to.end();
                cancel.run();
            }
        }
    }

    private static byte[] text(List<SimulatedRuntime.LogLine> lines, boolean times) {
        StringBuilder text = new StringBuilder();
        for (SimulatedRuntime.LogLine line : lines) {
            if (times) {
                text.append(TIME.format(line.time())).append(' ');
            }
            text.append(line.text());
        }
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Those that the request wants of what is there. */
    private static List<SimulatedRuntime.LogLine> chosen(
            List<SimulatedRuntime.LogLine> lines, Driver driver, ApiRequest request) {
        Long seconds = number(request, "sinceSeconds");
        String time = request.queryParameter("sinceTime");
        Instant from = seconds != null
                ? driver.now().minusSeconds(seconds)
                : time == null || time.isEmpty() ? Instant.MIN : Instant.parse(time);
        List<SimulatedRuntime.LogLine> kept = new ArrayList<>(lines);
        kept.removeIf(line -> line.time().isBefore(from));
        Long tail = number(request, "tailLines");
        return tail != null && tail < kept.size() ? kept.subList(kept.size() - tail.intValue(), kept.size()) : kept;
    }

    private static String waiting(NodeProxy.Target target) {
        for (String field : List.of("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")) {
            for (JsonNode status : target.object().path("status").path(field)) {
                String reason =
                        status.path("state").path("waiting").path("reason").asText("");
                if (status.path("name").asText().equals(target.container()) && !reason.isEmpty()) {
                    return reason;
                }
            }
        }
        return "ContainerCreating";
    }

    private static boolean is(ApiRequest request, String name) {
        return List.of("true", "1").contains(String.valueOf(request.queryParameter(name)));
    }

    private static @Nullable Long number(ApiRequest request, String name) {
        String text = request.queryParameter(name);
        return text == null || text.isEmpty() ? null : Long.valueOf(text);
    }
}
