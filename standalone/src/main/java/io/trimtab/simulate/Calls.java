package io.trimtab.simulate;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/** Counts who writes what through the server's door. For one thread. */
final class Calls {
    private static final Set<String> WRITES = Set.of("POST", "PUT", "PATCH", "DELETE");

    private final Map<String, Map<String, Integer>> byActor = new LinkedHashMap<>();

    /** Stands between the clients and the server. */
    Function<ApiRequest, ApiResponse> between(Function<ApiRequest, ApiResponse> server) {
        return request -> {
            ApiResponse answer = server.apply(request);
            if (isWrite(request) && answer.code() < 300) {
                RequestInfo info = RequestInfo.of(request);
                String what = info.verb() + " " + info.resource()
                        + (info.subresource().isEmpty() ? "" : "/" + info.subresource());
                byActor.computeIfAbsent(actor(request), a -> new TreeMap<>()).merge(what, 1, Integer::sum);
            }
            return answer;
        };
    }

    static boolean isWrite(ApiRequest request) {
        return WRITES.contains(request.method());
    }

    /** The component that speaks: its user agent, or else its account. */
    static String actor(ApiRequest request) {
        String agent = request.header("user-agent");
        if (agent != null && !agent.isEmpty() && !agent.startsWith("fabric8")) {
            int slash = agent.indexOf('/');
            return slash < 0 ? agent : agent.substring(0, slash);
        }
        UserInfo user = request.peer().trusted();
        String name = user == null ? "somebody" : user.name();
        return name.substring(name.lastIndexOf(':') + 1);
    }

    /** Counts from now on. */
    void reset() {
        byActor.clear();
    }

    /** Who wrote most first. */
    List<Outcome.Writes> all() {
        List<Outcome.Writes> all = new ArrayList<>();
        byActor.forEach((actor, calls) -> all.add(new Outcome.Writes(
                actor, calls.values().stream().mapToInt(Integer::intValue).sum(), new TreeMap<>(calls))));
        all.sort(Comparator.comparingInt(Outcome.Writes::total).reversed().thenComparing(Outcome.Writes::actor));
        return all;
    }
}
