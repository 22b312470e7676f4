package io.trimtab.apiserver.kinds.flowcontrol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** PriorityLevelConfigurations. Stateless. */
public final class PriorityLevelKind implements Kind {

    @Override
    public void defaults(ObjectNode level) {
        ObjectNode spec = Trees.make(level, "spec");
        ObjectNode exempt = Trees.object(spec, "exempt");
        if (exempt != null) {
            Trees.fill(exempt, "nominalConcurrencyShares", 0);
            Trees.fill(exempt, "lendablePercent", 0);
        }
        ObjectNode limited = Trees.object(spec, "limited");
        if (limited != null) {
            Trees.fill(limited, "nominalConcurrencyShares", 30);
            Trees.fill(limited, "lendablePercent", 0);
            ObjectNode response = Trees.make(limited, "limitResponse");
            ObjectNode queuing = Trees.object(response, "queuing");
            if (queuing != null) {
                Trees.fillZero(queuing, "queues", 64);
                Trees.fillZero(queuing, "handSize", 8);
                Trees.fillZero(queuing, "queueLengthLimit", 50);
            }
        }
        Trees.make(level, "status");
    }

    @Override
    public void prepareCreate(ObjectNode level, WriteContext context) {
        level.putObject("status");
    }

    @Override
    public void validateCreate(ObjectNode level, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(level, "spec");
        String type = Trees.text(spec, "type");
        switch (type) {
            case "Exempt" -> {
                if (Trees.has(spec, "limited")) {
                    errors.forbidden("spec.limited", "must be nil if the type is not Limited");
                }
            }
            case "Limited" -> {
                if (!Trees.has(spec, "limited")) {
                    errors.required("spec.limited", "must not be empty when type is Limited");
                } else {
                    limited(errors, spec.get("limited"));
                }
            }
            default -> errors.notSupported("spec.type", Trees.textNode(type), List.of("Exempt", "Limited"));
        }
    }

    private static void limited(FieldErrors errors, JsonNode limited) {
        long shares = Trees.number(limited, "nominalConcurrencyShares");
        if (shares < 0) {
            errors.invalid("spec.limited.nominalConcurrencyShares", shares, "must be a non-negative integer");
        }
        JsonNode response = Trees.child(limited, "limitResponse");
        String type = Trees.text(response, "type");
        String path = "spec.limited.limitResponse";
        if (type.equals("Queue")) {
            if (!Trees.has(response, "queuing")) {
                errors.required(path + ".queuing", "must not be empty if limitResponse.type is Limited");
            }
        } else if (type.equals("Reject")) {
            if (Trees.has(response, "queuing")) {
                errors.forbidden(path + ".queuing", "must be nil if limited.limitResponse.type is not Limited");
            }
        } else {
            errors.notSupported(path + ".type", Trees.textNode(type), List.of("Queue", "Reject"));
        }
    }

    @Override
    public void validateUpdate(ObjectNode level, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(level, errors, context);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode level, ObjectNode old) {
        return !Trees.same(level, old, "spec");
    }
}
