package io.trimtab.apiserver.kinds.networking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** ServiceCIDRs. Stateless. */
public final class ServiceCidrKind implements Kind {

    @Override
    public void defaults(ObjectNode object) {
        Trees.make(object, "spec");
        Trees.make(object, "status");
    }

    @Override
    public void prepareCreate(ObjectNode object, WriteContext context) {
        object.putObject("status");
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(object, "spec");
        List<String> ranges = Trees.texts(spec, "cidrs");
        if (ranges.isEmpty()) {
            errors.required("spec.cidrs", "at least one CIDR required");
            return;
        }
        if (ranges.size() > 2) {
            errors.invalid("spec.cidrs", spec.get("cidrs"), "may only hold up to 2 values");
        }
        for (int i = 0; i < ranges.size(); i++) {
            IpAddresses.validateRangeStrict(errors, "spec.cidrs[" + i + "]", ranges.get(i));
        }
        if (ranges.size() == 2) {
            IpAddresses.Range first = IpAddresses.parseRange(ranges.get(0));
            IpAddresses.Range second = IpAddresses.parseRange(ranges.get(1));
            if (first != null && second != null && first.isV6() == second.isV6()) {
                errors.invalid(
                        "spec.cidrs",
                        spec.get("cidrs"),
                        "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96");
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(object, "spec");
        List<String> now = Trees.texts(spec, "cidrs");
        List<String> had = Trees.texts(Trees.child(old, "spec"), "cidrs");
        boolean grows = had.size() == 1 && now.size() == 2;
        if (now.size() != had.size() && !grows) {
            errors.invalid("spec.cidrs", Trees.shown(spec, "cidrs"), FieldRules.IMMUTABLE);
            return;
        }
        for (int i = 0; i < had.size(); i++) {
            if (!had.get(i).equals(now.get(i))) {
                errors.invalid("spec.cidrs[" + i + "]", now.get(i), FieldRules.IMMUTABLE);
            }
        }
        if (grows) {
            validateCreate(object, errors, context);
        }
    }
}
