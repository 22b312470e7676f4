package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The Pod Security Standards: what pods may do at the levels baseline and restricted, version by version. Stateless. */
final class PodSecurityChecks {
    /** The newest version. */
    static final int LATEST = Integer.MAX_VALUE;

    private static final Set<String> BASELINE_CAPABILITIES = Set.of(
            "AUDIT_WRITE",
            "CHOWN",
            "DAC_OVERRIDE",
            "FOWNER",
            "FSETID",
            "KILL",
            "MKNOD",
            "NET_BIND_SERVICE",
            "SETFCAP",
            "SETGID",
            "SETPCAP",
            "SETUID",
            "SYS_CHROOT");
    private static final Set<String> SELINUX_TYPES = Set.of("", "container_t", "container_init_t", "container_kvm_t");
    private static final Set<String> RESTRICTED_VOLUMES = Set.of(
            "configMap",
            "csi",
            "downwardAPI",
            "emptyDir",
            "ephemeral",
            "image",
            "persistentVolumeClaim",
            "projected",
            "secret");
    /** Safe sysctls, and the version that made them so. */
    private static final Map<String, Integer> SYSCTLS = Map.ofEntries(
            Map.entry("kernel.shm_rmid_forced", 0),
            Map.entry("net.ipv4.ip_local_port_range", 0),
            Map.entry("net.ipv4.tcp_syncookies", 0),
            Map.entry("net.ipv4.ping_group_range", 0),
            Map.entry("net.ipv4.ip_unprivileged_port_start", 0),
            Map.entry("net.ipv4.ip_local_reserved_ports", 27),
            Map.entry("net.ipv4.tcp_keepalive_time", 29),
            Map.entry("net.ipv4.tcp_fin_timeout", 29),
            Map.entry("net.ipv4.tcp_keepalive_intvl", 29),
            Map.entry("net.ipv4.tcp_keepalive_probes", 29),
            Map.entry("net.ipv4.tcp_rmem", 32),
            Map.entry("net.ipv4.tcp_wmem", 32));

    private static final String APP_ARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

    private PodSecurityChecks() {}

    /** What a pod does that it may not. */
    record Violation(String reason, String detail) {}

    /** {@code reason (detail), reason (detail)}. */
    static String details(List<Violation> violations) {
        return violations.stream()
                .map(v -> v.detail.isEmpty() ? v.reason : v.reason + " (" + v.detail + ")")
                .collect(Collectors.joining(", "));
    }

    /** {@code reason, reason}. */
    static String reasons(List<Violation> violations) {
        return violations.stream().map(Violation::reason).collect(Collectors.joining(", "));
    }

    /** Checks metadata and spec of a pod or template; in the order of the checks' names, baseline first. */
    static List<Violation> check(JsonNode pod, boolean restricted, int minor) {
        Check check = new Check(pod, minor);
        check.appArmor();
        if (!restricted || minor < 22) {
            check.baselineCapabilities();
        }
        check.hostNamespaces();
        if (!restricted) {
            check.hostPaths();
        }
        check.hostPorts();
        if (minor >= 34) {
            check.hostProbes();
        }
        check.privileged();
        check.procMount();
        check.seLinux();
        if (!restricted && minor >= 19) {
            check.baselineSeccomp();
        } else if (minor < 19) {
            check.seccompAnnotations();
        }
        check.sysctls();
        check.windowsHostProcess();
        if (restricted) {
            if (minor >= 8 && !check.isWindows()) {
                check.privilegeEscalation();
            }
            if (minor >= 22 && !check.isWindows()) {
                check.restrictedCapabilities();
            }
            check.restrictedVolumes();
            check.runAsNonRoot();
            if (minor >= 23) {
                check.runAsUser();
            }
            if (minor >= 19 && !check.isWindows()) {
                check.restrictedSeccomp();
            }
        }
        return check.violations;
    }

    private static String plural(String one, String many, int count) {
        return count == 1 ? one : many;
    }

    private static String quoted(Collection<String> values) {
        return values.stream().map(v -> '"' + v + '"').collect(Collectors.joining(", "));
    }

