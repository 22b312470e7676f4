package io.trimtab.examples.website;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;

/** The custom resource; {@code k8s/websites.yaml} defines it. */
@Group("examples.trimtab.io")
@Version("v1")
public class WebSite extends CustomResource<WebSite.Spec, WebSite.Status> implements Namespaced {
    private static final long serialVersionUID = 1L;

    @Override
    protected Spec initSpec() {
        return new Spec();
    }

    @Override
    protected Status initStatus() {
        return new Status();
    }

    /** What the user wants. */
    public static class Spec {
        public String image = "nginx";
        public int replicas = 1;
        public String host = "";
    }

    /** What is. */
    public static class Status {
        public int readyReplicas;
        public long observedGeneration;
        public String address = "";
    }
}
