package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Asking the authorizer, for the user of the request or for a service account. Stateless. */
final class AuthorizerLibrary {
    static final CelType AUTHORIZER = CelType.struct("kubernetes.authorization.Authorizer");
    static final CelType PATH = CelType.struct("kubernetes.authorization.PathCheck");
    static final CelType GROUP = CelType.struct("kubernetes.authorization.GroupCheck");
    static final CelType RESOURCE = CelType.struct("kubernetes.authorization.ResourceCheck");
    static final CelType DECISION = CelType.struct("kubernetes.authorization.Decision");

    private AuthorizerLibrary() {}

    record Asker(Authorizer authorizer, UserInfo user) implements Values.Opaque {
        @Override
        public CelType celType() {
            return AUTHORIZER;
        }
    }

    record PathCheck(Asker asker, String path) implements Values.Opaque {
        @Override
        public CelType celType() {
            return PATH;
        }
    }

    record GroupCheck(Asker asker, String group) implements Values.Opaque {
        @Override
        public CelType celType() {
            return GROUP;
        }
    }

    record ResourceCheck(
            Asker asker,
            String group,
            String resource,
            String subresource,
            String namespace,
            String name,
            String fieldSelector,
            String labelSelector)
            implements Values.Opaque {
        @Override
        public CelType celType() {
            return RESOURCE;
        }
    }

    record Answer(Authorizer.Decision decision) implements Values.Opaque {
        @Override
        public CelType celType() {
            return DECISION;
        }
    }

    static void declare(Libraries to) {
        CelType string = CelType.STRING;
        to.add(
                "path",
                Overload.member(
                        "authorizer_path",
                        PATH,
                        a -> new PathCheck((Asker) a[0], required((String) a[1], "path")),
                        AUTHORIZER,
                        string));
        to.add(
                "group",
                Overload.member(
                        "authorizer_group",
                        GROUP,
                        a -> new GroupCheck((Asker) a[0], (String) a[1]),
                        AUTHORIZER,
                        string));
        to.add(
                "serviceAccount",
                Overload.member(
                        "authorizer_serviceaccount",
                        AUTHORIZER,
                        a -> serviceAccount((Asker) a[0], (String) a[1], (String) a[2]),
                        AUTHORIZER,
                        string,
                        string));
        to.add(
                "resource",
                Overload.member(
                        "groupcheck_resource",
                        RESOURCE,
                        a -> new ResourceCheck(
                                ((GroupCheck) a[0]).asker(),
                                ((GroupCheck) a[0]).group(),
                                required((String) a[1], "resource"),
                                "",
                                "",
                                "",
                                "",
                                ""),
                        GROUP,
                        string));
        for (String part : List.of("subresource", "namespace", "name", "fieldSelector", "labelSelector")) {
            String id = part.endsWith("Selector")
                    ? "authorizer_" + part.toLowerCase(java.util.Locale.ROOT)
                    : "resourcecheck_" + part;
            to.add(
                    part,
                    Overload.member(
                            id, RESOURCE, a -> with((ResourceCheck) a[0], part, (String) a[1]), RESOURCE, string));
        }
        to.add(
                "check",
                Overload.member("pathcheck_check", DECISION, a -> check((PathCheck) a[0], (String) a[1]), PATH, string),
                Overload.member(
                        "resourcecheck_check",
                        DECISION,
                        a -> check((ResourceCheck) a[0], (String) a[1]),
                        RESOURCE,
                        string));
        to.add("errored", Overload.member("decision_errored", CelType.BOOL, a -> false, DECISION));
        to.add("error", Overload.member("decision_error", string, a -> "", DECISION));
        to.add(
                "allowed",
                Overload.member(
                        "decision_allowed",
                        CelType.BOOL,
                        a -> ((Answer) a[0]).decision().verdict() == Authorizer.Verdict.ALLOW,
                        DECISION));
        to.add(
                "reason",
                Overload.member(
                        "decision_reason",
                        string,
                        a -> ((Answer) a[0]).decision().reason(),
                        DECISION));
    }

    private static String required(String text, String what) {
        if (text.isBlank()) {
            throw new CelException(what + " must not be empty");
        }
        return text;
    }

    private static Asker serviceAccount(Asker asker, String namespace, String name) {
        if (!io.trimtab.apiserver.kinds.Names.subdomain(name).isEmpty()) {
            throw new CelException("Invalid service account name");
        }
        if (!io.trimtab.apiserver.kinds.Names.label(namespace).isEmpty()) {
            throw new CelException("Invalid service account namespace");
        }
        List<String> groups = new ArrayList<>();
        groups.add("system:serviceaccounts");
        groups.add("system:serviceaccounts:" + namespace);
        groups.add(UserInfo.AUTHENTICATED_GROUP);
        return new Asker(
                asker.authorizer(),
                new UserInfo("system:serviceaccount:" + namespace + ":" + name, "", groups, Map.of()));
    }

    private static ResourceCheck with(ResourceCheck c, String part, String value) {
        return new ResourceCheck(
                c.asker(),
                c.group(),
                c.resource(),
                part.equals("subresource") ? value : c.subresource(),
                part.equals("namespace") ? value : c.namespace(),
                part.equals("name") ? value : c.name(),
                part.equals("fieldSelector") ? value : c.fieldSelector(),
                part.equals("labelSelector") ? value : c.labelSelector());
    }

    private static Answer check(PathCheck check, String verb) {
        return ask(check.asker(), Authorizer.Attributes.path(verb, check.path()));
    }

    private static Answer check(ResourceCheck c, String verb) {
        return ask(
                c.asker(),
                new Authorizer.Attributes(
                        verb,
                        c.group(),
                        "*",
                        c.resource(),
                        c.subresource(),
                        c.namespace(),
                        c.name(),
                        true,
                        "",
                        c.fieldSelector(),
                        c.labelSelector()));
    }

    private static Answer ask(Asker asker, Authorizer.Attributes attributes) {
        return new Answer(asker.authorizer().authorize(asker.user(), attributes));
    }
}
