package io.trimtab.benchmarks.micro;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** An API server with all its admission, authorization and validation, on a store in memory, with 1,000 pods. */
@State(Scope.Benchmark)
public class ServerState {
    static final String PODS = "/api/v1/namespaces/default/pods";
    private static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    private final Driver driver = RealDriver.create("benchmark");
    final ApiServerInstance server = ApiServerInstance.start(ApiServerOptions.IN_MEMORY, driver);

    @Setup(Level.Trial)
    public void fill() {
        send(
                "POST",
                "/api/v1/namespaces/default/serviceaccounts",
                Map.of(),
                "application/json",
                Samples.bytes(
                        "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"default\"}}"));
        for (int i = 0; i < 1000; i++) {
            send("POST", PODS, Map.of(), "application/json", Samples.pod("pod-" + i, i % 100));
        }
    }

    /** Answers, or fails with what the server says. */
    ApiResponse send(String method, String path, Map<String, String> query, @Nullable String type, byte[] body) {
        ApiResponse response = server.server().handle(ApiRequest.local(ADMIN, method, path, query, type, body));
        if (response.code() >= 300) {
            String why =
                    response instanceof ApiResponse.Whole whole ? new String(whole.body(), StandardCharsets.UTF_8) : "";
            throw new IllegalStateException(method + " " + path + ": " + response.code() + " " + why);
        }
        return response;
    }

    @TearDown(Level.Trial)
    public void close() {
        server.close();
        driver.close();
    }
}
