package io.trimtab.josdk;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;

/** What the tests' operators look after. */
@Group("test.trimtab.io")
@Version("v1")
public class WebPage extends CustomResource<WebPage.Spec, WebPage.Status> implements Namespaced {
    static final String DEFINITION = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata:
              name: webpages.test.trimtab.io
            spec:
              group: test.trimtab.io
              names: {kind: WebPage, plural: webpages, singular: webpage, listKind: WebPageList}
              scope: Namespaced
              versions:
              - name: v1
                served: true
                storage: true
                subresources: {status: {}}
                schema:
                  openAPIV3Schema:
                    type: object
                    properties:
                      spec: {type: object, properties: {html: {type: string}}}
                      status: {type: object, properties: {page: {type: string}, looks: {type: integer}}}
            """;

    private static final long serialVersionUID = 1L;

    static WebPage named(String name, String html) {
        WebPage page = new WebPage();
        page.getMetadata().setName(name);
        page.getMetadata().setNamespace("default");
        page.setSpec(new Spec());
        page.getSpec().html = html;
        return page;
    }

    @Override
    protected Status initStatus() {
        return new Status();
    }

    public static class Spec {
        public String html = "";
    }

    public static class Status {
        public String page = "";
        public int looks;
    }
}
