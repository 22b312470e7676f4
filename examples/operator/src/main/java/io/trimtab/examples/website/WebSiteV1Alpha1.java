package io.trimtab.examples.website;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Version;

/** The custom resource as it was first: {@code size} for what is {@code replicas} now, and a URL for the host. */
@Group("examples.trimtab.io")
@Version("v1alpha1")
@Kind("WebSite")
@Plural("websites")
public class WebSiteV1Alpha1 extends CustomResource<WebSiteV1Alpha1.Spec, WebSite.Status> implements Namespaced {
    private static final long serialVersionUID = 1L;

    @Override
    protected Spec initSpec() {
        return new Spec();
    }

    @Override
    protected WebSite.Status initStatus() {
        return new WebSite.Status();
    }

    /** What the user wanted. */
    public static class Spec {
        public String image = "nginx";
        public int size = 1;
        public String url = "";
    }
}
