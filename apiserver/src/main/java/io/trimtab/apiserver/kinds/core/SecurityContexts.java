package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Rules for the security contexts of pods and containers, and for what goes with an operating system. Stateless. */
final class SecurityContexts {
    private static final List<String> PROFILES = List.of("Localhost", "RuntimeDefault", "Unconfined");
    private static final String SYSCTL = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    private static final Pattern SYSCTL_PATTERN = Pattern.compile(SYSCTL);
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}+");
    private static final Pattern NET_BIOS = Pattern.compile("^[^\\\\/:*?\"<>|.][^\\\\/:*?\"<>|]{0,14}$");
    private static final String DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
    private static final Pattern DNS_NAME = Pattern.compile("^" + DNS_LABEL + "(?:\\." + DNS_LABEL + ")*$");
    private static final Pattern BAD_USER = Pattern.compile("[\"/\\\\:;|=,+*?<>@\\[\\]]");
    private static final Pattern DOTS_AND_BLANKS = Pattern.compile("^[. ]+$");

    private SecurityContexts() {}

    /** The context of a pod, with the flags that the spec holds beside it. */
    static void pod(FieldErrors errors, String path, JsonNode spec) {
        JsonNode context = Trees.child(spec, "securityContext");
        if (context.isMissingNode()) {
            return;
        }
        for (String field : List.of("fsGroup", "runAsUser", "runAsGroup")) {
            id(errors, path, context, field);
        }
        List<JsonNode> groups = Trees.items(context, "supplementalGroups");
        for (int i = 0; i < groups.size(); i++) {
            FieldRules.invalid(
                    errors,
                    path + ".supplementalGroups[" + i + "]",
                    groups.get(i).asLong(),
                    Names.userId(groups.get(i).asLong()));
        }
        if (Trees.flag(spec, "shareProcessNamespace") && Trees.flag(spec, "hostPID")) {
            errors.invalid(
                    path + ".shareProcessNamespace",
                    spec.get("shareProcessNamespace"),
                    "ShareProcessNamespace and HostPID cannot both be enabled");
        }
        sysctls(errors, path + ".sysctls", context, spec);
        FieldRules.choice(errors, path, context, "fsGroupChangePolicy", List.of("Always", "OnRootMismatch"));
        seccomp(errors, path + ".seccompProfile", Trees.child(context, "seccompProfile"));
        windows(errors, path + ".windowsOptions", Trees.child(context, "windowsOptions"));
        appArmor(errors, path + ".appArmorProfile", Trees.child(context, "appArmorProfile"));
        FieldRules.choice(errors, path, context, "supplementalGroupsPolicy", List.of("Merge", "Strict"));
        FieldRules.choice(errors, path, context, "seLinuxChangePolicy", List.of("Recursive"));
    }

    static void container(FieldErrors errors, String path, @Nullable ObjectNode context, boolean hostUsers) {
        if (context == null) {
            return;
        }
        id(errors, path, context, "runAsUser");
        id(errors, path, context, "runAsGroup");
        if (Trees.has(context, "procMount")) {
            FieldRules.choice(errors, path, context, "procMount", List.of("Default", "Unmasked"));
            if (hostUsers && Trees.text(context, "procMount").equals("Unmasked")) {
                errors.invalid(path + ".procMount", "Unmasked", "`hostUsers` must be false to use `Unmasked`");
            }
        }
        seccomp(errors, path + ".seccompProfile", Trees.child(context, "seccompProfile"));
        if (Trees.has(context, "allowPrivilegeEscalation") && !Trees.flag(context, "allowPrivilegeEscalation")) {
            if (Trees.flag(context, "privileged")) {
                errors.invalidShown(
                        path,
                        shown(context),
                        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
            }
            for (String capability : Trees.texts(Trees.child(context, "capabilities"), "add")) {
                if (capability.equals("CAP_SYS_ADMIN")) {
                    errors.invalidShown(
                            path,
                            shown(context),
                            "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
                }
            }
        }
        windows(errors, path + ".windowsOptions", Trees.child(context, "windowsOptions"));
        appArmor(errors, path + ".appArmorProfile", Trees.child(context, "appArmorProfile"));
    }

    /** Kubernetes shows its internal struct here: every field, in its order, under its Go name. */
    private static String shown(ObjectNode context) {
        return InternalForm.of(context, "core/v1.SecurityContext");
    }

    private static void id(FieldErrors errors, String path, JsonNode context, String field) {
        if (Trees.has(context, field)) {
            long id = Trees.number(context, field);
            FieldRules.invalid(errors, path + "." + field, id, Names.userId(id));
        }
    }

    private static void sysctls(FieldErrors errors, String path, JsonNode context, JsonNode spec) {
        Set<String> names = new HashSet<>();
        List<JsonNode> sysctls = Trees.items(context, "sysctls");
        for (int i = 0; i < sysctls.size(); i++) {
            String at = path + "[" + i + "].name";
            String name = Trees.text(sysctls.get(i), "name");
            if (name.isEmpty()) {
                errors.required(at, "");
            } else if (name.length() > 253 || !SYSCTL_PATTERN.matcher(name).matches()) {
                errors.invalid(at, name, "must have at most 253 characters and match regex " + SYSCTL);
            } else if (names.contains(name)) {
                errors.duplicate(at, Trees.textNode(name));
            }
            String dotted = name.indexOf('/') >= 0 && name.indexOf('/') < Math.max(name.indexOf('.'), name.length())
                    ? name.replace('/', '.')
                    : name;
            if (Trees.flag(spec, "hostNetwork") && dotted.startsWith("net.")) {
                errors.invalid(at, name, "may not be specified when 'hostNetwork' is true");
            } else if (Trees.flag(spec, "hostIPC") && isIpc(dotted)) {
                errors.invalid(at, name, "may not be specified when 'hostIPC' is true");
            }
            names.add(name);
        }
    }

    private static boolean isIpc(String name) {
        return name.equals("kernel.sem")
                || name.startsWith("kernel.shm")
                || name.startsWith("kernel.msg")
                || name.startsWith("fs.mqueue.");
    }

    private static void seccomp(FieldErrors errors, String path, JsonNode profile) {
        if (profile.isMissingNode()) {
            return;
        }
        String type = Trees.text(profile, "type");
        if (type.isEmpty()) {
            errors.required(path + ".type", "type is required when seccompProfile is set");
        } else if (!PROFILES.contains(type)) {
            errors.notSupportedInOrder(path + ".type", profile.get("type"), PROFILES);
        }
        if (type.equals("Localhost")) {
            if (!Trees.has(profile, "localhostProfile")) {
                errors.required(path + ".localhostProfile", "must be set when seccomp type is Localhost");
            } else {
                Volumes.descending(errors, path + ".localhostProfile", Trees.text(profile, "localhostProfile"));
            }
        } else if (Trees.has(profile, "localhostProfile")) {
            errors.invalidShown(
                    path + ".localhostProfile",
                    InternalForm.of(profile, "core/v1.SeccompProfile"),
                    "can only be set when seccomp type is Localhost");
        }
    }

    private static void appArmor(FieldErrors errors, String path, JsonNode profile) {
        if (profile.isMissingNode()) {
            return;
        }
        String type = Trees.text(profile, "type");
        String needed = "must be set when AppArmor type is Localhost";
        String local = Trees.text(profile, "localhostProfile");
        if (type.equals("Localhost")) {
            if (!Trees.has(profile, "localhostProfile")) {
                errors.required(path + ".localhostProfile", needed);
                return;
            }
            if (!local.strip().equals(local)) {
                errors.invalid(path + ".localhostProfile", local, "must not be padded with whitespace");
            } else if (local.isEmpty()) {
                errors.required(path + ".localhostProfile", needed);
            }
            if (local.length() > 4095) {
                errors.tooLong(path + ".localhostProfile", 4095);
            }
        } else if (type.isEmpty()) {
            errors.required(path + ".type", "type is required when appArmorProfile is set");
        } else if (!PROFILES.contains(type)) {
            errors.notSupportedInOrder(path + ".type", profile.get("type"), PROFILES);
        } else if (Trees.has(profile, "localhostProfile")) {
            errors.invalid(path + ".localhostProfile", local, "can only be set when AppArmor type is Localhost");
        }
    }

    private static void windows(FieldErrors errors, String path, JsonNode options) {
        if (options.isMissingNode()) {
            return;
        }
        if (Trees.has(options, "gmsaCredentialSpecName")) {
            String name = Trees.text(options, "gmsaCredentialSpecName");
            FieldRules.invalid(errors, path + ".gmsaCredentialSpecName", name, Names.subdomain(name));
        }
        if (Trees.has(options, "gmsaCredentialSpec")) {
            String spec = Trees.text(options, "gmsaCredentialSpec");
            if (spec.isEmpty()) {
                errors.invalid(path + ".gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string");
            } else if (spec.length() > 64 * 1024) {
                errors.invalid(path + ".gmsaCredentialSpec", spec, "gmsaCredentialSpec size must be under 64 KiB");
            }
        }
        if (Trees.has(options, "runAsUserName")) {
            windowsUser(errors, path + ".runAsUserName", Trees.text(options, "runAsUserName"));
        }
    }

    private static void windowsUser(FieldErrors errors, String path, String name) {
        String[] parts = name.split("\\\\", -1);
        if (name.isEmpty()) {
            errors.invalid(path, name, "runAsUserName cannot be an empty string");
            return;
        }
        if (CONTROL.matcher(name).find()) {
            errors.invalid(path, name, "runAsUserName cannot contain control characters");
            return;
        }
        if (parts.length > 2) {
            errors.invalid(path, name, "runAsUserName cannot contain more than one backslash");
            return;
        }
        String domain = parts.length == 2 ? parts[0] : "";
        String user = parts[parts.length - 1];
        if (domain.length() >= 256) {
            errors.invalid(path, name, "runAsUserName's Domain length must be under 256 characters");
        }
        if (parts.length == 2
                && !NET_BIOS.matcher(domain).matches()
                && !DNS_NAME.matcher(domain).matches()) {
            errors.invalid(path, name, "runAsUserName's Domain doesn't match the NetBios nor the DNS format");
        }
        if (user.isEmpty()) {
            errors.invalid(path, name, "runAsUserName's User cannot be empty");
        } else if (user.length() > 104) {
            errors.invalid(path, name, "runAsUserName's User length must not be longer than 104 characters");
        }
        if (DOTS_AND_BLANKS.matcher(user).matches()) {
            errors.invalid(path, name, "runAsUserName's User cannot contain only periods or spaces");
        }
        if (BAD_USER.matcher(user).find()) {
            errors.invalid(
                    path, name, "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
        }
    }

    /** Containers that are processes of a Windows host: all of a pod's, or none. */
    static void hostProcesses(FieldErrors errors, String path, JsonNode spec) {
        JsonNode ofPod = Trees.at(spec, "securityContext", "windowsOptions", "hostProcess");
        int count = 0;
        int hosts = 0;
        for (Map.Entry<String, ObjectNode> entry :
                PodResources.containers(spec, path).entrySet()) {
            count++;
            JsonNode own = Trees.at(entry.getValue(), "securityContext", "windowsOptions", "hostProcess");
            if (!ofPod.isMissingNode() && !own.isMissingNode() && ofPod.asBoolean() != own.asBoolean()) {
                errors.invalid(
                        entry.getKey() + ".securityContext.windowsOptions.hostProcess",
                        own,
                        "pod hostProcess value must be identical if both are specified, was " + ofPod.asBoolean());
            }
            if (own.isMissingNode() ? ofPod.asBoolean(false) : own.asBoolean()) {
                hosts++;
            }
        }
        if (hosts > 0) {
            if (hosts != count) {
                errors.invalid(
                        path,
                        "",
                        "If pod contains any hostProcess containers then all containers must be HostProcess containers");
            }
            if (!Trees.flag(spec, "hostNetwork")) {
                errors.invalidShown(
                        path + ".hostNetwork",
                        "false",
                        "hostNetwork must be true if pod contains any hostProcess containers");
            }
        }
    }

    /** What the operating system that the pod names rules out. */
    static void operatingSystem(FieldErrors errors, String path, JsonNode spec) {
        if (!Trees.has(spec, "os")) {
            return;
        }
        String os = Trees.text(spec.get("os"), "name");
        if (os.isEmpty()) {
            errors.required(path + ".os.name", "");
        } else if (os.equals("linux")) {
            linux(errors, path, spec);
        } else if (os.equals("windows")) {
            windowsPod(errors, path, spec);
        } else {
            errors.notSupported(path + ".os", Trees.textNode(os), List.of("linux", "windows"));
        }
    }

    private static void linux(FieldErrors errors, String path, JsonNode spec) {
        String not = "windows options cannot be set for a linux pod";
        if (Trees.has(Trees.child(spec, "securityContext"), "windowsOptions")) {
            errors.forbidden(path + ".securityContext.windowsOptions", not);
        }
        PodResources.containers(spec, path).forEach((at, container) -> {
            if (Trees.has(Trees.child(container, "securityContext"), "windowsOptions")) {
                errors.forbidden(at + ".securityContext.windowsOptions", not);
            }
        });
    }

    private static void windowsPod(FieldErrors errors, String path, JsonNode spec) {
        String not = "cannot be set for a windows pod";
        JsonNode context = Trees.child(spec, "securityContext");
        for (String field : List.of(
                "appArmorProfile",
                "seLinuxOptions",
                "@hostUsers",
                "@hostPID",
                "@hostIPC",
                "seccompProfile",
                "fsGroup",
                "fsGroupChangePolicy",
                "sysctls",
                "@shareProcessNamespace",
                "runAsUser",
                "runAsGroup",
                "supplementalGroups",
                "supplementalGroupsPolicy",
                "seLinuxChangePolicy")) {
            if (field.startsWith("@")) {
                // Fields of the spec: the host flags matter when true, the others when they are there at all.
                String name = field.substring(1);
                boolean set = name.startsWith("host") && !name.equals("hostUsers")
                        ? Trees.flag(spec, name)
                        : Trees.has(spec, name);
                if (set) {
                    errors.forbidden(path + "." + name, not);
                }
            } else if (field.equals("sysctls") ? Trees.hasContent(context, field) : Trees.has(context, field)) {
                errors.forbidden(path + ".securityContext." + field, not);
            }
        }
        PodResources.containers(spec, path).forEach((at, container) -> {
            JsonNode own = Trees.child(container, "securityContext");
            for (String field : List.of(
                    "appArmorProfile",
                    "seLinuxOptions",
                    "seccompProfile",
                    "capabilities",
                    "readOnlyRootFilesystem",
                    "privileged",
                    "allowPrivilegeEscalation",
                    "procMount",
                    "runAsUser",
                    "runAsGroup")) {
                if (Trees.has(own, field)) {
                    errors.forbidden(at + ".securityContext." + field, not);
                }
            }
        });
    }
}
