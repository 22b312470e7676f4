package io.trimtab.apiserver.health;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.Accept;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.discovery.Documents;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.rest.Representation;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Serves {@code /version}: the version of Kubernetes whose behaviour this is. Immutable. */
public final class Version implements PathHandler {
    /** As clients compare it. */
    public static final String GIT_VERSION = "v1.34.4";

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        if (!request.path().equals("/version") && !request.path().equals("/version/")) {
            return Optional.empty();
        }
        if (!request.method().equals("GET")) {
            throw Statuses.methodNotAllowed();
        }
        Representation.route(Accept.of(request), List.of("application/json"));
        return Optional.of(Documents.whole("application/json", Documents.pretty(document())));
    }

    private static ObjectNode document() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("major", "1")
                .put("minor", "34")
                .put("emulationMajor", "1")
                .put("emulationMinor", "34")
                .put("minCompatibilityMajor", "1")
                .put("minCompatibilityMinor", "33")
                .put("gitVersion", GIT_VERSION)
                .put("gitCommit", "")
                .put("gitTreeState", "clean")
                .put("buildDate", "1970-01-01T00:00:00Z")
                .put("goVersion", "java" + Runtime.version().feature())
                .put("compiler", "javac")
                .put("platform", "linux/" + architecture());
    }

    /** In Go's words. */
    private static String architecture() {
        String name = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return switch (name) {
            case "x86_64", "amd64" -> "amd64";
            case "aarch64", "arm64" -> "arm64";
            default -> name;
        };
    }
}
