package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Makes every start of a container ask the registry, so that nobody uses an image that another was allowed to pull. */
final class AlwaysPullImages implements AdmissionPlugin {
    private static final String ALWAYS = "Always";

    @Override
    public String name() {
        return "AlwaysPullImages";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || isIgnored(attributes, pod)) {
            return;
        }
        PodTrees.allContainers(pod.path("spec")).forEach(c -> c.put("imagePullPolicy", ALWAYS));
        for (JsonNode volume : pod.path("spec").path("volumes")) {
            if (volume.path("image") instanceof ObjectNode image) {
                image.put("pullPolicy", ALWAYS);
            }
        }
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || isIgnored(attributes, pod)) {
            return;
        }
        FieldErrors errors = new FieldErrors();
        for (String list : List.of("initContainers", "containers", "ephemeralContainers")) {
            int index = 0;
            for (JsonNode container : pod.path("spec").path(list)) {
                if (!PodTrees.text(container, "imagePullPolicy").equals(ALWAYS)) {
                    errors.notSupported(
                            "spec." + list + "[" + index + "].imagePullPolicy",
                            FieldErrors.text(PodTrees.text(container, "imagePullPolicy")),
                            List.of(ALWAYS));
                }
                index++;
            }
        }
        if (!errors.isEmpty()) {
            throw Refusals.forbidden(
                    attributes,
                    Refusals.joined(errors.list().stream()
                            .map(FieldErrors.FieldError::message)
                            .toList()));
        }
    }

    private static boolean isIgnored(Attributes attributes, ObjectNode pod) {
        if (!attributes.isFor("", "pods")) {
            return true;
        }
        return switch (attributes.operation()) {
            case CREATE -> false;
            case UPDATE -> attributes.old() == null || images(attributes.old()).containsAll(images(pod));
            case DELETE, CONNECT -> true;
        };
    }

    private static Set<String> images(ObjectNode pod) {
        Set<String> images = new HashSet<>();
        PodTrees.allContainers(pod.path("spec")).forEach(c -> images.add(PodTrees.text(c, "image")));
        return images;
    }
}
