package io.trimtab.apiserver.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** An {@code audit.k8s.io/v1} Policy: the first rule that a request fits says how much of it is kept. Immutable. */
public final class AuditPolicy {
    private final List<Rule> rules;
    private final Verdict otherwise;

    /**
     * What is kept of a request.
     *
     * @param omitted stages for which no event is made
     */
    public record Verdict(AuditLevel level, Set<AuditStage> omitted, boolean omitManagedFields) {}

    private record Resources(String group, List<String> resources, List<String> names) {}

    private record Rule(
            Verdict verdict,
            List<String> users,
            List<String> groups,
            List<String> verbs,
            List<String> namespaces,
            List<Resources> resources,
            List<String> paths) {}

    private AuditPolicy(List<Rule> rules, Verdict otherwise) {
        this.rules = List.copyOf(rules);
        this.otherwise = otherwise;
    }

    /**
     * Reads a policy.
     *
     * @param name of the file, for messages
     * @throws IllegalArgumentException if it is none, saying all that is wrong with it
     */
    public static AuditPolicy parse(String name, String text) {
        JsonNode policy;
        try {
            policy = new YAMLMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("failed decoding: " + e.getOriginalMessage() + ": from file " + name, e);
        }
        String version = policy == null ? "" : policy.path("apiVersion").asText("");
        String kind = policy == null ? "" : policy.path("kind").asText("");
        if (policy == null || kind.isEmpty()) {
            throw new IllegalArgumentException(
                    "failed decoding: Object 'Kind' is missing in '" + text.strip() + "': from file " + name);
        }
        if (!version.equals("audit.k8s.io/v1") || !kind.equals("Policy")) {
            throw new IllegalArgumentException("failed decoding: no kind " + FieldErrors.quote(kind)
                    + " is registered for version " + FieldErrors.quote(version) + ": from file " + name);
        }
        FieldErrors errors = new FieldErrors();
        Set<AuditStage> omitted = stages(policy.path("omitStages"), "omitStages", errors);
        boolean omitFields = policy.path("omitManagedFields").asBoolean(false);
        List<Rule> rules = new ArrayList<>();
        for (JsonNode rule : policy.path("rules")) {
            rules.add(rule(rule, "rules[" + rules.size() + "]", omitted, omitFields, errors));
        }
        if (!errors.isEmpty()) {
            List<String> all =
                    errors.list().stream().map(FieldErrors.FieldError::message).toList();
            String joined = all.size() == 1 ? all.get(0) : "[" + String.join(", ", all) + "]";
            throw new IllegalArgumentException(joined + ": from file " + name);
        }
        if (rules.isEmpty()) {
            throw new IllegalArgumentException("loaded illegal policy with 0 rules: from file " + name);
        }
        return new AuditPolicy(rules, new Verdict(AuditLevel.NONE, omitted, omitFields));
    }

    private static Rule rule(
            JsonNode rule, String path, Set<AuditStage> omitted, boolean omitFields, FieldErrors errors) {
        String wanted = rule.path("level").asText("");
        AuditLevel level = Stream.of(AuditLevel.values())
                .filter(l -> l.text().equals(wanted))
                .findFirst()
                .orElse(AuditLevel.NONE);
        if (wanted.isEmpty()) {
            errors.required(path + ".level", "");
        } else if (!level.text().equals(wanted)) {
            errors.notSupported(
                    path + ".level",
                    FieldErrors.text(wanted),
                    Stream.of(AuditLevel.values()).map(AuditLevel::text).toList());
        }
        List<String> paths = texts(rule.path("nonResourceURLs"));
        for (int i = 0; i < paths.size(); i++) {
            String url = paths.get(i);
            if (url.equals("*")) {
                continue;
            }
            if (!url.startsWith("/")) {
                errors.invalid(
                        path + ".nonResourceURLs[" + i + "]",
                        url,
                        "non-resource URL rules must begin with a '/' character");
            }
            if (!url.isEmpty() && url.indexOf('*') >= 0 && url.indexOf('*') < url.length() - 1) {
                errors.invalid(
                        path + ".nonResourceURLs[" + i + "]",
                        url,
                        "non-resource URL wildcards '*' must be the final character of the rule");
            }
        }
        List<Resources> resources = new ArrayList<>();
        for (JsonNode one : rule.path("resources")) {
            Resources read = new Resources(
                    one.path("group").asText(""), texts(one.path("resources")), texts(one.path("resourceNames")));
            List<String> problems = read.group().isEmpty() ? List.of() : Names.subdomain(read.group());
            if (!problems.isEmpty()) {
                errors.invalid(path + ".resources.group", read.group(), String.join(",", problems));
            }
            if (!read.names().isEmpty() && read.resources().isEmpty()) {
                errors.invalid(
                        path + ".resources.resourceNames",
                        one.path("resourceNames"),
                        "using resourceNames requires at least one resource");
            }
            resources.add(read);
        }
        Set<AuditStage> own = EnumSet.noneOf(AuditStage.class);
        own.addAll(omitted);
        own.addAll(stages(rule.path("omitStages"), path + ".omitStages", errors));
        List<String> namespaces = texts(rule.path("namespaces"));
        if (!paths.isEmpty() && (!resources.isEmpty() || !namespaces.isEmpty())) {
            errors.invalid(
                    path + ".nonResourceURLs",
                    rule.path("nonResourceURLs"),
                    "rules cannot apply to both regular resources and non-resource URLs");
        }
        return new Rule(
                new Verdict(level, own, rule.path("omitManagedFields").asBoolean(omitFields)),
                texts(rule.path("users")),
                texts(rule.path("userGroups")),
                texts(rule.path("verbs")),
                namespaces,
                List.copyOf(resources),
                paths);
    }

