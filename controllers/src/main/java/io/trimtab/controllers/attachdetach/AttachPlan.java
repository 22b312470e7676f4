package io.trimtab.controllers.attachdetach;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What is to be done for one volume. Pure. */
final class AttachPlan {
    /** After this time a volume is taken from a node that is not ready, though it says that it uses the volume. */
    static final Duration FORCED = Duration.ofMinutes(6);

    private AttachPlan() {}

    /**
     * A node that a volume is attached to, or is to be.
     *
     * @param wanted whether a pod there uses the volume
     * @param attachment whether there is a VolumeAttachment
     * @param deleting whether that is on its way out
     * @param attached whether the driver says that it is done
     * @param reported whether the node's status says that it is attached
     * @param inUse whether the node says that it uses the volume
     * @param ready whether the node is ready
     * @param lost whether the node is out of service or not there any more
     * @param unwantedSince since when no pod there uses it, as far as that is known
     */
    record Place(
            boolean wanted,
            boolean attachment,
            boolean deleting,
            boolean attached,
            boolean reported,
            boolean inUse,
            boolean ready,
            boolean lost,
            @Nullable Instant unwantedSince) {}

    /**
     * What to do, by node.
     *
     * @param attach nodes to make a VolumeAttachment for
     * @param report nodes to be told that the volume is there
     * @param detach nodes to be told that it is not, and whose VolumeAttachment is to be deleted
     * @param blocked nodes that must wait until the volume has left another
     * @param later how long to wait before looking again; null if an event will come
     */
    record Actions(
            List<String> attach,
            List<String> report,
            List<String> detach,
            List<String> blocked,
            @Nullable Duration later) {}

    /** @param shared whether the volume may be attached to several nodes */
    static Actions of(Map<String, Place> places, boolean shared, Instant now) {
        Actions actions = new Actions(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), null);
        Duration later = null;
        Set<String> held = new TreeSet<>();
        Map<String, Place> missing = new LinkedHashMap<>();
        for (Map.Entry<String, Place> entry : places.entrySet()) {
            Place place = entry.getValue();
            if (place.attachment()) {
                held.add(entry.getKey());
            }
            if (place.wanted()) {
                if (!place.attachment()) {
                    missing.put(entry.getKey(), place);
                } else if (place.attached() && !place.deleting() && !place.reported()) {
                    actions.report().add(entry.getKey());
                }
                continue;
            }
            if (!place.attachment() || place.deleting()) {
                if (place.reported() && !place.attachment()) {
                    actions.detach().add(entry.getKey());
                }
                continue;
            }
            if (place.inUse() && !place.lost()) {
                Instant since = place.unwantedSince() == null ? now : place.unwantedSince();
                Duration left = FORCED.minus(Duration.between(since, now));
                if (place.ready() || !left.isNegative() && !left.isZero()) {
                    if (!place.ready() && (later == null || left.compareTo(later) < 0)) {
                        later = left;
                    }
                    continue;
                }
            }
            actions.detach().add(entry.getKey());
        }
        for (String node : missing.keySet()) {
            if (shared || held.isEmpty()) {
                actions.attach().add(node);
                held.add(node);
            } else {
                actions.blocked().add(node);
            }
        }
        return new Actions(actions.attach(), actions.report(), actions.detach(), actions.blocked(), later);
    }
}
