package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Holds pods to the security level that labels of their namespace set; warns about those who make such pods. */
final class PodSecurity implements AdmissionPlugin {
    private static final String PREFIX = "pod-security.kubernetes.io/";
    private static final Set<String> IGNORED_SUBRESOURCES =
            Set.of("exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status");
    // As Kubernetes: a change of labels must not take long in a namespace with many pods.
    private static final int MAX_PODS = 3000;

    @Override
    public String name() {
        return "PodSecurity";
    }

    @Override
    public void validate(Attributes attributes) {
        boolean writes = attributes.operation() == Operation.CREATE || attributes.operation() == Operation.UPDATE;
        ObjectNode object = attributes.object();
        if (!writes || object == null) {
            return;
        }
        ApiResource resource = attributes.resource();
        if (resource.group().isEmpty() && resource.plural().equals("namespaces")) {
            if (attributes.subresource().isEmpty()) {
                namespace(attributes, object);
            }
            return;
        }
        boolean isPod = resource.group().isEmpty() && resource.plural().equals("pods");
        if (isPod
                ? IGNORED_SUBRESOURCES.contains(attributes.subresource())
                : !attributes.subresource().isEmpty()) {
            return;
        }
        ObjectNode pod = PodTrees.template(resource.group(), resource.plural(), object);
        if (pod != null) {
            pod(attributes, pod, isPod);
        }
    }

    private static void pod(Attributes attributes, ObjectNode pod, boolean enforce) {
        Optional<StoredObject> namespace =
                attributes.context().storage().get(CoreResources.NAMESPACES, null, attributes.namespace());
        if (namespace.isEmpty()) {
            if (enforce) {
                throw Statuses.internal("failed to lookup namespace " + FieldErrors.quote(attributes.namespace()));
            }
            return;
        }
        Policy policy = Policy.of(namespace.get().labels(), new FieldErrors());
        boolean audited = attributes.context().trail().recorder() != null;
        if (policy.enforce.isPrivileged() && policy.warn.isPrivileged() && (!audited || policy.audit.isPrivileged())) {
            if (enforce && audited) {
                annotate(attributes, "enforce-policy", policy.enforce.toString());
            }
            return;
        }
        if (enforce
                && attributes.operation() == Operation.UPDATE
                && attributes.old() != null
                && !isSignificant(pod.path("spec"), attributes.old().path("spec"))) {
            return;
        }
        if (audited) {
            if (enforce) {
                annotate(attributes, "enforce-policy", policy.enforce.toString());
            }
            List<PodSecurityChecks.Violation> violations = policy.audit.check(pod);
            if (!violations.isEmpty()) {
                annotate(
                        attributes,
                        "audit-violations",
                        "would violate PodSecurity " + FieldErrors.quote(policy.audit.toString()) + ": "
                                + PodSecurityChecks.details(violations));
            }
        }
        if (enforce) {
            List<PodSecurityChecks.Violation> violations = policy.enforce.check(pod);
            if (!violations.isEmpty()) {
                throw Refusals.forbidden(
                        attributes,
                        "violates PodSecurity " + FieldErrors.quote(policy.enforce.toString()) + ": "
                                + PodSecurityChecks.details(violations));
            }
        }
        List<PodSecurityChecks.Violation> violations = policy.warn.check(pod);
        if (!violations.isEmpty()) {
            attributes
                    .context()
                    .warnings()
                    .add("would violate PodSecurity " + FieldErrors.quote(policy.warn.toString()) + ": "
                            + PodSecurityChecks.details(violations));
        }
    }

    private static void annotate(Attributes attributes, String key, String value) {
        attributes.context().trail().annotate(PREFIX + key, value);
    }

    /** Only the image of a container can change so that it matters, or an ephemeral container be added. */
    private static boolean isSignificant(JsonNode spec, JsonNode old) {
        for (String list : List.of("containers", "initContainers")) {
            if (spec.path(list).size() != old.path(list).size()) {
                return true;
            }
            for (int i = 0; i < spec.path(list).size(); i++) {
                if (!PodTrees.text(spec.path(list).path(i), "image")
                        .equals(PodTrees.text(old.path(list).path(i), "image"))) {
                    return true;
                }
            }
        }
        Map<String, String> before = new HashMap<>();
        old.path("ephemeralContainers").forEach(c -> before.put(PodTrees.text(c, "name"), PodTrees.text(c, "image")));
        for (JsonNode container : spec.path("ephemeralContainers")) {
            if (!PodTrees.text(container, "image").equals(before.get(PodTrees.text(container, "name")))) {
                return true;
            }
        }
        return false;
    }

    // ---- Namespaces ------------------------------------------------------------------------------------------------

    private static void namespace(Attributes attributes, ObjectNode namespace) {
        FieldErrors errors = new FieldErrors();
        Policy policy = Policy.of(labels(namespace), errors);
        FieldErrors before = new FieldErrors();
        Policy old = attributes.old() == null ? null : Policy.of(labels(attributes.old()), before);
        if (!errors.isEmpty() && (old == null || !errors.list().equals(before.list()))) {
            throw Statuses.invalid("", "Namespace", PodTrees.text(namespace.path("metadata"), "name"), errors);
        }
        if (old == null
                || policy.enforce.equals(old.enforce)
                || policy.enforce.isPrivileged()
                || policy.enforce.minor == old.enforce.minor
                        && policy.enforce.strictness() <= old.enforce.strictness()) {
            return;
        }
        warnAboutPods(attributes, policy.enforce);
    }