    private static Set<AuditStage> stages(JsonNode list, String path, FieldErrors errors) {
        Set<AuditStage> stages = EnumSet.noneOf(AuditStage.class);
        int i = 0;
        for (JsonNode one : list) {
            String text = one.asText();
            Stream.of(AuditStage.values())
                    .filter(s -> s.text().equals(text))
                    .findFirst()
                    .ifPresentOrElse(stages::add, errorAt(path + "[" + i + "]", text, errors));
            i++;
        }
        return stages;
    }

    private static Runnable errorAt(String path, String text, FieldErrors errors) {
        return () -> errors.invalid(
                path,
                text,
                "allowed stages are "
                        + Stream.of(AuditStage.values()).map(AuditStage::text).collect(Collectors.joining(",")));
    }

    private static List<String> texts(JsonNode array) {
        List<String> all = new ArrayList<>();
        array.forEach(item -> all.add(item.asText()));
        return List.copyOf(all);
    }

    /** @param user null if nobody knows who asks */
    public Verdict evaluate(RequestInfo info, @Nullable UserInfo user) {
        for (Rule rule : rules) {
            if (matches(rule, info, user)) {
                return rule.verdict();
            }
        }
        return otherwise;
    }

    private static boolean matches(Rule rule, RequestInfo info, @Nullable UserInfo user) {
        if (!rule.users().isEmpty() && (user == null || !rule.users().contains(user.name()))) {
            return false;
        }
        if (!rule.groups().isEmpty() && (user == null || user.groups().stream().noneMatch(rule.groups()::contains))) {
            return false;
        }
        if (!rule.verbs().isEmpty() && !rule.verbs().contains(info.verb())) {
            return false;
        }
        if (!rule.namespaces().isEmpty() || !rule.resources().isEmpty()) {
            return info.resourceRequest() && matchesResource(rule, info);
        }
        if (!rule.paths().isEmpty()) {
            return !info.resourceRequest() && rule.paths().stream().anyMatch(p -> matchesPath(p, info.path()));
        }
        return true;
    }

    private static boolean matchesPath(String rule, String path) {
        return rule.equals("*")
                || rule.equals(path)
                || rule.endsWith("*") && path.startsWith(rule.substring(0, rule.length() - 1));
    }

    private static boolean matchesResource(Rule rule, RequestInfo info) {
        if (!rule.namespaces().isEmpty() && !rule.namespaces().contains(info.namespace())) {
            return false;
        }
        if (rule.resources().isEmpty()) {
            return true;
        }
        String subresource = info.subresource();
        String whole = subresource.isEmpty() ? info.resource() : info.resource() + "/" + subresource;
        for (Resources one : rule.resources()) {
            if (!one.group().equals(info.group())) {
                continue;
            }
            if (one.resources().isEmpty()) {
                return true;
            }
            if (!one.names().isEmpty() && !one.names().contains(info.name())) {
                continue;
            }
            for (String resource : one.resources()) {
                if (resource.equals(whole)
                        || resource.equals("*")
                        || !subresource.isEmpty() && resource.equals("*/" + subresource)
                        || resource.equals(info.resource() + "/*")) {
                    return true;
                }
            }
        }
        return false;
    }
}