    private static String containers(Collection<String> names) {
        return plural("container", "containers", names.size()) + " " + quoted(names);
    }

    /** One pod under examination. */
    private static final class Check {
        private final JsonNode pod;
        private final JsonNode spec;
        private final JsonNode context;
        private final int minor;
        private final List<ObjectNode> containers;
        private final List<Violation> violations = new ArrayList<>();

        Check(JsonNode pod, int minor) {
            this.pod = pod;
            this.spec = pod.path("spec");
            this.context = spec.path("securityContext");
            this.minor = minor;
            this.containers = PodTrees.allContainers(spec);
        }

        /** Pods that say so are judged by other rules, since 1.25. */
        boolean isWindows() {
            return minor >= 25 && PodTrees.text(spec.path("os"), "name").equals("windows");
        }

        private void violates(String reason, String detail) {
            violations.add(new Violation(reason, detail));
        }

        private List<String> containersWhere(Predicate<JsonNode> bad) {
            List<String> names = new ArrayList<>();
            for (ObjectNode container : containers) {
                if (bad.test(container)) {
                    names.add(PodTrees.text(container, "name"));
                }
            }
            return names;
        }

        private static JsonNode own(JsonNode container) {
            return container.path("securityContext");
        }

        // ---- Baseline ----------------------------------------------------------------------------------------------

        void appArmor() {
            Set<String> values = new TreeSet<>();
            List<String> setters = new ArrayList<>();
            if (isBadAppArmor(context, values)) {
                setters.add("pod");
            }
            List<String> bad = containersWhere(c -> isBadAppArmor(own(c), values));
            if (!bad.isEmpty()) {
                setters.add(containers(bad));
            }
            Set<String> annotations = new TreeSet<>();
            PodTrees.each(pod.path("metadata").path("annotations"), (key, value) -> {
                String text = value.asText();
                boolean allowed = text.isEmpty() || text.equals("runtime/default") || text.startsWith("localhost/");
                if (key.startsWith(APP_ARMOR_ANNOTATION) && !allowed) {
                    annotations.add(key + "=" + FieldErrors.quote(text));
                }
            });
            List<String> shown = new ArrayList<>(values);
            if (!annotations.isEmpty()) {
                shown.addAll(annotations);
                setters.add(plural("annotation", "annotations", annotations.size()));
            }
            if (!setters.isEmpty()) {
                violates(
                        plural("forbidden AppArmor profile", "forbidden AppArmor profiles", shown.size()),
                        String.join(" and ", setters) + " must not set AppArmor profile type to " + quoted(shown));
            }
        }

        private static boolean isBadAppArmor(JsonNode holder, Set<String> values) {
            JsonNode profile = holder.path("appArmorProfile");
            String type = PodTrees.text(profile, "type");
            if (!profile.isObject() || type.equals("RuntimeDefault") || type.equals("Localhost")) {
                return false;
            }
            values.add(type);
            return true;
        }

        void baselineCapabilities() {
            Set<String> found = new TreeSet<>();
            List<String> bad = containersWhere(c -> adds(c, BASELINE_CAPABILITIES, found));
            if (!bad.isEmpty()) {
                violates(
                        "non-default capabilities",
                        containers(bad) + " must not include " + quoted(found)
                                + " in securityContext.capabilities.add");
            }
        }

        private static boolean adds(JsonNode container, Set<String> allowed, Set<String> found) {
            boolean bad = false;
            for (JsonNode capability : own(container).path("capabilities").path("add")) {
                if (!allowed.contains(capability.asText())) {
                    found.add(capability.asText());
                    bad = true;
                }
            }
            return bad;
        }

        void hostNamespaces() {
            List<String> found = new ArrayList<>();
            for (String field : List.of("hostNetwork", "hostPID", "hostIPC")) {
                if (spec.path(field).asBoolean(false)) {
                    found.add(field + "=true");
                }
            }
            if (!found.isEmpty()) {
                violates("host namespaces", String.join(", ", found));
            }
        }