    private static void warnAboutPods(Attributes attributes, LevelVersion level) {
        List<StoredObject> pods =
                prioritized(Objects.list(attributes.context().storage(), CoreResources.PODS, attributes.name()));
        int checked = Math.min(pods.size(), MAX_PODS);
        Map<String, List<String>> byReason = new TreeMap<>();
        for (StoredObject pod : pods.subList(0, checked)) {
            List<PodSecurityChecks.Violation> violations = level.check(pod.tree());
            if (!violations.isEmpty()) {
                byReason.computeIfAbsent(PodSecurityChecks.reasons(violations), r -> new ArrayList<>())
                        .add(pod.name());
            }
        }
        List<String> warnings = attributes.context().warnings();
        if (checked < pods.size()) {
            warnings.add("new PodSecurity enforce level only checked against the first " + checked + " of "
                    + pods.size() + " existing pods");
        }
        if (!byReason.isEmpty()) {
            warnings.add("existing pods in namespace " + FieldErrors.quote(attributes.name())
                    + " violate the new PodSecurity enforce level " + FieldErrors.quote(level.toString()));
        }
        Set<String> lines = new TreeSet<>();
        byReason.forEach((reason, names) -> {
            String first = names.stream().min(Comparator.naturalOrder()).orElse("");
            int others = names.size() - 1;
            String more = others == 0 ? "" : others == 1 ? " (and 1 other pod)" : " (and " + others + " other pods)";
            lines.add(first + more + ": " + reason);
        });
        warnings.addAll(lines);
    }

    /** One pod of each controller first: the others are like it. */
    private static List<StoredObject> prioritized(List<StoredObject> pods) {
        List<StoredObject> first = new ArrayList<>();
        List<StoredObject> later = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (StoredObject pod : pods) {
            String controller = "";
            for (JsonNode owner : pod.tree().path("metadata").path("ownerReferences")) {
                if (owner.path("controller").asBoolean(false)) {
                    controller = PodTrees.text(owner, "uid");
                }
            }
            (controller.isEmpty() || seen.add(controller) ? first : later).add(pod);
        }
        first.addAll(later);
        return first;
    }

    private static Map<String, String> labels(ObjectNode object) {
        Map<String, String> labels = new HashMap<>();
        PodTrees.each(object.path("metadata").path("labels"), (key, value) -> labels.put(key, value.asText()));
        return labels;
    }

    /**
     * A level at a version.
     *
     * @param minor of the version; {@link PodSecurityChecks#LATEST} for the newest
     */
    private record LevelVersion(String level, int minor) {
        static final LevelVersion PRIVILEGED = new LevelVersion("privileged", PodSecurityChecks.LATEST);

        boolean isPrivileged() {
            return level.equals("privileged");
        }

        int strictness() {
            return List.of("privileged", "baseline", "restricted").indexOf(level);
        }

        List<PodSecurityChecks.Violation> check(JsonNode pod) {
            return isPrivileged() ? List.of() : PodSecurityChecks.check(pod, level.equals("restricted"), minor);
        }

        @Override
        public String toString() {
            return level + ":" + (minor == PodSecurityChecks.LATEST ? "latest" : "v1." + minor);
        }
    }

    /** What a namespace's labels say. */
    private record Policy(LevelVersion enforce, LevelVersion audit, LevelVersion warn) {
        private static final Pattern VERSION = Pattern.compile("v1\\.([0-9]|[1-9][0-9]{1,6})");

        static Policy of(Map<String, String> labels, FieldErrors errors) {
            LevelVersion enforce = read(labels, "enforce", "restricted", errors);
            LevelVersion audit = read(labels, "audit", "privileged", errors);
            LevelVersion warn = read(labels, "warn", "privileged", errors);
            String asked = labels.get(PREFIX + "enforce");
            boolean valid = asked != null && enforce.level.equals(asked);
            if (!labels.containsKey(PREFIX + "warn") && valid && enforce.strictness() > warn.strictness()) {
                int minor = labels.containsKey(PREFIX + "warn-version") ? warn.minor : enforce.minor;
                warn = new LevelVersion(enforce.level, minor);
            }
            return new Policy(enforce, audit, warn);
        }

        /** What cannot be read counts as the fallback, and is an error. */
        private static LevelVersion read(Map<String, String> labels, String mode, String fallback, FieldErrors errors) {
            String level = labels.getOrDefault(PREFIX + mode, "privileged");
            if (new LevelVersion(level, 0).strictness() < 0) {
                errors.invalid(
                        "metadata.labels[" + PREFIX + mode + "]",
                        level,
                        "must be one of privileged, baseline, restricted");
                level = fallback;
            }
            String version = labels.getOrDefault(PREFIX + mode + "-version", "latest");
            Matcher match = VERSION.matcher(version);
            if (match.matches()) {
                return new LevelVersion(level, Integer.parseInt(match.group(1)));
            }
            if (!version.equals("latest")) {
                errors.invalid(
                        "metadata.labels[" + PREFIX + mode + "-version]", version, "must be \"latest\" or \"v1.x\"");
            }
            return new LevelVersion(level, PodSecurityChecks.LATEST);
        }
    }
}
