package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.Affinities;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The status of a ResourceClaim: which devices it got, and for whom. Belongs to one validation.
 *
 * @param requests the names of the claim's requests, each with those of its alternatives
 */
record ClaimStatusRules(Map<String, Set<String>> requests) {
    /** How messages show a device: its parts are hidden from whoever prints them. */
    private static final String HIDDEN = "{\"Driver\":{},\"Pool\":{},\"Device\":{},\"ShareID\":{}}";

    private static final int MOST_CONSUMERS = 256;
    private static final int MOST_CONDITIONS = 8;
    private static final int MOST_ADDRESSES = 16;
    private static final String REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
    private static final Pattern REASON_PATTERN = Pattern.compile(REASON);
    private static final Pattern UID = Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");

    /** What tells a device from others. */
    static String id(JsonNode device) {
        String share = Trees.text(device, "shareID");
        return Trees.text(device, "driver") + "/" + Trees.text(device, "pool") + "/" + Trees.text(device, "device")
                + (share.isEmpty() ? "" : "/" + share);
    }

    /** The devices that a claim has. */
    static Set<String> allocated(JsonNode status) {
        Set<String> ids = new HashSet<>();
        Trees.items(Trees.at(status, "allocation", "devices"), "results").forEach(result -> ids.add(id(result)));
        return ids;
    }

    void status(FieldErrors errors, JsonNode claim, JsonNode oldClaim) {
        JsonNode status = Trees.child(claim, "status");
        JsonNode old = Trees.child(oldClaim, "status");
        List<JsonNode> consumers = Trees.items(status, "reservedFor");
        for (int i = 0; i < consumers.size(); i++) {
            for (String field : List.of("resource", "name", "uid")) {
                if (!Trees.hasContent(consumers.get(i), field)) {
                    errors.required("status.reservedFor[" + i + "]." + field, "");
                }
            }
        }
        DeviceRules.tooMany(errors, "status.reservedFor", consumers.size(), MOST_CONSUMERS);
        DeviceRules.distinct(errors, "status.reservedFor", DeviceClaimRules.texts(consumers, "uid"), ".uid");
        devices(errors, status);
        boolean allocated = Trees.has(status, "allocation");
        if (!consumers.isEmpty()) {
            if (!allocated) {
                errors.forbidden("status.reservedFor", "may not be specified when `allocated` is not set");
            } else if (Trees.hasContent(Trees.child(claim, "metadata"), "deletionTimestamp")
                    && !Trees.items(old, "reservedFor").containsAll(consumers)) {
                errors.forbidden(
                        "status.reservedFor",
                        "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set");
            }
        }
        if (allocated && Trees.has(old, "allocation")) {
            FieldRules.immutable(errors, "status", status, old, "allocation", "resource/v1.AllocationResult");
        } else if (allocated) {
            allocation(errors, status.get("allocation"));
        }
    }

    private void allocation(FieldErrors errors, JsonNode allocation) {
        String path = "status.allocation";
        JsonNode devices = Trees.child(allocation, "devices");
        List<JsonNode> results = Trees.items(devices, "results");
        for (int i = 0; i < results.size(); i++) {
            JsonNode result = results.get(i);
            String at = path + ".devices.results[" + i + "]";
            DeviceClaimRules.reference(errors, at + ".request", Trees.text(result, "request"), requests);
            device(errors, at, result);
            DeviceRules.binding(errors, at, result);
            share(errors, at, result);
        }
        DeviceRules.tooMany(errors, path + ".devices.results", results.size(), DeviceClaimRules.MOST);
        List<JsonNode> configs = Trees.items(devices, "config");
        for (int i = 0; i < configs.size(); i++) {
            String at = path + ".devices.config[" + i + "]";
            FieldRules.requiredChoice(errors, at, configs.get(i), "source", List.of("FromClaim", "FromClass"));
            DeviceClaimRules.references(errors, at + ".requests", configs.get(i), requests);
            DeviceRules.configuration(errors, at, configs.get(i), false);
        }
        DeviceRules.tooMany(errors, path + ".devices.config", configs.size(), 2 * DeviceClaimRules.MOST);
        if (Trees.has(allocation, "nodeSelector")) {
            Affinities.nodeSelector(errors, path + ".nodeSelector", allocation.get("nodeSelector"), true);
        }
    }

    private static void device(FieldErrors errors, String path, JsonNode device) {
        DeviceRules.driver(errors, path + ".driver", Trees.text(device, "driver"));
        DeviceRules.pool(errors, path + ".pool", Trees.text(device, "pool"));
        DeviceRules.label(errors, path + ".device", Trees.text(device, "device"));
    }

