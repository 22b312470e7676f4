package io.trimtab.examples.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PluginFactory;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Status;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Keeps new pods off nodes that are about to be serviced: those whose annotation names a time that begins within the notice, one
 * hour unless the plugin's arguments say {@code {"noticeSeconds": 600}}.
 *
 * <p>Its answer depends on the time, so it is not {@code NodeLocal}: answers are not kept.
 */
public final class MaintenanceWindow implements PluginFactory {
    static final String NAME = "MaintenanceWindow";
    static final String ANNOTATION = "examples.trimtab.io/maintenance";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean enabledByDefault() {
        return true;
    }

    @Override
    public Plugin create(JsonNode args, Handle handle) {
        long seconds = args.path("noticeSeconds").asLong(3600);
        if (seconds < 0) {
            throw new IllegalArgumentException(
                    "noticeSeconds: " + seconds + " is no time to give notice; give 0 or more");
        }
        return new Filter(handle.driver(), Duration.ofSeconds(seconds));
    }

    private record Filter(Driver driver, Duration notice) implements FilterPlugin, EnqueueExtensions {
        private static final Status SOON = Status.unschedulable("node(s) are about to be serviced");

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
            Node known = node.node();
            Map<String, String> annotations =
                    known == null ? null : known.getMetadata().getAnnotations();
            String begins = annotations == null ? null : annotations.get(ANNOTATION);
            if (begins == null) {
                return Status.SUCCESS;
            }
            try {
                return driver.now().plus(notice).isBefore(Instant.parse(begins)) ? Status.SUCCESS : SOON;
            } catch (DateTimeException e) {
                // Nobody knows when: better not now.
                return Status.unschedulable(
                        "node(s) announce their maintenance with \"" + begins + "\", which is no time");
            }
        }

        /** Whoever was kept out is tried again when a node comes, or when one changes its annotations. */
        @Override
        public List<RegisteredEvent> eventsToRegister() {
            return List.of(
                    RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_ANNOTATION));
        }
    }
}
