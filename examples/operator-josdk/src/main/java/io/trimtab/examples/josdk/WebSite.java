package io.trimtab.examples.josdk;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/**
 * The custom resource; {@code k8s/websites.yaml} defines it, with its defaults. There are none here: the SDK applies objects that
 * it has filled in part only, and whatever a new object of this class said of itself would be taken as wanted.
 */
@Group("examples.trimtab.io")
@Version("v1")
public class WebSite extends CustomResource<WebSite.Spec, WebSite.Status> implements Namespaced {
    private static final long serialVersionUID = 1L;

    @Override
    protected Status initStatus() {
        return new Status();
    }

    /** What the user wants. */
    public static class Spec {
        public @Nullable String image;
        public @Nullable Integer replicas;
        public @Nullable String host;
    }

    /** What is. */
    public static class Status {
        public int readyReplicas;
        public long observedGeneration;
        public String address = "";
    }
}
