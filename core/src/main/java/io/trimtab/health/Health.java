package io.trimtab.health;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a program says of itself: checks by name, for liveness ({@code /livez}, {@code /healthz}: restart me if one fails) and for
 * readiness ({@code /readyz}: send me no requests while one fails). Answers as Kubernetes' own components do, with
 * {@code ?verbose} for the list and {@code /readyz/NAME} for one check. Safe for use by any thread.
 *
 * @since 0.1
 */
public final class Health {
    private static final Logger log = LoggerFactory.getLogger(Health.class);

    /** One thing to look at. Quick, and called often. */
    @FunctionalInterface
    public interface Check {
        /** What is wrong; empty if nothing is. */
        Optional<String> problem();
    }

    /** An answer in plain text. */
    public record Answer(int code, String text) {}

    private final Map<String, Check> liveness = new ConcurrentSkipListMap<>();
    private final Map<String, Check> readiness = new ConcurrentSkipListMap<>();

    /** Adds a check for liveness, or replaces the one of this name. */
    public Health live(String name, Check check) {
        liveness.put(name, check);
        return this;
    }

    /** Adds a check for readiness, or replaces the one of this name. */
    public Health ready(String name, Check check) {
        readiness.put(name, check);
        return this;
    }

    /** Whether all checks of readiness, and of liveness, are passed. */
    public boolean isReady() {
        return answer("/readyz", false).code() == 200;
    }

    /**
     * Answers a request.
     *
     * @param path one of {@code /healthz}, {@code /livez}, {@code /readyz}, or a check below it
     * @param verbose list the checks even if all are passed
     */
    public Answer answer(String path, boolean verbose) {
        String[] parts = path.split("/", 3);
        String end = parts.length > 1 ? parts[1] : "";
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("ping", Optional::empty);
        switch (end) {
            case "healthz", "livez" -> checks.putAll(liveness);
            case "readyz" -> {
                checks.putAll(liveness);
                checks.putAll(readiness);
            }
            default -> {
                return new Answer(404, "not found\n");
            }
        }
        if (parts.length == 3 && !parts[2].isEmpty()) {
            Check one = checks.get(parts[2]);
            if (one == null) {
                return new Answer(404, "no check " + parts[2] + "\n");
            }
            checks = Map.of(parts[2], one);
        }
        return report(end, checks, verbose);
    }

    private static Answer report(String end, Map<String, Check> checks, boolean verbose) {
        StringBuilder text = new StringBuilder();
        boolean failed = false;
        for (Map.Entry<String, Check> check : checks.entrySet()) {
            Optional<String> problem = look(check.getKey(), check.getValue());
            failed |= problem.isPresent();
            text.append(problem.isPresent() ? "[-]" : "[+]")
                    .append(check.getKey())
                    .append(problem.map(p -> " failed: " + p).orElse(" ok"))
                    .append('\n');
        }
        if (failed) {
            return new Answer(500, text + end + " check failed\n");
        }
        return new Answer(200, verbose ? text + end + " check passed\n" : "ok");
    }

    private static Optional<String> look(String name, Check check) {
        try {
            return check.problem();
        } catch (RuntimeException e) {
            log.warn("Health check threw: check={}", name, e);
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }
}
