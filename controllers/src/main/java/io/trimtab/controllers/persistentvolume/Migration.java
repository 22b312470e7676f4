package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.volumes.Volumes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Marks claims and volumes of plugins that became CSI drivers with the driver that is to look after them. Pure. */
final class Migration {
    static final String MIGRATED_TO = "pv.kubernetes.io/migrated-to";

    private Migration() {}

    /**
     * The annotations as they should be; null if they are.
     *
     * @param provisioner the annotation that names who makes, or made, the volume
     */
    static @Nullable Map<String, String> corrected(HasMetadata object, String... provisioner) {
        if (object.getMetadata().getAnnotations() == null) {
            return null;
        }
        Map<String, String> annotations = new HashMap<>(object.getMetadata().getAnnotations());
        String name = null;
        for (String key : provisioner) {
            name = name == null ? Volumes.annotation(object, key) : name;
        }
        if (name == null) {
            return null;
        }
        String driver = InTreePlugins.driverFor(name);
        String marked = annotations.get(MIGRATED_TO);
        if (Objects.equals(driver, marked)) {
            return null;
        }
        if (driver == null) {
            annotations.remove(MIGRATED_TO);
        } else {
            annotations.put(MIGRATED_TO, driver);
        }
        return annotations;
    }
}
