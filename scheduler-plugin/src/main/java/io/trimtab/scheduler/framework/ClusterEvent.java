package io.trimtab.scheduler.framework;

/**
 * Something that happened to a resource, or a set of such things. Immutable. The hints hear of pods as {@link PodInfo}, of nodes
 * as the API's {@code Node}, of all else as the API's objects.
 *
 * @param resource one of the constants, or {@code plural.version.group}
 * @param actions a set of bits
 */
public record ClusterEvent(String resource, int actions) {
    /** Any pod. */
    public static final String POD = "Pod";

    public static final String ASSIGNED_POD = "AssignedPod";
    public static final String UNSCHEDULED_POD = "UnschedulablePod";
    public static final String NODE = "Node";
    public static final String ANY = "*";
    public static final String CLAIM = "PersistentVolumeClaim";
    public static final String VOLUME = "PersistentVolume";
    public static final String STORAGE_CLASS = "StorageClass";
    public static final String CSI_NODE = "CSINode";
    public static final String CSI_DRIVER = "CSIDriver";
    public static final String CSI_STORAGE_CAPACITY = "CSIStorageCapacity";

    public static final int ADD = 1;
    public static final int DELETE = 1 << 1;
    public static final int UPDATE_NODE_ALLOCATABLE = 1 << 2;
    public static final int UPDATE_NODE_LABEL = 1 << 3;
    public static final int UPDATE_NODE_TAINT = 1 << 4;
    public static final int UPDATE_NODE_CONDITION = 1 << 5;
    public static final int UPDATE_NODE_ANNOTATION = 1 << 6;
    public static final int UPDATE_POD_LABEL = 1 << 7;
    public static final int UPDATE_POD_SCALE_DOWN = 1 << 8;
    public static final int UPDATE_POD_TOLERATION = 1 << 9;
    public static final int UPDATE_POD_GATES_ELIMINATED = 1 << 10;
    public static final int UPDATE_OTHER = 1 << 11;
    /** Every kind of update. */
    public static final int UPDATE = ((1 << 12) - 1) & ~(ADD | DELETE);

    public static final int ALL = (1 << 12) - 1;

    private static final String[] ACTIONS = {
        "Add",
        "Delete",
        "UpdateNodeAllocatable",
        "UpdateNodeLabel",
        "UpdateNodeTaint",
        "UpdateNodeCondition",
        "UpdateNodeAnnotation",
        "UpdatePodLabel",
        "UpdatePodScaleDown",
        "UpdatePodToleration",
        "UpdatePodSchedulingGatesEliminated",
        "Update"
    };

    public static final ClusterEvent WILDCARD = new ClusterEvent(ANY, ALL);
    public static final ClusterEvent NODE_ADD = new ClusterEvent(NODE, ADD);
    public static final ClusterEvent NODE_DELETE = new ClusterEvent(NODE, DELETE);
    public static final ClusterEvent ASSIGNED_POD_ADD = new ClusterEvent(ASSIGNED_POD, ADD);
    public static final ClusterEvent ASSIGNED_POD_DELETE = new ClusterEvent(ASSIGNED_POD, DELETE);

    public boolean isWildcard() {
        return resource.equals(ANY) && actions == ALL;
    }

    /** True if what a plugin registered (this) covers what happened. */
    public boolean covers(ClusterEvent happened) {
        if (isWildcard()) {
            return true;
        }
        return (actions & happened.actions) != 0
                && (resource.equals(ANY)
                        || resource.equals(happened.resource)
                        || resource.equals(POD)
                                && (happened.resource.equals(ASSIGNED_POD)
                                        || happened.resource.equals(UNSCHEDULED_POD)));
    }

    /** The name in metrics, such as {@code NodeUpdateNodeLabel}. */
    public String label() {
        if (isWildcard()) {
            return "*";
        }
        return Integer.bitCount(actions) == 1
                ? resource + ACTIONS[Integer.numberOfTrailingZeros(actions)]
                : actions == UPDATE ? resource + "Update" : resource;
    }
}
