package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.schema.GoJsonSyntax;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides by the lines of a policy file, each an object that names a user or a group and what they may do
 * (pkg/auth/authorizer/abac). Nobody is refused: where no line fits, others decide. Immutable.
 */
public final class AbacAuthorizer implements Authorizer, RuleResolver {
    private static final Logger LOG = LoggerFactory.getLogger(AbacAuthorizer.class);
    private static final String GROUP = "abac.authorization.kubernetes.io/";
    private static final Set<String> READ_VERBS = Set.of("get", "list", "watch");
    private static final Decision NOTHING_FITS = new Decision(Verdict.NO_OPINION, "No policy matched.");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> STRINGS_AND_A_SWITCH = types("user", "group", "resource", "namespace");
    private static final Map<String, String> SPEC =
            types("user", "group", "apiGroup", "resource", "namespace", "nonResourcePath");

    /** One line. Empty strings fit nothing, but the empty group of an API, which is the core's. */
    private record Policy(
            String user,
            String group,
            boolean readOnly,
            String apiGroup,
            String resource,
            String namespace,
            String path) {

        boolean isOf(UserInfo asker) {
            if (user.isEmpty() && group.isEmpty()) {
                return false;
            }
            return (user.isEmpty() || user.equals(asker.name()))
                    && (group.isEmpty() || asker.groups().contains(group));
        }

        boolean allows(Attributes asked) {
            if (readOnly && !READ_VERBS.contains(asked.verb())) {
                return false;
            }
            return asked.resourceRequest()
                    ? fits(namespace, asked.namespace())
                            && fits(resource, asked.resource())
                            && fits(apiGroup, asked.group())
                    : fitsPath(asked.path());
        }

        private static boolean fits(String wanted, String found) {
            return wanted.equals("*") || wanted.equals(found);
        }

        private boolean fitsPath(String found) {
            if (path.equals(found)) {
                return true;
            }
            int end = path.length();
            while (end > 0 && path.charAt(end - 1) == '*') {
                end--;
            }
            return end < path.length() && found.startsWith(path.substring(0, end));
        }
    }

    private final List<Policy> policies;

    private AbacAuthorizer(List<Policy> policies) {
        this.policies = List.copyOf(policies);
    }

