package io.trimtab.controllers.services;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import java.util.OptionalInt;

/** Which port of a pod a Service means, and which of its pods have a name of their own. Pure functions. */
public final class ServicePorts {
    private ServicePorts() {}

    /** The number of the target port; empty if the pod has no port of that name and protocol. */
    public static OptionalInt resolve(Pod pod, ServicePort port) {
        IntOrString target = port.getTargetPort();
        if (target == null || target.getValue() == null) {
            return OptionalInt.of(port.getPort());
        }
        if (target.getIntVal() != null) {
            return OptionalInt.of(target.getIntVal());
        }
        for (Container container : pod.getSpec().getContainers()) {
            OptionalInt found = find(container, target.getStrVal(), protocol(port));
            if (found.isPresent()) {
                return found;
            }
        }
        for (Container container : pod.getSpec().getInitContainers()) {
            if ("Always".equals(container.getRestartPolicy())) {
                OptionalInt found = find(container, target.getStrVal(), protocol(port));
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return OptionalInt.empty();
    }

    private static OptionalInt find(Container container, String name, String protocol) {
        for (ContainerPort port : container.getPorts()) {
            String own = port.getProtocol() == null ? "TCP" : port.getProtocol();
            if (name.equals(port.getName()) && protocol.equals(own)) {
                return OptionalInt.of(port.getContainerPort());
            }
        }
        return OptionalInt.empty();
    }

    public static String protocol(ServicePort port) {
        return port.getProtocol() == null ? "TCP" : port.getProtocol();
    }

    public static boolean isHeadless(Service service) {
        return "None".equals(service.getSpec().getClusterIP());
    }

    /** The pod can be reached under its own host name below the Service's. */
    public static boolean hasOwnName(Service service, Pod pod) {
        String hostname = pod.getSpec().getHostname();
        return hostname != null
                && !hostname.isEmpty()
                && service.getMetadata().getName().equals(pod.getSpec().getSubdomain())
                && service.getMetadata().getNamespace().equals(pod.getMetadata().getNamespace());
    }
}