        void hostPaths() {
            List<String> found = new ArrayList<>();
            for (JsonNode volume : spec.path("volumes")) {
                if (volume.hasNonNull("hostPath")) {
                    found.add(PodTrees.text(volume, "name"));
                }
            }
            if (!found.isEmpty()) {
                violates("hostPath volumes", plural("volume", "volumes", found.size()) + " " + quoted(found));
            }
        }

        void hostPorts() {
            Set<String> ports = new TreeSet<>();
            List<String> bad = containersWhere(c -> {
                boolean uses = false;
                for (JsonNode port : c.path("ports")) {
                    if (port.path("hostPort").asInt(0) != 0) {
                        ports.add(port.path("hostPort").asText());
                        uses = true;
                    }
                }
                return uses;
            });
            if (!bad.isEmpty()) {
                violates(
                        "hostPort",
                        containers(bad) + " " + plural("uses", "use", bad.size()) + " "
                                + plural("hostPort", "hostPorts", ports.size()) + " " + String.join(", ", ports));
            }
        }

        void hostProbes() {
            Set<String> hosts = new TreeSet<>();
            Set<String> bad = new TreeSet<>(containersWhere(c -> {
                Set<String> own = new TreeSet<>();
                for (String probe : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
                    addHosts(c.path(probe), own);
                }
                addHosts(c.path("lifecycle").path("postStart"), own);
                addHosts(c.path("lifecycle").path("preStop"), own);
                hosts.addAll(own);
                return !own.isEmpty();
            }));
            if (!bad.isEmpty()) {
                violates(
                        "probe or lifecycle host",
                        containers(bad) + " " + plural("uses", "use", bad.size()) + " "
                                + plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.size()) + " "
                                + quoted(hosts));
            }
        }

        private static void addHosts(JsonNode handler, Set<String> hosts) {
            for (String kind : List.of("httpGet", "tcpSocket")) {
                String host = PodTrees.text(handler.path(kind), "host");
                if (!host.isEmpty()) {
                    hosts.add(host);
                }
            }
        }

        void privileged() {
            List<String> bad = containersWhere(c -> own(c).path("privileged").asBoolean(false));
            if (!bad.isEmpty()) {
                violates("privileged", containers(bad) + " must not set securityContext.privileged=true");
            }
        }

        void procMount() {
            Set<String> types = new TreeSet<>();
            List<String> bad = containersWhere(c -> {
                String type = PodTrees.text(own(c), "procMount");
                boolean isBad = own(c).hasNonNull("procMount") && !type.equals("Default");
                if (isBad) {
                    types.add(type);
                }
                return isBad;
            });
            if (!bad.isEmpty()) {
                violates("procMount", containers(bad) + " must not set securityContext.procMount to " + quoted(types));
            }
        }

        void seLinux() {
            Set<String> types = new TreeSet<>();
            Set<String> set = new TreeSet<>(Comparator.reverseOrder()); // user before role
            List<String> setters = new ArrayList<>();
            if (isBadSeLinux(context, types, set)) {
                setters.add("pod");
            }
            List<String> bad = containersWhere(c -> isBadSeLinux(own(c), types, set));
            if (!bad.isEmpty()) {
                setters.add(containers(bad));
            }
            if (setters.isEmpty()) {
                return;
            }
            List<String> data = new ArrayList<>();
            if (!types.isEmpty()) {
                data.add(plural("type", "types", types.size()) + " " + quoted(types));
            }
            set.forEach(field -> data.add(field + " may not be set"));
            violates(
                    "seLinuxOptions",
                    String.join(" and ", setters) + " set forbidden securityContext.seLinuxOptions: "
                            + String.join("; ", data));
        }

        private boolean isBadSeLinux(JsonNode holder, Set<String> types, Set<String> set) {
            JsonNode options = holder.path("seLinuxOptions");
            if (!options.isObject()) {
                return false;
            }
            boolean bad = false;
            String type = PodTrees.text(options, "type");
            if (!SELINUX_TYPES.contains(type) && !(minor >= 31 && type.equals("container_engine_t"))) {
                types.add(type);
                bad = true;
            }
            for (String field : List.of("user", "role")) {
                if (!PodTrees.text(options, field).isEmpty()) {
                    set.add(field);
                    bad = true;
                }
            }
            return bad;
        }

