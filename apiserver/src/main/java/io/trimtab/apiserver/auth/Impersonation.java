package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.kinds.Names;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Lets a user act as another, if it may. Stateless. */
public final class Impersonation {
    private static final String USER = "impersonate-user";
    private static final String GROUP = "impersonate-group";
    private static final String UID = "impersonate-uid";
    private static final String EXTRA_PREFIX = "impersonate-extra-";
    private static final String AUTHENTICATION_GROUP = "authentication.k8s.io";
    private static final String SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:";

    private Impersonation() {}

    /**
     * The user that the request's headers ask for, or the user itself if they ask for none.
     *
     * @throws StatusException 403 if the user may not act as the other, 500 if groups, uid or extra come without a user
     */
    public static UserInfo resolve(UserInfo user, ApiRequest request, Authorizer authorizer) {
        List<Wanted> wanted = new ArrayList<>();
        String name = first(request, USER);
        String[] account = serviceAccount(name);
        if (account != null) {
            wanted.add(new Wanted("ServiceAccount", "", "", "serviceaccounts", "", account[0], account[1]));
        } else if (!name.isEmpty()) {
            wanted.add(new Wanted("User", "", "", "users", "", "", name));
        }
        List<String> askedGroups = request.headers().getOrDefault(GROUP, List.of());
        askedGroups.forEach(g -> wanted.add(new Wanted("Group", "", "", "groups", "", "", g)));
        Map<String, List<String>> extra = extra(request);
        extra.forEach((key, values) -> values.forEach(value ->
                wanted.add(new Wanted("UserExtra", AUTHENTICATION_GROUP, "v1", "userextras", key, "", value))));
        String uid = first(request, UID);
        if (!uid.isEmpty()) {
            wanted.add(new Wanted("UID", AUTHENTICATION_GROUP, "v1", "uids", "", "", uid));
        }
        if (wanted.isEmpty()) {
            return user;
        }
        if (name.isEmpty()) {
            throw new PlainError("Internal Server Error: " + FieldErrors.quote(request.target()) + ": requested "
                    + shown(wanted) + " without impersonating a user");
        }
        for (Wanted one : wanted) {
            Authorizer.Attributes attributes = Authorizer.Attributes.resource(
                    "impersonate", one.group, one.version, one.resource, one.subresource, one.namespace, one.name);
            Authorizer.Decision decision = authorizer.authorize(user, attributes);
            if (decision.verdict() != Authorizer.Verdict.ALLOW) {
                throw AccessDenied.atTheDoor(user, attributes, decision.reason());
            }
        }
        List<String> groups = new ArrayList<>(askedGroups);
        if (account != null && askedGroups.isEmpty()) {
            groups.add("system:serviceaccounts");
            groups.add("system:serviceaccounts:" + account[0]);
        }
        return new UserInfo(name, uid, completed(name, groups), extra);
    }

    /** As Go prints a list: without commas. */
    private static String shown(List<Wanted> wanted) {
        return wanted.stream().map(Wanted::toString).collect(Collectors.joining(" ", "[", "]"));
    }

    private static List<String> completed(String name, List<String> groups) {
        if (name.equals(UserInfo.ANONYMOUS_NAME)) {
            if (!groups.contains(UserInfo.UNAUTHENTICATED_GROUP)) {
                groups.add(UserInfo.UNAUTHENTICATED_GROUP);
            }
        } else if (!groups.contains(UserInfo.AUTHENTICATED_GROUP) && !groups.contains(UserInfo.UNAUTHENTICATED_GROUP)) {
            groups.add(UserInfo.AUTHENTICATED_GROUP);
        }
        return groups;
    }

    private static String first(ApiRequest request, String header) {
        String value = request.header(header);
        return value == null ? "" : value;
    }

    private static Map<String, List<String>> extra(ApiRequest request) {
        // Sorted, so that the first refusal is the same each time.
        Map<String, List<String>> extra = new TreeMap<>();
        request.headers().forEach((header, values) -> {
            if (header.startsWith(EXTRA_PREFIX)) {
                extra.computeIfAbsent(decoded(header.substring(EXTRA_PREFIX.length())), k -> new ArrayList<>())
                        .addAll(values);
            }
        });
        return new LinkedHashMap<>(extra);
    }

    /** Percent-encoded bytes decoded; the text itself if they are malformed. */
    private static String decoded(String key) {
        if (key.indexOf('%') < 0) {
            return key;
        }
        try {
            // A plus is a plus in a header.
            return java.net.URLDecoder.decode(key.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return key;
        }
    }

    /** Namespace and name if the user name is that of a service account, else null. */
    static String @org.jspecify.annotations.Nullable [] serviceAccount(String user) {
        if (!user.startsWith(SERVICE_ACCOUNT_PREFIX)) {
            return null;
        }
        String[] parts = user.substring(SERVICE_ACCOUNT_PREFIX.length()).split(":", -1);
        // What could not be the name of an account is the name of a user, and needs the right to be that user.
        return parts.length == 2
                        && Names.label(parts[0]).isEmpty()
                        && Names.subdomain(parts[1]).isEmpty()
                ? parts
                : null;
    }

    private record Wanted(
            String kind,
            String group,
            String version,
            String resource,
            String subresource,
            String namespace,
            String name) {
        @Override
        public String toString() {
            String api = group.isEmpty() ? "" : group + "/" + version;
            return "{" + String.join(" ", kind, namespace, name, "", api, "", subresource) + "}";
        }
    }
}
