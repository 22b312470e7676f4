package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The types that mutating expressions make values of: {@code Object}, with a type below it for each field, and {@code JSONPatch}.
 * Stateless.
 */
public final class MutationTypes implements TypeProvider {
    /** What an apply configuration is. */
    public static final CelType OBJECT = CelType.struct("Object");

    private static final CelType PATCH = CelType.struct("JSONPatch");
    /** What a patch is. */
    public static final CelType PATCHES = CelType.list(PATCH);

    private static final TypeProvider TYPES =
            AdmissionExpressions.both(AdmissionExpressions.types(), new MutationTypes());

    private MutationTypes() {}

    /**
     * Where mutations are written.
     *
     * @param params whether params may be named
     */
    public static CelEnvironment environment(boolean params) {
        return AdmissionExpressions.environment(params, true).with(TYPES).withMutations();
    }

    @Override
    public boolean has(String type) {
        return isNamed(type);
    }

    @Override
    public boolean isNamed(String type) {
        return type.equals("JSONPatch") || type.equals("Object") || type.startsWith("Object.");
    }

    @Override
    public @Nullable CelType field(String type, String field) {
        if (!type.equals("JSONPatch")) {
            return CelType.DYN;
        }
        return switch (field) {
            case "op", "path", "from" -> CelType.STRING;
            case "value" -> CelType.DYN;
            default -> CelType.struct(""); // Kubernetes has such fields, too, of a type that nothing has
        };
    }

    @Override
    public Object create(String type, Map<String, Object> fields) {
        return new CelObject(type, fields);
    }

    /**
     * A value as JSON.
     *
     * @throws IllegalArgumentException if JSON has no form for it
     */
    public static JsonNode toJson(Object value) {
        try {
            return Values.toJson(value);
        } catch (CelException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Objects in the value whose types' names do not say where they stand, one line each; empty if there are none. */
    public static String misplaced(Object value) {
        List<String> errors = new ArrayList<>();
        if (value instanceof CelObject object) {
            check(object, object.typeName(), errors);
        }
        return String.join("\n", errors);
    }

    private static void check(Object value, String path, List<String> errors) {
        if (value instanceof CelObject object) {
            if (!object.typeName().equals(path)) {
                errors.add("unexpected type name \"" + object.typeName() + "\", expected \"" + path
                        + "\", which matches field name path from root Object type");
            }
            for (Object field : object.keys()) {
                Object child = object.find(field);
                if (child != null) {
                    check(child, path + "." + field, errors);
                }
            }
        } else if (value instanceof CelList list) {
            list.forEach(item -> check(item, path, errors));
        } else if (value instanceof CelMap map) {
            for (Object key : map.keys()) {
                Object child = map.find(key);
                if (child != null) {
                    check(child, path, errors);
                }
            }
        }
    }
}
