package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The addresses, families and family policy of a Service, which depend on each other, on a cluster of one family. Stateless. */
final class ServiceFamilies {
    private static final List<String> FAMILIES = List.of("IPv4", "IPv6");
    private static final List<String> POLICIES = List.of("PreferDualStack", "RequireDualStack", "SingleStack");

    private ServiceFamilies() {}

    static boolean isExternalName(JsonNode spec) {
        return Trees.text(spec, "type").equals("ExternalName");
    }

    static void validate(FieldErrors errors, JsonNode spec) {
        if (isExternalName(spec)) {
            return;
        }
        String single = Trees.text(spec, "clusterIP");
        List<String> ips = Trees.texts(spec, "clusterIPs");
        JsonNode shown = Trees.shown(spec, "clusterIPs");
        if (single.isEmpty()) {
            if (!ips.isEmpty()) {
                errors.invalid("spec.clusterIPs", shown, "must be empty when `clusterIP` is not specified");
            }
        } else if (ips.isEmpty()) {
            errors.required("spec.clusterIPs", "");
        } else if (!ips.get(0).equals(single)) {
            errors.invalid("spec.clusterIPs", shown, "first value must match `clusterIP`");
        }
        Set<String> seen = new HashSet<>();
        List<String> families = Trees.texts(spec, "ipFamilies");
        for (int i = 0; i < families.size(); i++) {
            String at = "spec.ipFamilies[" + i + "]";
            if (!FAMILIES.contains(families.get(i))) {
                errors.notSupported(at, Trees.textNode(families.get(i)), FAMILIES);
            }
            if (!seen.add(families.get(i))) {
                errors.duplicate(at, Trees.textNode(families.get(i)));
            }
        }
        if (Trees.has(spec, "ipFamilyPolicy") && !POLICIES.contains(Trees.text(spec, "ipFamilyPolicy"))) {
            errors.notSupported("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), POLICIES);
        }
        addresses(errors, ips, shown, families, spec);
    }

    private static void addresses(
            FieldErrors errors, List<String> ips, JsonNode shown, List<String> families, JsonNode spec) {
        boolean wrong = false;
        for (int i = 0; i < ips.size(); i++) {
            if (i == 0 && ips.get(i).equals("None")) {
                if (ips.size() > 1) {
                    wrong = true;
                    errors.invalid("spec.clusterIPs", shown, "'None' must be the first and only value");
                }
                continue;
            }
            if (!IpAddresses.isValid(ips.get(i))) {
                wrong = true;
                IpAddresses.validate(errors, "spec.clusterIPs[" + i + "]", ips.get(i));
            }
        }
        if (ips.size() > 2) {
            errors.invalid("spec.clusterIPs", shown, "may only hold up to 2 values");
        }
        if (wrong) {
            return;
        }
        if (ips.size() > 1 && ips.stream().map(IpAddresses::isV6).distinct().count() < 2) {
            errors.invalid("spec.clusterIPs", shown, "may specify no more than one IP for each IP family");
        }
        if (!ServiceRules.isHeadless(spec)) {
            for (int i = 0; i < Math.min(ips.size(), families.size()); i++) {
                boolean six = IpAddresses.isV6(ips.get(i));
                if (families.get(i).equals("IPv4") && six || families.get(i).equals("IPv6") && !six) {
                    errors.invalid(
                            "spec.clusterIPs[" + i + "]",
                            ips.get(i),
                            "expected an " + families.get(i) + " value as indicated by `ipFamilies[" + i + "]`");
                }
            }
        }
    }

    /** Makes {@code clusterIP} and {@code clusterIPs} agree where a client that knows only one of them wrote. */
    static void normalize(ObjectNode spec, @Nullable JsonNode before) {
        String single = Trees.text(spec, "clusterIP");
        if (before == null) {
            if (!single.isEmpty() && !Trees.hasContent(spec, "clusterIPs")) {
                spec.putArray("clusterIPs").add(single);
            }
            return;
        }
        String had = Trees.text(before, "clusterIP");
        if (Trees.hasContent(before, "clusterIPs") && !Trees.hasContent(spec, "clusterIPs") && had.equals(single)) {
            Trees.carry(spec, before, "clusterIPs");
        }
        if (!had.equals(single) && Trees.same(spec, before, "clusterIPs")) {
            if (!had.isEmpty() && single.isEmpty()) {
                spec.remove("clusterIPs");
            } else {
                spec.putArray("clusterIPs").add(single);
            }
        }
    }

    /**
     * Fills in policy and families.
     *
     * @param family the one family of this cluster
     * @throws io.trimtab.apiserver.errors.StatusException 422 if they cannot be had
     */
    static void init(ObjectNode service, @Nullable JsonNode before, String family) {
        ObjectNode spec = Trees.make(service, "spec");
        if (isExternalName(spec)) {
            return;
        }
        boolean freeHeadless = Trees.text(spec, "clusterIP").equals("None") && !Trees.hasContent(spec, "selector");
        if (!Trees.has(spec, "ipFamilyPolicy")) {
            if (before != null && Trees.has(before, "ipFamilyPolicy")) {
                Trees.carry(spec, before, "ipFamilyPolicy");
            } else {
                spec.put("ipFamilyPolicy", freeHeadless ? "RequireDualStack" : "SingleStack");
            }
        }
        FieldErrors errors = new FieldErrors();
        validate(errors, spec);
        refuse(service, errors);
        String policy = Trees.text(spec, "ipFamilyPolicy");
        boolean singleStack = policy.equals("SingleStack");
        if (before != null) {
            shrink(errors, spec, before, singleStack);
        }
        ArrayNode families = Trees.makeList(spec, "ipFamilies");
        List<String> ips = Trees.texts(spec, "clusterIPs");
        if (singleStack) {
            String more = "must be 'RequireDualStack' or 'PreferDualStack' when multiple ";
            if (ips.size() == 2) {
                errors.invalid("spec.ipFamilyPolicy", policy, more + "cluster IPs are specified");
            }
            if (families.size() == 2) {
                errors.invalid("spec.ipFamilyPolicy", policy, more + "IP families are specified");
            }
        }
        for (int i = 0; i < ips.size() && !ips.get(i).equals("None"); i++) {
            String of = IpAddresses.isV6(ips.get(i)) ? "IPv6" : "IPv4";
            if (i >= families.size()) {
                if (of.equals(family)) {
                    families.add(of);
                } else {
                    errors.invalid(
                            "spec.clusterIPs[" + i + "]",
                            spec.get("clusterIPs"),
                            of + " is not configured on this cluster");
                }
            }
        }
        refuse(service, errors);
        if (freeHeadless) {
            // Nobody knows which families its endpoints will have; so it takes both, whatever the cluster has.
            if (families.isEmpty()) {
                families.add(family);
            }
            if (families.size() < 2 && !singleStack) {
                families.add(families.get(0).asText().equals("IPv4") ? "IPv6" : "IPv4");
            }
            return;
        }
        if (policy.equals("RequireDualStack")) {
            errors.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services");
        }
        for (int i = 0; i < families.size(); i++) {
            if (!families.get(i).asText().equals(family)) {
                errors.invalid("spec.ipFamilies[" + i + "]", families.get(i), "not configured on this cluster");
            }
        }
        refuse(service, errors);
        if (families.isEmpty()) {
            families.add(family);
        }
    }

    private static void shrink(FieldErrors errors, ObjectNode spec, JsonNode before, boolean singleStack) {
        for (String field : List.of("clusterIPs", "ipFamilies")) {
            if (singleStack) {
                if (Trees.same(spec, before, field) && Trees.items(spec, field).size() > 1) {
                    JsonNode first = Trees.items(spec, field).get(0);
                    spec.putArray(field).add(first);
                }
            } else {
                List<String> now = Trees.texts(spec, field);
                List<String> had = Trees.texts(before, field);
                boolean reduced = !now.isEmpty()
                        && now.size() < had.size()
                        && had.subList(0, now.size()).equals(now);
                if (reduced) {
                    errors.invalid(
                            "spec.ipFamilyPolicy",
                            Trees.text(spec, "ipFamilyPolicy"),
                            "must be 'SingleStack' to release the secondary "
                                    + (field.equals("clusterIPs") ? "cluster IP" : "IP family"));
                }
            }
        }
    }

    private static void refuse(ObjectNode service, FieldErrors errors) {
        if (!errors.isEmpty()) {
            throw Statuses.invalid("", "Service", Trees.text(service.get("metadata"), "name"), errors);
        }
    }
}
