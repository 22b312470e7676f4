package io.trimtab.apiserver.cel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The environment in which claims and classes select devices. Stateless. */
public final class DeviceExpressions {
    /** What one expression may cost at worst. */
    public static final long LIMIT = 1_000_000;

    private static final int MOST_ATTRIBUTES = 32;
    private static final int LONGEST_VALUE = 64;
    private static final int LONGEST_DOMAIN = 63;
    private static final int LONGEST_ID = 32;
    private static final DeclType VALUE = DeclType.scalar(CelType.DYN, 1, LONGEST_VALUE, "");
    private static final DeclType ATTRIBUTES = nested(VALUE);
    private static final DeclType CAPACITY = nested(DeclType.scalar(QuantityLibrary.TYPE, 8, -1, ""));
    private static final DeclType PLAIN = device(false);
    private static final DeclType SHARED = device(true);
    private static final CelEnvironment PLAIN_ENVIRONMENT = environment(PLAIN);
    private static final CelEnvironment SHARED_ENVIRONMENT = environment(SHARED);

    private DeviceExpressions() {}

    /**
     * Names {@code device}.
     *
     * @param consumable whether devices say if they may be allocated more than once
     */
    public static CelEnvironment environment(boolean consumable) {
        return consumable ? SHARED_ENVIRONMENT : PLAIN_ENVIRONMENT;
    }

    /** What an expression costs at worst. */
    public static long worstCost(CelProgram program) {
        return program.estimate(DeviceExpressions::size).max();
    }

    private static CostEstimator.@Nullable Range size(List<String> path) {
        if (!path.get(0).equals("device")) {
            return null;
        }
        DeclType at = SHARED;
        boolean keys = false;
        int depth = 0;
        for (String step : path.subList(1, path.size())) {
            DeclType next;
            if (step.equals("@items") || step.equals("@values")) {
                next = at.element();
                depth++;
            } else if (step.equals("@keys")) {
                if (!at.isMap()) {
                    return null;
                }
                keys = true;
                next = DeclType.STRING;
            } else {
                DeclType.Field field = at.fields().get(step);
                // The values of attributes are all as long as they may be, whatever their names.
                next = field != null ? field.type() : at.element() == VALUE ? VALUE : null;
            }
            if (next == null) {
                return null;
            }
            at = next;
        }
        if (keys) {
            return new CostEstimator.Range(0, depth == 0 ? LONGEST_DOMAIN : LONGEST_ID);
        }
        return new CostEstimator.Range(0, at.sizeForCosts());
    }

    private static DeclType nested(DeclType value) {
        return DeclType.map(DeclType.map(value, MOST_ATTRIBUTES), MOST_ATTRIBUTES);
    }

    private static DeclType device(boolean consumable) {
        Map<String, DeclType.Field> fields = new LinkedHashMap<>();
        fields.put("driver", new DeclType.Field("driver", DeclType.scalar(CelType.STRING, 2, LONGEST_DOMAIN, "")));
        fields.put("attributes", new DeclType.Field("attributes", ATTRIBUTES));
        fields.put("capacity", new DeclType.Field("capacity", CAPACITY));
        if (consumable) {
            fields.put(
                    "allowMultipleAllocations",
                    new DeclType.Field("allowMultipleAllocations", DeclType.scalar(CelType.BOOL, 4, 1, "")));
        }
        return DeclType.object("kubernetes.DRADevice", fields, 2);
    }

    private static CelEnvironment environment(DeclType device) {
        return CelEnvironment.base().withBindings().with(device.provider()).with("device", device.celType());
    }
}
