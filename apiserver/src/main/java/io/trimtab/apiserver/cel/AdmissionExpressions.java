package io.trimtab.apiserver.cel;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The environments of expressions that judge or change a write. Stateless. */
public final class AdmissionExpressions {
    /** What all expressions together may cost for one policy and binding. */
    public static final long BUDGET = 10_000_000;
    /** What the match conditions of one webhook or binding may cost together. */
    public static final long MATCH_BUDGET = 2_500_000;
    /** Said when a budget is spent. */
    public static final String OUT_OF_BUDGET =
            "validation failed due to running out of cost budget, no further validation rules will be run";

    private static final DeclType NAMESPACE = namespace();
    private static final DeclType REQUEST = request();
    private static final TypeProvider TYPES = both(NAMESPACE.provider(), REQUEST.provider());
    private static final CelEnvironment PLAIN = CelEnvironment.base()
            .with(TYPES)
            .with("object", CelType.DYN)
            .with("oldObject", CelType.DYN)
            .with("namespaceObject", NAMESPACE.celType())
            .with("request", REQUEST.celType());

    private AdmissionExpressions() {}

    /**
     * Names object, oldObject, namespaceObject and request.
     *
     * @param params whether params may be named, too
     * @param authorizer whether authorizer and authorizer.requestResource may be
     */
    public static CelEnvironment environment(boolean params, boolean authorizer) {
        CelEnvironment env = params ? PLAIN.with("params", CelType.DYN) : PLAIN;
        return authorizer
                ? env.with("authorizer", AuthorizerLibrary.AUTHORIZER)
                        .with("authorizer.requestResource", AuthorizerLibrary.RESOURCE)
                : env;
    }

    /** The types that such an environment knows. */
    public static TypeProvider types() {
        return TYPES;
    }

    /** Types of both. */
    public static TypeProvider both(TypeProvider one, TypeProvider other) {
        return new TypeProvider() {
            @Override
            public boolean has(String type) {
                return one.has(type) || other.has(type);
            }

            @Override
            public @Nullable CelType field(String type, String field) {
                return one.has(type) ? one.field(type, field) : other.field(type, field);
            }

            @Override
            public boolean isNamed(String type) {
                return one.isNamed(type) || other.isNamed(type);
            }

            @Override
            public Object create(String type, Map<String, Object> fields) {
                return one.isNamed(type) ? one.create(type, fields) : other.create(type, fields);
            }
        };
    }

    private static DeclType object(String name, Object... fields) {
        Map<String, DeclType.Field> all = new LinkedHashMap<>();
        for (int i = 0; i < fields.length; i += 2) {
            all.put((String) fields[i], new DeclType.Field((String) fields[i], (DeclType) fields[i + 1]));
        }
        return DeclType.object(name, all, 2);
    }

    private static DeclType list(DeclType element) {
        return DeclType.list(element, -1, "", java.util.List.of());
    }

    private static DeclType request() {
        DeclType text = DeclType.STRING;
        DeclType kind = object("kubernetes.GroupVersionKind", "group", text, "version", text, "kind", text);
        DeclType resource = object("kubernetes.GroupVersionResource", "group", text, "version", text, "resource", text);
        DeclType user = object(
                "kubernetes.UserInfo",
                "username",
                text,
                "uid",
                text,
                "groups",
                list(text),
                "extra",
                DeclType.map(list(text), -1));
        return object(
                "kubernetes.AdmissionRequest",
                "kind",
                kind,
                "resource",
                resource,
                "subResource",
                text,
                "requestKind",
                kind,
                "requestResource",
                resource,
                "requestSubResource",
                text,
                "name",
                text,
                "namespace",
                text,
                "operation",
                text,
                "userInfo",
                user,
                "dryRun",
                DeclType.BOOL,
                "options",
                DeclType.DYN);
    }

    private static DeclType namespace() {
        DeclType text = DeclType.STRING;
        DeclType time = DeclType.scalar(CelType.TIMESTAMP, 12, 0, "date-time");
        DeclType texts = DeclType.map(text, -1);
        DeclType condition = object(
                "kubernetes.NamespaceCondition",
                "status",
                text,
                "type",
                text,
                "lastTransitionTime",
                time,
                "message",
                text,
                "reason",
                text);
        DeclType metadata = object(
                "kubernetes.NamespaceMetadata",
                "name",
                text,
                "generateName",
                text,
                "namespace",
                text,
                "labels",
                texts,
                "annotations",
                texts,
                "UID",
                text,
                "creationTimestamp",
                time,
                "deletionGracePeriodSeconds",
                DeclType.INT,
                "deletionTimestamp",
                time,
                "generation",
                DeclType.INT,
                "resourceVersion",
                text,
                "finalizers",
                list(text));
        return object(
                "kubernetes.Namespace",
                "metadata",
                metadata,
                "spec",
                object("kubernetes.NamespaceSpec", "finalizers", list(text)),
                "status",
                object("kubernetes.NamespaceStatus", "conditions", list(condition), "phase", text));
    }
}
