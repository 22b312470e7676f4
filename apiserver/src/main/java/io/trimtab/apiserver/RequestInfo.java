package io.trimtab.apiserver;

import io.trimtab.apiserver.auth.PlainError;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a request asks for, read from its method, path and query alone: the same parsing that authorization, admission and audit
 * of Kubernetes rely on. Strings are empty where they do not apply. Immutable.
 *
 * @param resourceRequest false for paths that are no resources; then only {@code verb} and {@code path} are set
 * @param verb {@code get, list, watch, create, update, patch, delete, deletecollection}; the method in lower case if this is no
 *     resource request; empty for a method that no resource knows
 * @param prefix {@code api} or {@code apis}
 * @param parts the path from the resource on
 */
public record RequestInfo(
        boolean resourceRequest,
        String path,
        String verb,
        String prefix,
        String group,
        String version,
        String namespace,
        String resource,
        String subresource,
        String name,
        List<String> parts) {

    private static final Set<String> NAMESPACE_SUBRESOURCES = Set.of("status", "finalize");
    private static final Set<String> LONG_RUNNING_SUBRESOURCES =
            Set.of("attach", "exec", "proxy", "log", "portforward");

    public RequestInfo {
        parts = List.copyOf(parts);
    }

    /** Reads a request. */
    public static RequestInfo of(ApiRequest request) {
        String path = request.path();
        List<String> parts = split(path);
        String prefix = parts.isEmpty() ? "" : parts.get(0);
        boolean legacy = prefix.equals("api");
        int needed = legacy ? 3 : 4;
        if (parts.size() < needed || !legacy && !prefix.equals("apis")) {
            return nonResource(request, path);
        }
        int at = 1;
        String group = legacy ? "" : parts.get(at++);
        String version = parts.get(at++);
        String verb;
        String first = parts.get(at);
        if (first.equals("watch") || first.equals("proxy")) {
            if (parts.size() - at < 2) {
                throw new PlainError("Internal Server Error: " + FieldErrors.quote(request.target())
                        + ": failed to create RequestInfo: unable to determine kind and namespace from url, " + path);
            }
            verb = first;
            at++;
        } else {
            verb = switch (request.method()) {
                case "POST" -> "create";
                case "GET", "HEAD" -> "get";
                case "PUT" -> "update";
                case "PATCH" -> "patch";
                case "DELETE" -> "delete";
                default -> "";
            };
        }
        List<String> rest = parts.subList(at, parts.size());
        String namespace = "";
        if (rest.get(0).equals("namespaces") && rest.size() > 1) {
            namespace = rest.get(1);
            // A third part is a resource inside the namespace, unless it is one of the namespace's own subresources.
            if (rest.size() > 2 && !NAMESPACE_SUBRESOURCES.contains(rest.get(2))) {
                rest = rest.subList(2, rest.size());
            }
        }
        String resource = rest.get(0);
        String name = rest.size() > 1 ? rest.get(1) : "";
        String subresource = rest.size() > 2 && !verb.equals("proxy") ? rest.get(2) : "";
        if (name.isEmpty() && (verb.equals("get") || verb.equals("watch"))) {
            if (verb.equals("get")) {
                verb = isWatch(request) ? "watch" : "list";
            }
            name = nameOfFieldSelector(request.queryParameter("fieldSelector"));
        } else if (name.isEmpty() && verb.equals("delete")) {
            verb = "deletecollection";
        }
        return new RequestInfo(true, path, verb, prefix, group, version, namespace, resource, subresource, name, rest);
    }

    /** True if the {@code watch} parameter asks for a watch: it is there, and neither {@code false} nor {@code 0}. */
    static boolean isWatch(ApiRequest request) {
        String value = request.queryParameter("watch");
        return value != null && !value.equalsIgnoreCase("false") && !value.equals("0");
    }

    /** True if the reply may take as long as it likes. */
    public boolean longRunning() {
        return verb.equals("watch") || verb.equals("proxy") || LONG_RUNNING_SUBRESOURCES.contains(subresource);
    }

    /** {@code v1} or {@code apps/v1}. */
    public String apiVersion() {
        return group.isEmpty() ? version : group + "/" + version;
    }

    /** True if the path itself holds a name (and not just a field selector). */
    public boolean named() {
        return parts.size() > 1;
    }

    private static RequestInfo nonResource(ApiRequest request, String path) {
        return new RequestInfo(
                false,
                path,
                request.method().toLowerCase(java.util.Locale.ROOT),
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                List.of());
    }

    private static List<String> split(String path) {
        List<String> parts = new ArrayList<>(8);
        int end = path.length();
        int at = 0;
        while (at < end && path.charAt(at) == '/') {
            at++;
        }
        while (end > at && path.charAt(end - 1) == '/') {
            end--;
        }
        while (at < end) {
            int slash = path.indexOf('/', at);
            if (slash < 0 || slash > end) {
                slash = end;
            }
            parts.add(path.substring(at, slash));
            at = slash + 1;
        }
        return parts;
    }

    /** So that rules that name objects also hold for lists and watches of one object. */
    private static String nameOfFieldSelector(@org.jspecify.annotations.Nullable String selector) {
        if (selector == null || selector.indexOf("metadata.name") < 0) {
            return "";
        }
        for (String term : selector.split(",")) {
            int eq = term.indexOf('=');
            if (eq > 0 && term.charAt(eq - 1) != '!' && term.substring(0, eq).equals("metadata.name")) {
                String value = term.substring(eq + (term.startsWith("==", eq) ? 2 : 1));
                boolean segment =
                        !value.equals(".") && !value.equals("..") && value.indexOf('/') < 0 && value.indexOf('%') < 0;
                return segment ? value : "";
            }
        }
        return "";
    }
}
