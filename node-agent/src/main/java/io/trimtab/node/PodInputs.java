package io.trimtab.node;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.DownwardAPIVolumeFile;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ProjectedVolumeSource;
import io.fabric8.kubernetes.api.model.ProjectedVolumeSourceBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceFieldSelector;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.api.model.node.v1.RuntimeClass;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.informer.Lister;
import io.trimtab.node.runtime.ContainerSetup;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what a pod's containers are given: variables and volumes, out of ConfigMaps, Secrets, services and the pod itself
 * (pkg/kubelet/kubelet_pods.go, pkg/volume). Safe for use by any thread; reads from the server only what a pod refers to.
 */
final class PodInputs {
    private static final Logger LOG = LoggerFactory.getLogger(PodInputs.class);
    private static final ResourceType<ServiceAccount> ACCOUNTS = ResourceType.of(ServiceAccount.class);
    private static final ResourceType<ConfigMap> CONFIG_MAPS = ResourceType.of(ConfigMap.class);
    private static final ResourceType<Secret> SECRETS = ResourceType.of(Secret.class);
    private static final ResourceType<PersistentVolumeClaim> CLAIMS = ResourceType.of(PersistentVolumeClaim.class);
    private static final ResourceType<PersistentVolume> VOLUMES = ResourceType.of(PersistentVolume.class);
    /** As a type of a path of the node: there must be something. */
    private static final String LOCAL = "Local";

    private static final ResourceType<RuntimeClass> RUNTIME_CLASSES = ResourceType.of(RuntimeClass.class);

    private final Client client;
    private final Lister<Service> services;
    private final Nodes nodes;

    PodInputs(Client client, Lister<Service> services, Nodes nodes) {
        this.client = client;
        this.services = services;
        this.nodes = nodes;
    }

    /** Something that is referred to is not there; the message is kubelet's. */
    static final class MissingException extends Exception {
        private static final long serialVersionUID = 1L;

        MissingException(String message) {
            super(message);
        }
    }

    // ---- containers

    ContainerSetup setup(Pod pod, PodRecord record, Container container) throws MissingException {
        // Only a variable that names another needs those of services now.
        boolean refers = container.getEnv().stream()
                .anyMatch(v -> v.getValue() != null && v.getValue().contains("$("));
        Map<String, String> serviceVariables = refers ? serviceVariables(pod) : Map.of();
        Map<String, String> variables = new LinkedHashMap<>();
        for (EnvFromSource source : container.getEnvFrom()) {
            String prefix = Objects.requireNonNullElse(source.getPrefix(), "");
            if (source.getConfigMapRef() != null) {
                var reference = source.getConfigMapRef();
                ConfigMap map = configMap(pod, reference.getName(), isTrue(reference.getOptional()));
                if (map != null && map.getData() != null) {
                    map.getData().forEach((key, value) -> variables.put(prefix + key, latin(value)));
                }
            } else if (source.getSecretRef() != null) {
                var reference = source.getSecretRef();
                Secret secret = secret(pod, reference.getName(), isTrue(reference.getOptional()));
                if (secret != null && secret.getData() != null) {
                    secret.getData().forEach((key, value) -> variables.put(prefix + key, decoded(value)));
                }
            }
        }
        for (EnvVar variable : container.getEnv()) {
            String value;
            if (variable.getValueFrom() != null) {
                value = valueFrom(pod, record, container, variable.getValueFrom());
                if (value == null) {
                    continue;
                }
            } else {
                value = expand(latin(Objects.requireNonNullElse(variable.getValue(), "")), variables, serviceVariables);
            }
            variables.put(variable.getName(), value);
        }
        List<ContainerSetup.VolumeMount> mounts = new ArrayList<>();
        for (VolumeMount mount : container.getVolumeMounts()) {
            String subPath = Objects.requireNonNullElse(mount.getSubPath(), "");
            String expression = mount.getSubPathExpr();
            if (expression != null && !expression.isEmpty()) {
                subPath = subPath(expression, variables, container, mount);
            }
            mounts.add(new ContainerSetup.VolumeMount(
                    mount.getName(), mount.getMountPath(), subPath, isTrue(mount.getReadOnly())));
        }
        String hostname = hostname(pod, record.node);
        boolean expands = container.getCommand().stream().anyMatch(word -> word.contains("$("))
                || container.getArgs().stream().anyMatch(word -> word.contains("$("));
        Map<String, String> known = expands ? environment(pod, hostname, variables) : Map.of();
        return new ContainerSetup(
                expandAll(container.getCommand(), known),
                expandAll(container.getArgs(), known),
                () -> environment(pod, hostname, variables),
                hostname,
                mounts);
    }

