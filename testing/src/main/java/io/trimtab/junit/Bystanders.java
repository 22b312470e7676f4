package io.trimtab.junit;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.controller.ReconcileObserver;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Records what everybody does who is no program under test: the test itself, the cluster's own controllers, its nodes. */
final class Bystanders {
    private static final UserInfo SOMEBODY =
            UserInfo.of("somebody-else", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    private Bystanders() {}

    static void listenIn(Cluster cluster) {
        cluster.parts().apiServer().listenIn(server -> request -> handle(cluster, server, request));
        cluster.parts().observe(new ReconcileObserver() {
            private final ArrayDeque<Integer> outer = new ArrayDeque<>();

            @Override
            public void before(String controller, Request request) {
                History history = cluster.history();
                outer.push(history.enter(history.reconcileUnseen(controller, request.toString())));
            }

            @Override
            public void after(
                    String controller,
                    Request request,
                    @Nullable Result result,
                    @Nullable Throwable failure,
                    Duration took) {
                cluster.history().enter(outer.isEmpty() ? 0 : outer.pop());
            }
        });
    }

    private static ApiResponse handle(Cluster cluster, Function<ApiRequest, ApiResponse> server, ApiRequest request) {
        if (request.method().equals("GET")) {
            return server.apply(request);
        }
        RequestInfo info;
        try {
            info = RequestInfo.of(request);
        } catch (StatusException malformed) {
            return server.apply(request);
        }
        if (!info.resourceRequest() || !Gate.WRITES.contains(info.verb()) || request.queryParameter("dryRun") != null) {
            return server.apply(request);
        }
        boolean test = actor(request).equals("test");
        if (test) {
            cluster.beforeRequest(info, true);
        }
        if (info.resource().equals("leases") || info.resource().equals("events")) {
            return server.apply(request);
        }
        StoredObject before = stored(cluster, info, info.name());
        ApiResponse answer = server.apply(request);
        String name = info.name();
        if (name.isEmpty()
                && info.verb().equals("create")
                && answer instanceof ApiResponse.Whole whole
                && Gate.ok(answer)) {
            name = Gate.text(whole.body(), "metadata", "name");
        }
        StoredObject after = stored(cluster, info, name);
        cluster.history()
                .call(
                        actor(request),
                        info.verb(),
                        History.Target.of(info).named(name),
                        answer.code(),
                        before,
                        after,
                        true,
                        "");
        return answer;
    }

    private static @Nullable StoredObject stored(Cluster cluster, RequestInfo info, String name) {
        return cluster.stored(info.group(), info.version(), info.resource(), info.namespace(), name);
    }

    private static String actor(ApiRequest request) {
        UserInfo user = request.peer().trusted();
        if (user == null) {
            return "somebody";
        }
        String name = user.name();
        return name.equals("admin") ? "test" : name.substring(name.lastIndexOf(':') + 1);
    }

    /** A merge patch by somebody who is nobody in particular. */
    static void patch(Cluster cluster, RequestInfo info, String patch) {
        String path = "/" + info.prefix() + "/" + info.apiVersion()
                + (info.namespace().isEmpty() ? "" : "/namespaces/" + info.namespace())
                + "/" + info.resource() + "/" + info.name();
        handle(
                cluster,
                cluster.parts().apiServer().server()::handle,
                ApiRequest.local(
                        SOMEBODY,
                        "PATCH",
                        path,
                        Map.of("fieldManager", "somebody-else"),
                        "application/merge-patch+json",
                        patch.getBytes(StandardCharsets.UTF_8)));
    }
}
