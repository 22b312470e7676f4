package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.cel.AdmissionExpressions;
import io.trimtab.apiserver.cel.CelEnvironment;
import io.trimtab.apiserver.cel.Composition;
import io.trimtab.apiserver.cel.DeclType;
import io.trimtab.apiserver.cel.SchemaTypes;
import io.trimtab.apiserver.cel.TypeProvider;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the expressions of ValidatingAdmissionPolicies against the types they are matched to, and writes what it finds into their
 * status: as the controller manager's {@code validatingadmissionpolicy-status} does, which finds nothing left to do here.
 * Level-based; steps run on one lane.
 */
public final class PolicyTypes implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyTypes.class);
    /** Types that one policy is checked against, at most. */
    private static final int MAX_TYPES = 10;

    private static final Schema POLICY = SchemaRegistry.builtin()
            .forKind("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy")
            .orElseThrow();

    private final Storage storage;
    private final ResourceRegistry registry;
    private final Driver.Lane lane;
    private final ObjectFeed feed;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile boolean closed;
    /** Policies to be looked at; belongs to the lane. */
    private final Map<String, ObjectNode> due = new LinkedHashMap<>();

    private PolicyTypes(Storage storage, ResourceRegistry registry, Driver driver) {
        this.storage = storage;
        this.registry = registry;
        this.lane = driver.lane("policy-types");
        this.feed = new ObjectFeed(
                storage,
                CoreResources.VALIDATING_POLICIES,
                new ObjectFeed.Sink() {
                    @Override
                    public void put(StoredObject object) {
                        due.put(object.name(), object.tree());
                    }

                    @Override
                    public void remove(StoredObject object) {
                        due.remove(object.name());
                    }
                },
                this::wake);
    }

    /** Checks what is stored, from now until it is closed. */
    public static PolicyTypes start(Storage storage, ResourceRegistry registry, Driver driver) {
        PolicyTypes started = new PolicyTypes(storage, registry, driver);
        started.wake();
        return started;
    }

    @Override
    public void close() {
        closed = true;
        feed.close();
    }

    private void wake() {
        if (!closed && scheduled.compareAndSet(false, true)) {
            lane.execute(this::step);
        }
    }

    private void step() {
        scheduled.set(false);
        if (closed) {
            return;
        }
        feed.refresh();
        while (!due.isEmpty()) {
            String name = due.keySet().iterator().next();
            ObjectNode policy = due.remove(name);
            try {
                check(name, policy);
            } catch (RuntimeException e) {
                LOG.warn("validating admission policy not type-checked: name={}", name, e);
            }
        }
    }

    private void check(String name, ObjectNode policy) {
        long generation = policy.path("metadata").path("generation").asLong();
        if (generation <= policy.path("status").path("observedGeneration").asLong()) {
            return;
        }
        ObjectNode status = JsonNodeFactory.instance.objectNode();
        status.put("observedGeneration", generation);
        ObjectNode checking = status.putObject("typeChecking");
        for (Map.Entry<String, String> warning : warnings(policy.path("spec")).entrySet()) {
            checking.withArray("expressionWarnings")
                    .addObject()
                    .put("fieldRef", warning.getKey())
                    .put("warning", warning.getValue());
        }
        storage.update(CoreResources.VALIDATING_POLICIES, null, name, now -> {
            if (now.path("metadata").path("generation").asLong() != generation) {
                return now; // it is looked at again
            }
            ObjectNode next = now.deepCopy();
            ObjectNode merged = next.path("status") instanceof ObjectNode s ? s : next.putObject("status");
            merged.setAll(status);
            return Canonical.of(next, POLICY);
        });
    }

    /** By field. */
    private Map<String, String> warnings(JsonNode spec) {
        Map<String, String> warnings = new LinkedHashMap<>();
        List<Served> types = types(spec.path("matchConstraints").path("resourceRules"));
        if (types.isEmpty()) {
            return warnings;
        }
        DeclType params = params(spec.path("paramKind"));
        Map<String, Composition> checkers = new LinkedHashMap<>();
        for (Served served : types) {
            DeclType object = type(served);
            if (object != null) {
                checkers.put(shown(served.resource()), checker(spec, object, params));
            }
        }
        int i = 0;
        for (JsonNode validation : spec.path("validations")) {
            for (String field : List.of("expression", "messageExpression")) {
                String text = validation.path(field).asText("");
                if (!text.isEmpty()) {
                    String found = problems(checkers, text);
                    if (!found.isEmpty()) {
                        warnings.put("spec.validations[" + i + "]." + field, found);
                    }
                }
            }
            i++;
        }
        return warnings;
    }

    private static String problems(Map<String, Composition> checkers, String text) {
        List<String> found = new ArrayList<>();
        checkers.forEach((kind, checker) -> {
            String error = checker.compile(text).error();
            if (!error.isEmpty()) {
                found.add(kind + ": " + error + "\n");
            }
        });
        return String.join("\n", found);
    }

    private static Composition checker(JsonNode spec, DeclType object, @Nullable DeclType params) {
        TypeProvider provider = AdmissionExpressions.both(object.provider(), AdmissionExpressions.types());
        if (params != null) {
            provider = AdmissionExpressions.both(params.provider(), provider);
        }
        CelEnvironment env = AdmissionExpressions.environment(false, true)
                .with(provider)
                .with("object", object.celType())
                .with("oldObject", object.celType());
        if (params != null) {
            env = env.with("params", params.celType());
        }
        return Composition.of(spec.path("variables"), env, env);
    }

    private @Nullable DeclType params(JsonNode kind) {
        if (!kind.isObject()) {
            return null;
        }
        for (Served served : registry.all()) {
            if (served.resource().apiVersion().equals(kind.path("apiVersion").asText())
                    && served.resource().kind().equals(kind.path("kind").asText())) {
                return type(served);
            }
        }
        return null;
    }

    private static @Nullable DeclType type(Served served) {
        return SchemaTypes.of(served.schema(), served.resource().kind());
    }

    /** What rules name without wildcards, in the order of group, version and kind. */
    private List<Served> types(JsonNode rules) {
        Map<String, Served> found = new TreeMap<>();
        for (JsonNode rule : rules) {
            if (hasWildcard(rule.path("apiGroups")) || hasWildcard(rule.path("apiVersions"))) {
                continue;
            }
            for (JsonNode group : rule.path("apiGroups")) {
                for (JsonNode version : rule.path("apiVersions")) {
                    for (JsonNode resource : rule.path("resources")) {
                        Served served = registry.find(group.asText(), version.asText(), resource.asText());
                        if (served != null && found.size() < MAX_TYPES) {
                            ApiResource of = served.resource();
                            found.put(of.group() + "\n" + of.version() + "\n" + of.kind(), served);
                        }
                    }
                }
            }
        }
        return List.copyOf(found.values());
    }

    private static boolean hasWildcard(JsonNode values) {
        for (JsonNode value : values) {
            if (value.asText().contains("*")) {
                return true;
            }
        }
        return false;
    }

    /** As Go prints a group, version and kind. */
    private static String shown(ApiResource resource) {
        return resource.group() + "/" + resource.version() + ", Kind=" + resource.kind();
    }
}
