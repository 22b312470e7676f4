package io.trimtab.controllers.podautoscaler;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.autoscaling.v2.CrossVersionObjectReference;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where measurements come from. Every method throws {@link MetricsException} if there are none. Safe for use by any thread. */
interface MetricsSource {
    /** What the selected pods use of a resource, by pod; of one container only if that is named. */
    Map<String, Sample> resource(String resource, String namespace, String podSelector, @Nullable String container);

    /** The values of a metric of the selected pods, by pod. */
    Map<String, Sample> pods(String metric, String namespace, String podSelector, @Nullable LabelSelector selector);

    /** The value of a metric of one object, in thousandths. */
    long object(String metric, String namespace, CrossVersionObjectReference object, @Nullable LabelSelector selector);

    /** The values of a metric that no object of the cluster has, in thousandths. */
    List<Long> external(String metric, String namespace, @Nullable LabelSelector selector);
}
