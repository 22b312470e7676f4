package io.trimtab.apiserver;

import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.rest.Authorization;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Lets a user act as another, if they may (apiserver, endpoints/filters/impersonation.go). Stateless. */
final class Impersonation {
    private static final String EXTRA = "impersonate-extra-";
    private static final String SERVICE_ACCOUNT = "system:serviceaccount:";
    private static final String AUTHENTICATION = "authentication.k8s.io";

    private Impersonation() {}

    /**
     * The user as whom the request is to be served; {@code real} if it does not ask for another.
     *
     * @throws io.trimtab.apiserver.errors.StatusException 403, and 500 if what is asked for makes no sense
     */
    static UserInfo apply(ApiRequest request, UserInfo real, Authorizer authorizer) {
        String name = request.header("impersonate-user");
        List<String> groups = request.headers().getOrDefault("impersonate-group", List.of());
        String uid = request.header("impersonate-uid");
        Map<String, List<String>> extra = extra(request);
        if (name == null || name.isEmpty()) {
            if (groups.isEmpty() && extra.isEmpty() && uid == null) {
                return real;
            }
            throw Statuses.internal("requested [" + asked(groups, extra, uid) + "] without impersonating a user");
        }
        String[] account = name.startsWith(SERVICE_ACCOUNT)
                ? name.substring(SERVICE_ACCOUNT.length()).split(":", -1)
                : new String[0];
        boolean isAccount = account.length == 2;
        Authorization.check(
                authorizer,
                real,
                isAccount
                        ? Authorizer.Attributes.resource(
                                "impersonate", "", "v1", "serviceaccounts", "", account[0], account[1])
                        : Authorizer.Attributes.resource("impersonate", "", "v1", "users", "", "", name));
        for (String group : groups) {
            Authorization.check(
                    authorizer, real, Authorizer.Attributes.resource("impersonate", "", "v1", "groups", "", "", group));
        }
        extra.forEach((key, values) -> values.forEach(value -> Authorization.check(
                authorizer,
                real,
                Authorizer.Attributes.resource("impersonate", AUTHENTICATION, "v1", "userextras", key, "", value))));
        if (uid != null && !uid.isEmpty()) {
            Authorization.check(
                    authorizer,
                    real,
                    Authorizer.Attributes.resource("impersonate", AUTHENTICATION, "v1", "uids", "", "", uid));
        }
        List<String> all = new ArrayList<>(groups);
        if (groups.isEmpty() && isAccount) {
            all.add("system:serviceaccounts");
            all.add("system:serviceaccounts:" + account[0]);
        }
        String implied =
                name.equals(UserInfo.ANONYMOUS_NAME) ? UserInfo.UNAUTHENTICATED_GROUP : UserInfo.AUTHENTICATED_GROUP;
        if (!all.contains(UserInfo.AUTHENTICATED_GROUP) && !all.contains(UserInfo.UNAUTHENTICATED_GROUP)) {
            all.add(implied);
        }
        return new UserInfo(name, uid == null ? "" : uid, all, extra);
    }

    private static Map<String, List<String>> extra(ApiRequest request) {
        Map<String, List<String>> extra = new LinkedHashMap<>(2);
        request.headers().forEach((header, values) -> {
            if (header.startsWith(EXTRA)) {
                extra.put(decode(header.substring(EXTRA.length())), values);
            }
        });
        return extra;
    }

    private static String decode(String key) {
        try {
            return URLDecoder.decode(key.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return key; // what is no escape stands for itself
        }
    }

    private static String asked(
            List<String> groups, Map<String, List<String>> extra, @org.jspecify.annotations.Nullable String uid) {
        List<String> parts = new ArrayList<>();
        groups.forEach(g -> parts.add("{Group  " + g + "    }"));
        extra.forEach((k, values) ->
                values.forEach(v -> parts.add("{UserExtra  " + v + "  " + AUTHENTICATION + "/v1 " + k + " }")));
        if (uid != null) {
            parts.add("{UID  " + uid + "  " + AUTHENTICATION + "/v1  }");
        }
        return String.join(" ", parts);
    }
}
