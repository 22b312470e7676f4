package io.trimtab.scheduler;

import io.trimtab.scheduler.framework.NodeStatuses;
import io.trimtab.scheduler.framework.Status;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Says why no node fits, the way Kubernetes says it. Pure. */
public final class FitText {
    /** Events hold no more. */
    private static final int MAX_EVENT = 1024;

    private FitText() {}

    /**
     * The text.
     *
     * @param nodeCount all nodes
     * @param preFilter what rejected the pod before any node was looked at; null if nothing did
     * @param postFilter what making room came to; empty for nothing
     */
    public static String of(int nodeCount, NodeStatuses statuses, @Nullable String preFilter, String postFilter) {
        StringBuilder text = new StringBuilder("0/").append(nodeCount).append(" nodes are available:");
        if (preFilter != null && !preFilter.isEmpty()) {
            text.append(' ').append(preFilter).append('.');
        } else {
            Map<String, Integer> histogram = new HashMap<>();
            for (Status status : statuses.explicit().values()) {
                status.reasons().forEach(reason -> histogram.merge(reason, 1, Integer::sum));
            }
            int absent = nodeCount - statuses.explicit().size();
            if (absent > 0) {
                statuses.absent().reasons().forEach(reason -> histogram.merge(reason, absent, Integer::sum));
            }
            List<String> lines = new ArrayList<>();
            histogram.forEach((reason, count) -> lines.add(count + " " + reason));
            lines.sort(null); // as text: 10 comes before 2
            if (!lines.isEmpty()) {
                text.append(' ').append(String.join(", ", lines)).append('.');
            }
        }
        if (!postFilter.isEmpty()) {
            text.append(' ').append(postFilter);
        }
        return text.toString();
    }

    /** The text, cut to what an event can hold. */
    static String forEvent(String text) {
        return text.length() <= MAX_EVENT ? text : text.substring(0, MAX_EVENT - 4) + " ...";
    }
}