    /**
     * Reads a policy file.
     *
     * @param path as messages name it
     * @throws IllegalArgumentException in Kubernetes' words, naming the line, if one is no policy
     */
    public static AbacAuthorizer parse(String path, String text) {
        List<Policy> policies = new ArrayList<>();
        boolean unversioned = false;
        int number = 0;
        for (String line : text.split("\n")) {
            number++;
            String found = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
            if (found.isBlank() || found.strip().startsWith("#")) {
                continue;
            }
            try {
                JsonNode policy = read(found);
                boolean beta = isBeta(policy);
                unversioned |= !beta;
                policies.add(beta ? beta(policy) : unversioned(policy));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "error reading policy file " + path + ", line " + number + ": " + found + ": " + e.getMessage(),
                        e);
            }
        }
        if (unversioned) {
            LOG.warn("policy file {} has lines without a version: give them one", path);
        }
        return new AbacAuthorizer(policies);
    }

    private static JsonNode read(String line) {
        JsonNode policy;
        try {
            policy = line.startsWith("{") ? JSON.readTree(line) : new YAMLMapper().readTree(line);
        } catch (JsonProcessingException e) {
            String why = line.startsWith("{")
                    ? GoJsonSyntax.explain(line.getBytes(StandardCharsets.UTF_8))
                    : String.valueOf(e.getOriginalMessage());
            throw new IllegalArgumentException("couldn't get version/kind; json parse error: " + why, e);
        }
        if (!policy.isObject()) {
            throw new IllegalArgumentException("couldn't get version/kind; json parse error: json: cannot unmarshal "
                    + typeOf(policy) + " into Go value of type struct { APIVersion string"
                    + " \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }");
        }
        return policy;
    }

    /** Whether it says that it is of v1beta1; what says nothing, or v0, is of the format before there were versions. */
    private static boolean isBeta(JsonNode policy) {
        String version = policy.path("apiVersion").asText("");
        String kind = policy.path("kind").asText("");
        if (version.equals(GROUP + "v1beta1")) {
            if (kind.isEmpty()) {
                throw new IllegalArgumentException("converting (v1beta1.Policy) to (v0.Policy): unknown conversion");
            }
            if (kind.equals("Policy")) {
                return true;
            }
        }
        boolean known = version.isEmpty() || version.equals(GROUP + "v0");
        if (!known || !kind.isEmpty() && !kind.equals("Policy")) {
            throw new IllegalArgumentException("no kind " + FieldErrors.quote(kind.isEmpty() ? "Policy" : kind)
                    + " is registered for version " + FieldErrors.quote(version.isEmpty() ? GROUP + "v0" : version)
                    + " in scheme \"pkg/runtime/scheme.go:110\"");
        }
        return false;
    }

    private static Policy beta(JsonNode policy) {
        JsonNode spec = policy.path("spec");
        if (!spec.isMissingNode() && !spec.isNull() && !spec.isObject()) {
            throw new IllegalArgumentException("json: cannot unmarshal " + typeOf(spec)
                    + " into Go struct field Policy.spec of type v1beta1.PolicySpec");
        }
        check(spec, SPEC, "PolicySpec.spec.");
        boolean anybody = text(spec, "user").equals("*") || text(spec, "group").equals("*");
        return new Policy(
                anybody ? "" : text(spec, "user"),
                anybody ? UserInfo.AUTHENTICATED_GROUP : text(spec, "group"),
                spec.path("readonly").asBoolean(),
                text(spec, "apiGroup"),
                text(spec, "resource"),
                text(spec, "namespace"),
                text(spec, "nonResourcePath"));
    }

    /** Here what is left out stands for everything. */
    private static Policy unversioned(JsonNode policy) {
        check(policy, STRINGS_AND_A_SWITCH, "Policy.");
        String user = text(policy, "user");
        String group = text(policy, "group");
        String resource = text(policy, "resource");
        String namespace = text(policy, "namespace");
        boolean starred = user.equals("*") || group.equals("*");
        boolean anybody = starred || user.isEmpty() && group.isEmpty();
        return new Policy(
                starred ? "" : user,
                anybody ? UserInfo.AUTHENTICATED_GROUP : group,
                policy.path("readonly").asBoolean(),
                "*",
                resource.isEmpty() ? "*" : resource,
                namespace.isEmpty() ? "*" : namespace,
                resource.isEmpty() && namespace.isEmpty() ? "*" : "");
    }

    private static Map<String, String> types(String... strings) {
        Map<String, String> types = new LinkedHashMap<>();
        for (String name : strings) {
            types.put(name, "string");
        }
        types.put("readonly", "bool");
        return types;
    }

    private static void check(JsonNode object, Map<String, String> types, String prefix) {
        object.properties().forEach(field -> {
            String type = types.get(field.getKey());
            JsonNode value = field.getValue();
            boolean fits =
                    type == null || value.isNull() || (type.equals("string") ? value.isTextual() : value.isBoolean());
            if (!fits) {
                throw new IllegalArgumentException("json: cannot unmarshal " + typeOf(value) + " into Go struct field "
                        + prefix + field.getKey() + " of type " + type);
            }
        });
    }

    private static String typeOf(JsonNode value) {
        return switch (value.getNodeType()) {
            case ARRAY -> "array";
            case BOOLEAN -> "bool";
            case NUMBER -> "number";
            case OBJECT, POJO -> "object";
            case STRING, BINARY -> "string";
            case NULL, MISSING -> "null";
        };
    }

    private static String text(JsonNode object, String field) {
        return object.path(field).asText("");
    }

    @Override
    public Decision authorize(UserInfo user, Attributes asked) {
        for (Policy policy : policies) {
            if (policy.isOf(user) && policy.allows(asked)) {
                return new Decision(Verdict.ALLOW, "");
            }
        }
        return NOTHING_FITS;
    }

    @Override
    public Rules rulesFor(UserInfo user, String namespace) {
        List<PolicyRule> resources = new ArrayList<>();
        List<PolicyRule> paths = new ArrayList<>();
        for (Policy policy : policies) {
            if (!policy.isOf(user) || !Policy.fits(policy.namespace(), namespace)) {
                continue;
            }
            List<String> verbs = policy.readOnly() ? List.of("get", "list", "watch") : List.of("*");
            if (!policy.resource().isEmpty()) {
                resources.add(new PolicyRule(
                        verbs, List.of(policy.apiGroup()), List.of(policy.resource()), List.of(), List.of()));
            }
            if (!policy.path().isEmpty()) {
                paths.add(new PolicyRule(verbs, List.of(), List.of(), List.of(), List.of(policy.path())));
            }
        }
        return new Rules(resources, paths, false, "");
    }
}