        void seccompAnnotations() {
            Set<String> found = new TreeSet<>();
            JsonNode annotations = pod.path("metadata").path("annotations");
            addBadSeccomp(annotations, "seccomp.security.alpha.kubernetes.io/pod", found);
            for (ObjectNode container : containers) {
                addBadSeccomp(
                        annotations,
                        "container.seccomp.security.alpha.kubernetes.io/" + PodTrees.text(container, "name"),
                        found);
            }
            if (!found.isEmpty()) {
                violates(
                        "seccompProfile",
                        "forbidden " + plural("annotation", "annotations", found.size()) + " "
                                + String.join(", ", found));
            }
        }

        private static void addBadSeccomp(JsonNode annotations, String key, Set<String> found) {
            String value = annotations.path(key).asText("");
            boolean allowed =
                    value.equals("runtime/default") || value.equals("docker/default") || value.startsWith("localhost/");
            if (annotations.has(key) && !allowed) {
                found.add(key + "=" + FieldErrors.quote(value));
            }
        }

        void baselineSeccomp() {
            Set<String> values = new TreeSet<>();
            List<String> setters = new ArrayList<>();
            if (isBadSeccomp(context, values)) {
                setters.add("pod");
            }
            List<String> bad = containersWhere(c -> isBadSeccomp(own(c), values));
            if (!bad.isEmpty()) {
                setters.add(containers(bad));
            }
            if (!setters.isEmpty()) {
                violates(
                        "seccompProfile",
                        String.join(" and ", setters) + " must not set securityContext.seccompProfile.type to "
                                + quoted(values));
            }
        }

        private static boolean isBadSeccomp(JsonNode holder, Set<String> values) {
            String type = PodTrees.text(holder.path("seccompProfile"), "type");
            boolean bad =
                    holder.hasNonNull("seccompProfile") && !type.equals("RuntimeDefault") && !type.equals("Localhost");
            if (bad) {
                values.add(type);
            }
            return bad;
        }

        void sysctls() {
            List<String> found = new ArrayList<>();
            for (JsonNode sysctl : context.path("sysctls")) {
                Integer since = SYSCTLS.get(PodTrees.text(sysctl, "name"));
                if (since == null || since > minor) {
                    found.add(PodTrees.text(sysctl, "name"));
                }
            }
            if (!found.isEmpty()) {
                violates("forbidden sysctls", String.join(", ", found));
            }
        }

        void windowsHostProcess() {
            List<String> setters = new ArrayList<>();
            if (isHostProcess(context)) {
                setters.add("pod");
            }
            List<String> bad = containersWhere(c -> isHostProcess(own(c)));
            if (!bad.isEmpty()) {
                setters.add(containers(bad));
            }
            if (!setters.isEmpty()) {
                violates(
                        "hostProcess",
                        String.join(" and ", setters)
                                + " must not set securityContext.windowsOptions.hostProcess=true");
            }
        }

        private static boolean isHostProcess(JsonNode holder) {
            return holder.path("windowsOptions").path("hostProcess").asBoolean(false);
        }

        // ---- Restricted --------------------------------------------------------------------------------------------

        void privilegeEscalation() {
            List<String> bad =
                    containersWhere(c -> own(c).path("allowPrivilegeEscalation").asBoolean(true));
            if (!bad.isEmpty()) {
                violates(
                        "allowPrivilegeEscalation != false",
                        containers(bad) + " must set securityContext.allowPrivilegeEscalation=false");
            }
        }

