package io.trimtab.apiserver.kinds;

import io.trimtab.features.FeatureGates;

/**
 * What kinds need to know of the cluster.
 *
 * @param serviceCidr the range of cluster IPs, such as {@code 10.254.0.0/16}
 * @param nodePortRange first and last node port, such as {@code 30000-32767}
 * @param features which decide about fields and rules
 */
public record KindsOptions(String serviceCidr, String nodePortRange, FeatureGates features) {
    /** The defaults of the command line. */
    public static final KindsOptions DEFAULT = new KindsOptions("10.254.0.0/16", "30000-32767");

    /** With the features that Kubernetes has on. */
    public KindsOptions(String serviceCidr, String nodePortRange) {
        this(serviceCidr, nodePortRange, FeatureGates.DEFAULT);
    }
}
