package io.trimtab.apiserver.health;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.discovery.Documents;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@code /livez}, {@code /readyz} and {@code /healthz}: a list of named checks, any of which may fail. Checks are asked
 * anew for each request, on its thread, so they must be quick. Safe for use by any thread.
 */
public final class HealthChecks implements PathHandler {
    private static final Logger log = LoggerFactory.getLogger(HealthChecks.class);

    /** Which question a check is part of the answer to. */
    public enum Endpoint {
        /** Is the process to be restarted? */
        LIVEZ,
        /** Are requests to be sent here? */
        READYZ,
        /** The older question: live and ready at once. */
        HEALTHZ;

        String path() {
            return "/" + name().toLowerCase(Locale.ROOT);
        }
    }

    private record Check(String name, Set<Endpoint> endpoints, BooleanSupplier good) {
        boolean isGood() {
            try {
                return good.getAsBoolean();
            } catch (RuntimeException e) {
                log.warn("Health check failed: check={}", name, e);
                return false;
            }
        }
    }

    /**
     * The steps of a start, under the names that Kubernetes' probes and dashboards know them by. Here all are done, in order, before
     * the first request is served, so that they become good together.
     */
    private static final List<String> START = List.of(
            "poststarthook/start-apiserver-admission-initializer",
            "poststarthook/generic-apiserver-start-informers",
            "poststarthook/priority-and-fairness-config-consumer",
            "poststarthook/priority-and-fairness-filter",
            "poststarthook/storage-object-count-tracker-hook",
            "poststarthook/start-apiextensions-informers",
            "poststarthook/start-apiextensions-controllers",
            "poststarthook/crd-informer-synced",
            "poststarthook/start-system-namespaces-controller",
            "poststarthook/start-cluster-authentication-info-controller",
            "poststarthook/start-kube-apiserver-identity-lease-controller",
            "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
            "poststarthook/start-legacy-token-tracking-controller",
            "poststarthook/start-service-ip-repair-controllers",
            "poststarthook/rbac/bootstrap-roles",
            "poststarthook/scheduling/bootstrap-system-priority-classes",
            "poststarthook/priority-and-fairness-config-producer",
            "poststarthook/bootstrap-controller",
            "poststarthook/start-kubernetes-service-cidr-controller",
            "poststarthook/start-kube-aggregator-informers",
            "poststarthook/apiservice-status-local-available-controller",
            "poststarthook/apiservice-status-remote-available-controller",
            "poststarthook/apiservice-registration-controller",
            "poststarthook/apiservice-discovery-controller",
            "poststarthook/kube-apiserver-autoregistration",
            "autoregister-completion",
            "poststarthook/apiservice-openapi-controller",
            "poststarthook/apiservice-openapiv3-controller");

    private final List<Check> checks = new CopyOnWriteArrayList<>();

    private HealthChecks() {}

    /**
     * The checks that every server has.
     *
     * @param store whether the store answers
     * @param ready whether the server has begun to serve
     * @param shuttingDown whether it is about to stop: then it is live, and not ready
     */
    public static HealthChecks of(BooleanSupplier store, BooleanSupplier ready, BooleanSupplier shuttingDown) {
        HealthChecks checks = new HealthChecks();
        Set<Endpoint> all = EnumSet.allOf(Endpoint.class);
        checks.add("ping", all, () -> true);
        checks.add("log", all, () -> true);
        checks.add("etcd", all, store);
        checks.add("etcd-readiness", EnumSet.of(Endpoint.READYZ), store);
        checks.add("informer-sync", EnumSet.of(Endpoint.READYZ), ready);
        checks.add("shutdown", EnumSet.of(Endpoint.READYZ), () -> !shuttingDown.getAsBoolean());
        return checks;
    }

    /** Adds a check for each step of a start of Kubernetes' server; they are good once {@code started} says so. */
    public void addStart(BooleanSupplier started) {
        START.forEach(step -> add(step, EnumSet.allOf(Endpoint.class), started));
    }