    private Map<String, String> environment(Pod pod, String hostname, Map<String, String> declared) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        all.put("HOSTNAME", hostname);
        all.put("HOME", "/root");
        all.putAll(declared);
        serviceVariables(pod).forEach(all::putIfAbsent);
        return all;
    }

    /** A container that must not run as root says as whom it runs instead. */
    static void verifyUser(Pod pod, Container container) throws MissingException {
        var own = container.getSecurityContext();
        var all = pod.getSpec().getSecurityContext();
        Boolean nonRoot = own != null && own.getRunAsNonRoot() != null
                ? own.getRunAsNonRoot()
                : all == null ? null : all.getRunAsNonRoot();
        if (!isTrue(nonRoot)) {
            return;
        }
        Long user = own != null && own.getRunAsUser() != null
                ? own.getRunAsUser()
                : all == null ? null : all.getRunAsUser();
        String which = " (pod: \"" + pod.getMetadata().getName() + "_"
                + pod.getMetadata().getNamespace() + "(" + pod.getMetadata().getUid() + ")\", container: "
                + container.getName() + ")";
        if (user != null && user == 0) {
            throw new MissingException("container's runAsUser breaks non-root policy" + which);
        }
        if (user == null && ROOT_IMAGES.contains(imageName(container.getImage()))) {
            throw new MissingException("container has runAsNonRoot and image will run as root" + which);
        }
    }

    /** Images of which it is known that they run as root. */
    private static final Set<String> ROOT_IMAGES = Set.of("busybox", "alpine", "agnhost", "ubuntu", "debian");

    private static String imageName(String image) {
        return image.replaceFirst(".*/", "").replaceFirst("[:@].*", "");
    }

    private static String subPath(
            String expression, Map<String, String> variables, Container container, VolumeMount mount)
            throws MissingException {
        String path = expand(latin(expression), variables, Map.of());
        if (path.contains("$(")) {
            throw new MissingException("missing value for \"" + path.replaceAll(".*\\$\\(([^)]*)\\).*", "$1") + "\"");
        }
        if (path.startsWith("/")) {
            throw new MissingException("subPath \"" + path + "\" is not valid: must not be an absolute path");
        }
        for (String part : path.split("/")) {
            if (part.equals("..")) {
                throw new MissingException("subPath \"" + path + "\" is not valid: must not contain '..'");
            }
        }
        return path;
    }

    private static List<String> expandAll(List<String> words, Map<String, String> variables) {
        return words.stream()
                .map(word -> expand(latin(word), variables, Map.of()))
                .toList();
    }

    /** {@code $(NAME)} becomes its value where it is known; {@code $$} escapes (third_party/forked/golang/expansion). */
    static String expand(String text, Map<String, String> variables, Map<String, String> others) {
        StringBuilder result = new StringBuilder();
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c != '$' || i + 1 >= text.length()) {
                result.append(c);
                i++;
                continue;
            }
            char next = text.charAt(i + 1);
            int end = next == '(' ? text.indexOf(')', i + 2) : -1;
            if (next == '$') {
                result.append('$');
                i += 2;
            } else if (next == '(' && end < 0) {
                result.append("$(");
                i += 2;
            } else if (next == '(') {
                String name = text.substring(i + 2, end);
                String value = variables.getOrDefault(name, others.get(name));
                result.append(value == null ? "$(" + name + ")" : value);
                i = end + 1;
            } else {
                result.append(c);
                i++;
            }
        }
        return result.toString();
    }

    private @Nullable String valueFrom(Pod pod, PodRecord record, Container container, EnvVarSource source)
            throws MissingException {
        if (source.getFieldRef() != null) {
            return field(pod, record, source.getFieldRef().getFieldPath());
        }
        if (source.getResourceFieldRef() != null) {
            return amount(pod, record.node, container, source.getResourceFieldRef());
        }
        if (source.getConfigMapKeyRef() != null) {
            var reference = source.getConfigMapKeyRef();
            boolean optional = isTrue(reference.getOptional());
            ConfigMap map = configMap(pod, reference.getName(), optional);
            String value =
                    map == null || map.getData() == null ? null : map.getData().get(reference.getKey());
            if (value == null && !optional) {
                throw new MissingException("couldn't find key " + reference.getKey() + " in ConfigMap "
                        + pod.getMetadata().getNamespace() + "/" + reference.getName());
            }
            return value == null ? null : latin(value);
        }
        if (source.getSecretKeyRef() != null) {
            var reference = source.getSecretKeyRef();
            boolean optional = isTrue(reference.getOptional());
            Secret secret = secret(pod, reference.getName(), optional);
            String value = secret == null || secret.getData() == null
                    ? null
                    : secret.getData().get(reference.getKey());
            if (value == null && !optional) {
                throw new MissingException("couldn't find key " + reference.getKey() + " in Secret "
                        + pod.getMetadata().getNamespace() + "/" + reference.getName());
            }
            return value == null ? null : decoded(value);
        }
        return null;
    }

    /** The runtime that a pod wants by its class; empty for that of the node. */
    String runtimeHandler(Pod pod) {
        String name = pod.getSpec().getRuntimeClassName();
        return name == null || name.isEmpty()
                ? ""
                : client.get(RUNTIME_CLASSES, null, name)
                        .map(RuntimeClass::getHandler)
                        .orElse("");
    }

    static String hostname(Pod pod, String node) {
        if (Boolean.TRUE.equals(pod.getSpec().getHostNetwork())) {
            return node;
        }
        String name = pod.getSpec().getHostname();
        if (name == null || name.isEmpty()) {
            name = pod.getMetadata().getName();
        }
        return name.length() > 63 ? name.substring(0, 63).replaceAll("[-.]+$", "") : name;
    }

    // ---- the pod about itself

    private String field(Pod pod, PodRecord record, String path) {
        var metadata = pod.getMetadata();
        Map<String, String> labels = Objects.requireNonNullElse(metadata.getLabels(), Map.of());
        Map<String, String> annotations = Objects.requireNonNullElse(metadata.getAnnotations(), Map.of());
        if (path.startsWith("metadata.labels['")) {
            return latin(labels.getOrDefault(subscript(path), ""));
        }
        if (path.startsWith("metadata.annotations['")) {
            return latin(annotations.getOrDefault(subscript(path), ""));
        }
        return switch (path) {
            case "metadata.name" -> metadata.getName();
            case "metadata.namespace" -> metadata.getNamespace();
            case "metadata.uid" -> metadata.getUid();
            case "metadata.labels" -> map(labels);
            case "metadata.annotations" -> map(annotations);
            case "spec.nodeName" -> record.node;
            case "spec.serviceAccountName" ->
                Objects.requireNonNullElse(pod.getSpec().getServiceAccountName(), "default");
            case "status.hostIP", "status.hostIPs" -> nodes.hostAddress(record.node);
            case "status.podIP", "status.podIPs" -> Objects.requireNonNullElse(record.ip, "");
            default -> "";
        };
    }

    private static String subscript(String path) {
        return path.substring(path.indexOf('\'') + 1, path.lastIndexOf('\''));
    }

    private static String map(Map<String, String> values) {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(values)
                .forEach((key, value) -> text.append(key)
                        .append("=\"")
                        .append(latin(value)
                                .replace("\\", "\\\\")
                                .replace("\"", "\\\"")
                                .replace("\n", "\\n")
                                .replace("\t", "\\t"))
                        .append("\"\n"));
        return text.toString();
    }

    private String amount(Pod pod, String node, Container asking, ResourceFieldSelector reference) {
        Container container = asking;
        if (reference.getContainerName() != null
                && !reference.getContainerName().isEmpty()) {
            List<Container> all = new ArrayList<>(pod.getSpec().getContainers());
            all.addAll(pod.getSpec().getInitContainers());
            container = all.stream()
                    .filter(c -> c.getName().equals(reference.getContainerName()))
                    .findFirst()
                    .orElse(asking);
        }
        String resource = reference.getResource();
        boolean limits = resource.startsWith("limits.");
        String name = resource.substring(resource.indexOf('.') + 1);
        Map<String, Quantity> amounts = new HashMap<>();
        if (container.getResources() != null) {
            Map<String, Quantity> given = limits
                    ? container.getResources().getLimits()
                    : container.getResources().getRequests();
            if (given != null) {
                amounts.putAll(given);
            }
        }
        Quantity found = amounts.get(name);
        ResourceRequirements whole = pod.getSpec().getResources();
        if (found == null && limits && whole != null && whole.getLimits() != null) {
            found = whole.getLimits().get(name);
        }
        if (found == null && limits) {
            found = nodes.allocatable(node).get(name);
        }
        BigDecimal value = found == null ? BigDecimal.ZERO : found.getNumericalAmount();
        BigDecimal divisor = reference.getDivisor() == null
                ? BigDecimal.ZERO
                : reference.getDivisor().getNumericalAmount();
        if (divisor.signum() == 0) {
            divisor = BigDecimal.ONE;
        }
        return value.divide(divisor, 0, RoundingMode.CEILING).toPlainString();
    }

    // ---- services

    private Map<String, String> serviceVariables(Pod pod) {
        boolean links = !Boolean.FALSE.equals(pod.getSpec().getEnableServiceLinks());
        Map<String, String> variables = new LinkedHashMap<>();
        services.get("default", "kubernetes").ifPresent(service -> variables(variables, service));
        if (links) {
            services.list(pod.getMetadata().getNamespace()).forEach(service -> variables(variables, service));
        }
        return variables;
    }

    private static void variables(Map<String, String> variables, Service service) {
        String address = service.getSpec().getClusterIP();
        if (address == null
                || address.isEmpty()
                || address.equals("None")
                || service.getSpec().getPorts().isEmpty()) {
            return;
        }
        String name = variableName(service.getMetadata().getName());
        List<ServicePort> ports = service.getSpec().getPorts();
        variables.put(name + "_SERVICE_HOST", address);
        variables.put(name + "_SERVICE_PORT", String.valueOf(ports.get(0).getPort()));
        for (ServicePort port : ports) {
            if (port.getName() != null && !port.getName().isEmpty()) {
                variables.put(name + "_SERVICE_PORT_" + variableName(port.getName()), String.valueOf(port.getPort()));
            }
        }
        String host = address.contains(":") ? "[" + address + "]" : address;
        for (int i = 0; i < ports.size(); i++) {
            ServicePort port = ports.get(i);
            String protocol = Objects.requireNonNullElse(port.getProtocol(), "TCP");
            String url = protocol.toLowerCase(Locale.ROOT) + "://" + host + ":" + port.getPort();
            if (i == 0) {
                variables.put(name + "_PORT", url);
            }
            String prefix = name + "_PORT_" + port.getPort() + "_" + protocol.toUpperCase(Locale.ROOT);
            variables.put(prefix, url);
            variables.put(prefix + "_PROTO", protocol.toLowerCase(Locale.ROOT));
            variables.put(prefix + "_PORT", String.valueOf(port.getPort()));
            variables.put(prefix + "_ADDR", address);
        }
    }

    private static String variableName(String name) {
        return name.toUpperCase(Locale.ROOT).replace('-', '_');
    }

    // ---- volumes

    /** Whether a pod has volumes whose files follow objects that may change. */
    static boolean mayChange(Pod pod) {
        return pod.getSpec().getVolumes().stream()
                .anyMatch(v -> v.getConfigMap() != null
                        || v.getSecret() != null
                        || v.getDownwardAPI() != null
                        || v.getProjected() != null && !isToken(v));
    }

    /** A volume with a token of the pod's service account, such as every pod gets. */
    private static boolean isToken(Volume volume) {
        return volume.getProjected() != null
                && volume.getProjected().getSources().stream()
                        .anyMatch(source -> source.getServiceAccountToken() != null);
    }

    /** What is missing in it is left out: nobody waits for it any more. */
    private Map<String, ContainerSetup.Volume.File> withTokens(
            Pod pod, PodRecord record, ProjectedVolumeSource source) {
        Map<String, ContainerSetup.Volume.File> files = new TreeMap<>();
        for (VolumeProjection part : source.getSources()) {
            try {
                if (part.getServiceAccountToken() != null) {
                    var asked = part.getServiceAccountToken();
                    files.put(
                            asked.getPath(),
                            new ContainerSetup.Volume.File(
                                    latin(token(pod, asked.getAudience(), asked.getExpirationSeconds())),
                                    mode(source.getDefaultMode())));
                } else {
                    projected(
                            pod,
                            record,
                            new ProjectedVolumeSourceBuilder(source)
                                    .withSources(part)
                                    .build(),
                            files);
                }
            } catch (MissingException | ApiException e) {
                LOG.atDebug()
                        .addKeyValue("pod", pod.getMetadata().getName())
                        .setCause(e)
                        .log("A file of a pod's volume could not be made");
            }
        }
        return files;
    }

    private String token(Pod pod, @Nullable String audience, @Nullable Long seconds) {
        TokenRequest request = new TokenRequestBuilder()
                .withNewSpec()
                .withAudiences(audience == null || audience.isEmpty() ? List.of() : List.of(audience))
                .withExpirationSeconds(seconds == null ? 3600L : seconds)
                .withNewBoundObjectRef(
                        "v1",
                        "Pod",
                        pod.getMetadata().getName(),
                        pod.getMetadata().getUid())
                .endSpec()
                .build();
        String account = pod.getSpec().getServiceAccountName();
        return client.createSubresource(
                        ACCOUNTS,
                        pod.getMetadata().getNamespace(),
                        account == null || account.isEmpty() ? "default" : account,
                        "token",
                        request,
                        TokenRequest.class)
                .getStatus()
                .getToken();
    }

    /** All volumes of a pod by name; the message of what is missing begins with the volume's name and a line end. */
    Map<String, ContainerSetup.Volume> volumes(Pod pod, PodRecord record) throws MissingException {
        Map<String, ContainerSetup.Volume> all = new LinkedHashMap<>();
        for (Volume volume : pod.getSpec().getVolumes()) {
            if (isToken(volume)) {
                all.put(
                        volume.getName(),
                        new ContainerSetup.Volume.Later(() -> withTokens(pod, record, volume.getProjected())));
                continue;
            }
            try {
                all.put(volume.getName(), volume(pod, record, volume));
            } catch (MissingException e) {
                throw new MissingException(volume.getName() + "\n" + e.getMessage());
            }
        }
        return all;
    }

    private ContainerSetup.Volume volume(Pod pod, PodRecord record, Volume volume) throws MissingException {
        if (volume.getHostPath() != null) {
            return new ContainerSetup.Volume.Host(
                    volume.getHostPath().getPath(),
                    Objects.requireNonNullElse(volume.getHostPath().getType(), ""));
        }
        if (volume.getPersistentVolumeClaim() != null) {
            String path = localPath(pod, volume.getPersistentVolumeClaim().getClaimName());
            if (path != null) {
                return new ContainerSetup.Volume.Host(path, LOCAL);
            }
            return new ContainerSetup.Volume.Claimed(pod.getMetadata().getNamespace() + "/"
                    + volume.getPersistentVolumeClaim().getClaimName());
        }
        if (volume.getEphemeral() != null) {
            return new ContainerSetup.Volume.Claimed(
                    pod.getMetadata().getNamespace() + "/" + pod.getMetadata().getName() + "-" + volume.getName());
        }
        Map<String, ContainerSetup.Volume.File> files = new TreeMap<>();
        if (volume.getConfigMap() != null) {
            var source = volume.getConfigMap();
            configMapFiles(
                    pod,
                    source.getName(),
                    isTrue(source.getOptional()),
                    source.getItems(),
                    mode(source.getDefaultMode()),
                    files);
        } else if (volume.getSecret() != null) {
            var source = volume.getSecret();
            secretFiles(
                    pod,
                    source.getSecretName(),
                    isTrue(source.getOptional()),
                    source.getItems(),
                    mode(source.getDefaultMode()),
                    files);
        } else if (volume.getDownwardAPI() != null) {
            var source = volume.getDownwardAPI();
            downwardFiles(pod, record, source.getItems(), mode(source.getDefaultMode()), files);
        } else if (volume.getProjected() != null) {
            projected(pod, record, volume.getProjected(), files);
        } else {
            boolean memory = volume.getEmptyDir() != null
                    && "Memory".equals(volume.getEmptyDir().getMedium());
            return new ContainerSetup.Volume.Empty(memory);
        }
        return new ContainerSetup.Volume.Files(files);
    }

    /** Where a local volume is on its node; null for one that the nodes share. */
    private @Nullable String localPath(Pod pod, String claim) {
        String name = client.get(CLAIMS, pod.getMetadata().getNamespace(), claim)
                .map(c -> c.getSpec().getVolumeName())
                .orElse("");
        PersistentVolume found =
                name.isEmpty() ? null : client.get(VOLUMES, null, name).orElse(null);
        return found == null || found.getSpec().getLocal() == null
                ? null
                : found.getSpec().getLocal().getPath();
    }

    private void projected(
            Pod pod, PodRecord record, ProjectedVolumeSource source, Map<String, ContainerSetup.Volume.File> files)
            throws MissingException {
        int mode = mode(source.getDefaultMode());
        for (VolumeProjection part : source.getSources()) {
            if (part.getConfigMap() != null) {
                var map = part.getConfigMap();
                configMapFiles(pod, map.getName(), isTrue(map.getOptional()), map.getItems(), mode, files);
            } else if (part.getSecret() != null) {
                var secret = part.getSecret();
                secretFiles(pod, secret.getName(), isTrue(secret.getOptional()), secret.getItems(), mode, files);
            } else if (part.getDownwardAPI() != null) {
                downwardFiles(pod, record, part.getDownwardAPI().getItems(), mode, files);
            }
        }
    }

    private static int mode(@Nullable Integer mode) {
        return mode == null ? 0644 : mode;
    }

    private void configMapFiles(
            Pod pod,
            String name,
            boolean optional,
            List<KeyToPath> items,
            int mode,
            Map<String, ContainerSetup.Volume.File> files)
            throws MissingException {
        ConfigMap map = configMap(pod, name, optional);
        Map<String, String> contents = new TreeMap<>();
        if (map != null && map.getData() != null) {
            map.getData().forEach((key, value) -> contents.put(key, latin(value)));
        }
        if (map != null && map.getBinaryData() != null) {
            map.getBinaryData().forEach((key, value) -> contents.put(key, decoded(value)));
        }
        project(contents, items, mode, optional, files);
    }

    private void secretFiles(
            Pod pod,
            String name,
            boolean optional,
            List<KeyToPath> items,
            int mode,
            Map<String, ContainerSetup.Volume.File> files)
            throws MissingException {
        Secret secret = secret(pod, name, optional);
        Map<String, String> contents = new TreeMap<>();
        if (secret != null && secret.getData() != null) {
            secret.getData().forEach((key, value) -> contents.put(key, decoded(value)));
        }
        project(contents, items, mode, optional, files);
    }

    private static void project(
            Map<String, String> contents,
            List<KeyToPath> items,
            int mode,
            boolean optional,
            Map<String, ContainerSetup.Volume.File> files)
            throws MissingException {
        if (items.isEmpty()) {
            contents.forEach((key, value) -> files.put(key, new ContainerSetup.Volume.File(value, mode)));
            return;
        }
        for (KeyToPath item : items) {
            String content = contents.get(item.getKey());
            if (content == null) {
                if (optional) {
                    continue;
                }
                throw new MissingException("references non-existent config key: " + item.getKey());
            }
            files.put(
                    item.getPath(),
                    new ContainerSetup.Volume.File(content, item.getMode() == null ? mode : item.getMode()));
        }
    }

    private void downwardFiles(
            Pod pod,
            PodRecord record,
            List<DownwardAPIVolumeFile> items,
            int mode,
            Map<String, ContainerSetup.Volume.File> files) {
        for (DownwardAPIVolumeFile item : items) {
            String content = item.getFieldRef() != null
                    ? field(pod, record, item.getFieldRef().getFieldPath())
                    : amount(
                            pod,
                            record.node,
                            pod.getSpec().getContainers().get(0),
                            Objects.requireNonNull(item.getResourceFieldRef()));
            files.put(
                    item.getPath(),
                    new ContainerSetup.Volume.File(content, item.getMode() == null ? mode : item.getMode()));
        }
    }

    // ---- reading

    private @Nullable ConfigMap configMap(Pod pod, String name, boolean optional) throws MissingException {
        return read(CONFIG_MAPS, pod, name, optional, "configmap");
    }

    private @Nullable Secret secret(Pod pod, String name, boolean optional) throws MissingException {
        return read(SECRETS, pod, name, optional, "secret");
    }

    private <T extends HasMetadata> @Nullable T read(
            ResourceType<T> type, Pod pod, String name, boolean optional, String kind) throws MissingException {
        T found = client.get(type, pod.getMetadata().getNamespace(), name).orElse(null);
        if (found == null && !optional) {
            throw new MissingException(kind + " \"" + name + "\" not found");
        }
        return found;
    }

    private static boolean isTrue(@Nullable Boolean value) {
        return Boolean.TRUE.equals(value);
    }

    /** Text as bytes, a character each. */
    private static String latin(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    private static String decoded(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.ISO_8859_1);
    }
}
