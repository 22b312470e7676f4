package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Refuses pods that choose their own users, groups or SELinux options. */
final class SecurityContextDeny implements AdmissionPlugin {
    @Override
    public String name() {
        return "SecurityContextDeny";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || !attributes.isFor("", "pods")) {
            return;
        }
        JsonNode context = pod.path("spec").path("securityContext");
        deny(attributes, !context.path("supplementalGroups").isEmpty(), "pod.Spec.SecurityContext.SupplementalGroups");
        deny(attributes, isSet(context, "seLinuxOptions"), "pod.Spec.SecurityContext.SELinuxOptions");
        deny(attributes, isSet(context, "runAsUser"), "pod.Spec.SecurityContext.RunAsUser");
        deny(attributes, isSet(context, "fsGroup"), "pod.Spec.SecurityContext.FSGroup");
        for (ObjectNode container : PodTrees.allContainers(pod.path("spec"))) {
            JsonNode own = container.path("securityContext");
            deny(attributes, isSet(own, "seLinuxOptions"), "SecurityContext.SELinuxOptions");
            deny(attributes, isSet(own, "runAsUser"), "SecurityContext.RunAsUser");
        }
    }

    private static boolean isSet(JsonNode context, String field) {
        return context.hasNonNull(field);
    }

    private static void deny(Attributes attributes, boolean found, String what) {
        if (found) {
            throw Refusals.forbidden(attributes, what + " is forbidden");
        }
    }
}
