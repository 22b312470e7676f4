package io.trimtab.controllers.statefulset;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.revisions.Revisions;
import io.trimtab.ownership.OwnerReferences;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The pods of a StatefulSet, by their ordinals. Pure functions. */
final class Members {
    static final String POD_NAME = "statefulset.kubernetes.io/pod-name";
    static final String POD_INDEX = "apps.kubernetes.io/pod-index";
    private static final Pattern NAME = Pattern.compile("(.*)-([0-9]{1,9})");

    private Members() {}

    static String name(StatefulSet set, int ordinal) {
        return set.getMetadata().getName() + "-" + ordinal;
    }

    /** The pod's ordinal; -1 if its name says that it is no pod of this set. */
    static int ordinal(StatefulSet set, Pod pod) {
        Matcher matcher = NAME.matcher(pod.getMetadata().getName());
        return matcher.matches() && matcher.group(1).equals(set.getMetadata().getName())
                ? Integer.parseInt(matcher.group(2))
                : -1;
    }

    static String revision(Pod pod) {
        Map<String, String> labels = pod.getMetadata().getLabels();
        return labels == null ? "" : labels.getOrDefault(Revisions.HASH_LABEL, "");
    }

    /** The server has it, as far as we know. */
    static boolean isCreated(Pod pod) {
        return pod.getStatus() != null
                && pod.getStatus().getPhase() != null
                && !pod.getStatus().getPhase().isEmpty();
    }

    static boolean isRunningAndReady(Pod pod) {
        return Pods.phase(pod).equals("Running") && Pods.isReady(pod);
    }

    static boolean isRunningAndAvailable(Pod pod, int minReadySeconds, Instant now) {
        return Pods.phase(pod).equals("Running") && Pods.isAvailable(pod, minReadySeconds, now);
    }

    static boolean isHealthy(Pod pod) {
        return isRunningAndReady(pod) && !Pods.isDeleting(pod);
    }

    /** A pod of the set that is yet to be created. */
    static Pod pod(StatefulSet set, PodTemplateSpec template, String revision, int ordinal) {
        String name = name(set, ordinal);
        Pod pod = PodControl.fromTemplate(template, set, OwnerReferences.newControllerRef(set));
        Map<String, String> labels =
                new HashMap<>(Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.of()));
        labels.putAll(identity(name, ordinal));
        labels.put(Revisions.HASH_LABEL, revision);
        List<Volume> volumes = new ArrayList<>();
        Set<String> claimed = new HashSet<>();
        claims(set, ordinal).forEach((template2, claim) -> {
            claimed.add(template2);
            volumes.add(new VolumeBuilder()
                    .withName(template2)
                    .withNewPersistentVolumeClaim()
                    .withClaimName(claim.getMetadata().getName())
                    .endPersistentVolumeClaim()
                    .build());
        });
        pod.getSpec().getVolumes().stream()
                .filter(volume -> !claimed.contains(volume.getName()))
                .forEach(volumes::add);
        return new PodBuilder(pod)
                .editMetadata()
                .withGenerateName(null)
                .withName(name)
                .withLabels(labels)
                .endMetadata()
                .editSpec()
                .withHostname(name)
                .withSubdomain(set.getSpec().getServiceName())
                .withVolumes(volumes)
                .endSpec()
                .build();
    }

    static Map<String, String> identity(String name, int ordinal) {
        return Map.of(POD_NAME, name, POD_INDEX, String.valueOf(ordinal));
    }

    /** The claims of a pod, by the name of their template. */
    static Map<String, PersistentVolumeClaim> claims(StatefulSet set, int ordinal) {
        Map<String, PersistentVolumeClaim> claims = new LinkedHashMap<>();
        if (set.getSpec().getVolumeClaimTemplates() == null) {
            return claims;
        }
        for (PersistentVolumeClaim template : set.getSpec().getVolumeClaimTemplates()) {
            Map<String, String> labels = new HashMap<>();
            if (template.getMetadata().getLabels() != null) {
                labels.putAll(template.getMetadata().getLabels());
            }
            if (set.getSpec().getSelector() != null
                    && set.getSpec().getSelector().getMatchLabels() != null) {
                labels.putAll(set.getSpec().getSelector().getMatchLabels());
            }
            String base = template.getMetadata().getName();
            claims.put(
                    base,
                    new PersistentVolumeClaimBuilder(template)
                            .withMetadata(new ObjectMetaBuilder(template.getMetadata())
                                    .withNamespace(set.getMetadata().getNamespace())
                                    .withName(base + "-" + name(set, ordinal))
                                    .withLabels(labels)
                                    .build())
                            .withStatus(null)
                            .build());
        }
        return claims;
    }
}
