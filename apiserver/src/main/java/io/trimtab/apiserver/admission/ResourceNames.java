package io.trimtab.apiserver.admission;

/** What sort of compute resource a name stands for. Stateless. */
final class ResourceNames {
    private ResourceNames() {}

    /** One of Kubernetes' own. */
    static boolean isNative(String name) {
        return name.indexOf('/') < 0 || name.contains("kubernetes.io/");
    }

    /** One that somebody added, such as a device. */
    static boolean isExtended(String name) {
        return !isNative(name) && !name.startsWith("requests.");
    }
}