    private static void share(FieldErrors errors, String path, JsonNode device) {
        String share = Trees.text(device, "shareID");
        if (!Trees.has(device, "shareID") || UID.matcher(share).matches()) {
            return;
        }
        errors.invalid(
                path + ".shareID",
                share,
                UID.matcher(share.toLowerCase(java.util.Locale.ROOT)).matches()
                        ? "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase"
                                + " hexadecimal characters"
                        : "error validating uid: invalid UUID length: " + FieldRules.utf8Length(share));
    }

    private static void devices(FieldErrors errors, JsonNode status) {
        Set<String> allocated = allocated(status);
        List<JsonNode> devices = Trees.items(status, "devices");
        for (int i = 0; i < devices.size(); i++) {
            JsonNode device = devices.get(i);
            String at = "status.devices[" + i + "]";
            device(errors, at, device);
            share(errors, at, device);
            if (!allocated.contains(id(device))) {
                errors.invalidShown(at, HIDDEN, "must be an allocated device in the claim");
            }
            conditions(errors, at + ".conditions", Trees.items(device, "conditions"));
            if (Trees.has(device, "data")) {
                DeviceRules.json(errors, at + ".data", device.get("data"), false);
            }
            network(errors, at + ".networkData", Trees.child(device, "networkData"));
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < devices.size(); i++) {
            if (!seen.add(id(devices.get(i)))) {
                errors.duplicateShown("status.devices[" + i + "].deviceID", HIDDEN);
            }
        }
    }

    private static void conditions(FieldErrors errors, String path, List<JsonNode> conditions) {
        DeviceRules.tooMany(errors, path, conditions.size(), MOST_CONDITIONS);
        Set<String> types = new HashSet<>();
        for (int i = 0; i < conditions.size(); i++) {
            JsonNode condition = conditions.get(i);
            String at = path + "[" + i + "]";
            String type = Trees.text(condition, "type");
            if (!types.add(type)) {
                errors.duplicate(at + ".type", Trees.textNode(type));
            }
            FieldRules.invalid(errors, at + ".type", type, Names.qualified(type));
            String value = Trees.text(condition, "status");
            if (!List.of("False", "True", "Unknown").contains(value)) {
                errors.notSupported(at + ".status", Trees.textNode(value), List.of("False", "True", "Unknown"));
            }
            long generation = Trees.number(condition, "observedGeneration");
            if (generation < 0) {
                errors.invalid(at + ".observedGeneration", generation, "must be greater than or equal to zero");
            }
            if (!Trees.hasContent(condition, "lastTransitionTime")) {
                errors.required(at + ".lastTransitionTime", "");
            }
            reason(errors, at + ".reason", Trees.text(condition, "reason"));
            if (FieldRules.utf8Length(Trees.text(condition, "message")) > 32 * 1024) {
                errors.tooLong(at + ".message", 32 * 1024);
            }
        }
    }

    private static void reason(FieldErrors errors, String path, String reason) {
        if (reason.isEmpty()) {
            errors.required(path, "");
            return;
        }
        if (!REASON_PATTERN.matcher(reason).matches()) {
            errors.invalid(
                    path,
                    reason,
                    "a condition reason must start with alphabetic character, optionally followed by a string of"
                            + " alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g."
                            + " 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB',"
                            + " regex used for validation is '" + REASON + "')");
        }
        if (reason.length() > 1024) {
            errors.tooLong(path, 1024);
        }
    }

    private static void network(FieldErrors errors, String path, JsonNode network) {
        if (FieldRules.utf8Length(Trees.text(network, "interfaceName")) > 256) {
            errors.tooLong(path + ".interfaceName", 256);
        }
        if (FieldRules.utf8Length(Trees.text(network, "hardwareAddress")) > 128) {
            errors.tooLong(path + ".hardwareAddress", 128);
        }
        List<String> addresses = Trees.texts(network, "ips");
        for (int i = 0; i < addresses.size(); i++) {
            address(errors, path + ".ips[" + i + "]", addresses.get(i));
        }
        DeviceRules.tooMany(errors, path + ".ips", addresses.size(), MOST_ADDRESSES);
        DeviceRules.distinct(errors, path + ".ips", addresses, "");
    }

    private static void address(FieldErrors errors, String path, String text) {
        IpAddresses.Range range = IpAddresses.parseRange(text);
        byte[] address = range == null ? null : IpAddresses.parse(text.substring(0, text.indexOf('/')));
        if (range == null || address == null) {
            errors.invalid(path, text, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)");
            return;
        }
        String canonical = IpAddresses.canonical(address) + "/" + range.prefix();
        if (!canonical.equals(text)) {
            errors.invalid(path, text, "must be in canonical form (" + FieldErrors.quote(canonical) + ")");
        }
    }
}