        void restrictedCapabilities() {
            List<String> details = new ArrayList<>();
            List<String> keeping = containersWhere(c -> {
                for (JsonNode dropped : own(c).path("capabilities").path("drop")) {
                    if (dropped.asText().equals("ALL")) {
                        return false;
                    }
                }
                return true;
            });
            if (!keeping.isEmpty()) {
                details.add(containers(keeping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
            }
            Set<String> found = new TreeSet<>();
            List<String> adding = containersWhere(c -> adds(c, Set.of("NET_BIND_SERVICE"), found));
            if (!adding.isEmpty()) {
                details.add(containers(adding) + " must not include " + quoted(found)
                        + " in securityContext.capabilities.add");
            }
            if (!details.isEmpty()) {
                violates("unrestricted capabilities", String.join("; ", details));
            }
        }

        void restrictedVolumes() {
            List<String> bad = new ArrayList<>();
            Set<String> types = new TreeSet<>();
            for (JsonNode volume : spec.path("volumes")) {
                String type = "";
                for (var fields = volume.fieldNames(); fields.hasNext(); ) {
                    String field = fields.next();
                    type = field.equals("name") ? type : field;
                }
                if (!RESTRICTED_VOLUMES.contains(type)) {
                    bad.add(PodTrees.text(volume, "name"));
                    types.add(type.isEmpty() ? "unknown" : type);
                }
            }
            if (!bad.isEmpty()) {
                violates(
                        "restricted volume types",
                        plural("volume", "volumes", bad.size()) + " " + quoted(bad) + " "
                                + plural("uses", "use", bad.size()) + " "
                                + plural("restricted volume type", "restricted volume types", types.size()) + " "
                                + quoted(types));
            }
        }

        void runAsNonRoot() {
            List<String> setters = new ArrayList<>();
            boolean podSet = context.path("runAsNonRoot").asBoolean(false);
            if (context.hasNonNull("runAsNonRoot") && !podSet) {
                setters.add("pod");
            }
            List<String> explicit = containersWhere(c -> own(c).hasNonNull("runAsNonRoot")
                    && !own(c).path("runAsNonRoot").asBoolean());
            List<String> implicit = containersWhere(c -> !own(c).hasNonNull("runAsNonRoot") && !podSet);
            if (!explicit.isEmpty()) {
                setters.add(containers(explicit));
            }
            if (!setters.isEmpty()) {
                violates(
                        "runAsNonRoot != true",
                        String.join(" and ", setters) + " must not set securityContext.runAsNonRoot=false");
            } else if (!implicit.isEmpty()) {
                violates(
                        "runAsNonRoot != true",
                        "pod or " + containers(implicit) + " must set securityContext.runAsNonRoot=true");
            }
        }

        void runAsUser() {
            List<String> setters = new ArrayList<>();
            if (isRoot(context)) {
                setters.add("pod");
            }
            List<String> bad = containersWhere(c -> isRoot(own(c)));
            if (!bad.isEmpty()) {
                setters.add(containers(bad));
            }
            if (!setters.isEmpty()) {
                violates("runAsUser=0", String.join(" and ", setters) + " must not set runAsUser=0");
            }
        }

        private static boolean isRoot(JsonNode holder) {
            return holder.hasNonNull("runAsUser") && holder.path("runAsUser").asLong() == 0;
        }

        void restrictedSeccomp() {
            Set<String> values = new TreeSet<>();
            List<String> setters = new ArrayList<>();
            boolean podSet = context.hasNonNull("seccompProfile") && !isBadSeccomp(context, new TreeSet<>());
            if (isBadSeccomp(context, values)) {
                setters.add("pod");
            }
            List<String> explicit = containersWhere(c -> isBadSeccomp(own(c), values));
            List<String> implicit = containersWhere(c -> !own(c).hasNonNull("seccompProfile") && !podSet);
            if (!explicit.isEmpty()) {
                setters.add(containers(explicit));
            }
            if (!setters.isEmpty()) {
                violates(
                        "seccompProfile",
                        String.join(" and ", setters) + " must not set securityContext.seccompProfile.type to "
                                + quoted(values));
            } else if (!implicit.isEmpty()) {
                violates(
                        "seccompProfile",
                        "pod or " + containers(implicit)
                                + " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or"
                                + " \"Localhost\"");
            }
        }
    }
}