    /** Adds a check, such as {@code poststarthook/rbac/bootstrap-roles}, before the one for the shutdown. */
    public void add(String name, Set<Endpoint> endpoints, BooleanSupplier good) {
        Check check = new Check(name, EnumSet.copyOf(endpoints), good);
        int last = checks.size() - 1;
        if (last >= 0 && checks.get(last).name().equals("shutdown")) {
            checks.add(last, check);
        } else {
            checks.add(check);
        }
    }

    /** All paths, for the index. */
    Set<String> paths() {
        Set<String> paths = new TreeSet<>();
        for (Endpoint endpoint : Endpoint.values()) {
            paths.add(endpoint.path());
            checksOf(endpoint).forEach(c -> paths.add(endpoint.path() + "/" + c.name()));
        }
        return paths;
    }

    private List<Check> checksOf(Endpoint endpoint) {
        return checks.stream().filter(c -> c.endpoints().contains(endpoint)).toList();
    }

    private List<Check> byName() {
        return checks.stream().sorted(Comparator.comparing(Check::name)).toList();
    }

    /** The state of all checks as metrics, for {@code /metrics/slis}. */
    String metrics() {
        StringBuilder text =
                new StringBuilder("# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single"
                        + " healthcheck.\n# TYPE kubernetes_healthcheck gauge\n");
        for (Check check : byName()) {
            for (Endpoint endpoint : check.endpoints().stream()
                    .sorted(Comparator.comparing(Endpoint::path))
                    .toList()) {
                text.append("kubernetes_healthcheck{name=\"")
                        .append(check.name())
                        .append("\",type=\"")
                        .append(endpoint.path(), 1, endpoint.path().length())
                        .append("\"} ")
                        .append(check.isGood() ? 1 : 0)
                        .append('\n');
            }
        }
        return text.toString();
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        for (Endpoint endpoint : Endpoint.values()) {
            if (request.path().equals(endpoint.path())) {
                return Optional.of(all(request, endpoint));
            }
            if (request.path().startsWith(endpoint.path() + "/")) {
                return one(request.path().substring(endpoint.path().length() + 1), endpoint);
            }
        }
        return Optional.empty();
    }

    private Optional<ApiResponse> one(String name, Endpoint endpoint) {
        for (Check check : checksOf(endpoint)) {
            if (check.name().equals(name)) {
                return Optional.of(
                        check.isGood()
                                ? Documents.plain("ok")
                                : Documents.text(500, "internal server error: " + name + " failed\n"));
            }
        }
        return Optional.empty();
    }

    private ApiResponse all(ApiRequest request, Endpoint endpoint) {
        List<String> excluded = new ArrayList<>(request.query().getOrDefault("exclude", List.of()));
        List<String> unknown = new ArrayList<>(excluded);
        StringBuilder lines = new StringBuilder();
        boolean failed = false;
        for (Check check : checksOf(endpoint)) {
            if (excluded.contains(check.name())) {
                unknown.remove(check.name());
                lines.append("[+]").append(check.name()).append(" excluded: ok\n");
            } else if (check.isGood()) {
                lines.append("[+]").append(check.name()).append(" ok\n");
            } else {
                // Why is for the log: whoever may ask whether we are well may not be meant to know more.
                lines.append("[-]").append(check.name()).append(" failed: reason withheld\n");
                failed = true;
            }
        }
        if (!unknown.isEmpty()) {
            lines.append("warn: some health checks cannot be excluded: no matches for ");
            lines.append(String.join(
                    ",", unknown.stream().sorted().map(n -> '"' + n + '"').toList()));
            lines.append('\n');
        }
        String name = endpoint.path().substring(1);
        if (failed) {
            return Documents.text(500, lines + name + " check failed\n");
        }
        return Documents.text(200, isVerbose(request) ? lines + name + " check passed\n" : "ok");
    }

    private static boolean isVerbose(ApiRequest request) {
        Map<String, List<String>> query = request.query();
        return query.containsKey("verbose");
    }
}
