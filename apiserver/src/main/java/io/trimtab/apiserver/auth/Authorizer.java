package io.trimtab.apiserver.auth;

/** Decides whether a user may do something. Safe for use by any thread. */
public interface Authorizer {

    Decision authorize(UserInfo user, Attributes attributes);

    /**
     * What is asked for. Strings are empty where they do not apply.
     *
     * @param resourceRequest false for paths that are no resources; then only verb and path count
     */
    record Attributes(
            String verb,
            String group,
            String version,
            String resource,
            String subresource,
            String namespace,
            String name,
            boolean resourceRequest,
            String path,
            String fieldSelector,
            String labelSelector) {
        public static Attributes path(String verb, String path) {
            return new Attributes(verb, "", "", "", "", "", "", false, path, "", "");
        }

        public static Attributes resource(
                String verb,
                String group,
                String version,
                String resource,
                String subresource,
                String namespace,
                String name) {
            return new Attributes(verb, group, version, resource, subresource, namespace, name, true, "", "", "");
        }
    }

    /** A verdict, and why, for audit and for the person who asked. */
    record Decision(Verdict verdict, String reason) {
        public static final Decision NO_OPINION = new Decision(Verdict.NO_OPINION, "");
    }

    /** The first authorizer with an opinion decides; without any, the answer is no. */
    enum Verdict {
        ALLOW,
        DENY,
        NO_OPINION
    }
}
