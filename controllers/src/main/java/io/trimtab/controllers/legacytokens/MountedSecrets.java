package io.trimtab.controllers.legacytokens;

import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.SecretReference;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The Secrets of its namespace that a pod names, in whatever place. Used by one thread. */
final class MountedSecrets {
    private final Set<String> names = new TreeSet<>();

    private MountedSecrets() {}

    static Set<String> of(Pod pod) {
        MountedSecrets secrets = new MountedSecrets();
        PodSpec spec = pod.getSpec();
        if (spec != null) {
            spec.getImagePullSecrets().forEach(secrets::add);
            spec.getInitContainers().forEach(container -> secrets.add(container.getEnvFrom(), container.getEnv()));
            spec.getContainers().forEach(container -> secrets.add(container.getEnvFrom(), container.getEnv()));
            spec.getEphemeralContainers().forEach(container -> secrets.add(container.getEnvFrom(), container.getEnv()));
            spec.getVolumes().forEach(secrets::add);
        }
        return secrets.names;
    }

    private void add(List<EnvFromSource> sources, List<EnvVar> variables) {
        for (EnvFromSource source : sources) {
            if (source.getSecretRef() != null) {
                add(source.getSecretRef().getName());
            }
        }
        for (EnvVar variable : variables) {
            if (variable.getValueFrom() != null && variable.getValueFrom().getSecretKeyRef() != null) {
                add(variable.getValueFrom().getSecretKeyRef().getName());
            }
        }
    }

    private void add(Volume volume) {
        if (volume.getSecret() != null) {
            add(volume.getSecret().getSecretName());
        }
        if (volume.getProjected() != null) {
            for (VolumeProjection source : volume.getProjected().getSources()) {
                if (source.getSecret() != null) {
                    add(source.getSecret().getName());
                }
            }
        }
        if (volume.getAzureFile() != null) {
            add(volume.getAzureFile().getSecretName());
        }
        if (volume.getCephfs() != null) {
            add(volume.getCephfs().getSecretRef());
        }
        if (volume.getCinder() != null) {
            add(volume.getCinder().getSecretRef());
        }
        if (volume.getFlexVolume() != null) {
            add(volume.getFlexVolume().getSecretRef());
        }
        if (volume.getRbd() != null) {
            add(volume.getRbd().getSecretRef());
        }
        if (volume.getScaleIO() != null) {
            add(volume.getScaleIO().getSecretRef());
        }
        if (volume.getIscsi() != null) {
            add(volume.getIscsi().getSecretRef());
        }
        if (volume.getStorageos() != null) {
            add(volume.getStorageos().getSecretRef());
        }
        if (volume.getCsi() != null) {
            add(volume.getCsi().getNodePublishSecretRef());
        }
    }

    private void add(@Nullable LocalObjectReference reference) {
        if (reference != null) {
            add(reference.getName());
        }
    }

    private void add(@Nullable SecretReference reference) {
        if (reference != null) {
            add(reference.getName());
        }
    }

    private void add(@Nullable String name) {
        if (name != null && !name.isEmpty()) {
            names.add(name);
        }
    }
}
