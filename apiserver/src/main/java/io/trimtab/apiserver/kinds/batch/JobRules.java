package io.trimtab.apiserver.kinds.batch;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.FieldErrors.FieldError;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.PodSpecRules;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** What the spec of a job must look like, in a Job and in the template of a CronJob. Stateless. */
final class JobRules {
    private static final int MAX_INDEXED = 100_000;
    private static final int MANY = 100_000;
    private static final int PARALLEL_IF_MANY = 10_000;
    private static final Pattern HTTP_PATH = Pattern.compile("[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+");
    private static final List<String> ACTIONS = List.of("Count", "FailIndex", "FailJob", "Ignore");
    private static final List<String> STATUSES = List.of("False", "True", "Unknown");
    private static final List<String> OPERATORS = List.of("In", "NotIn");

    private JobRules() {}

    static void spec(FieldErrors errors, String path, JsonNode spec) {
        for (String field : List.of(
                "parallelism",
                "completions",
                "activeDeadlineSeconds",
                "backoffLimit",
                "ttlSecondsAfterFinished",
                "backoffLimitPerIndex",
                "maxFailedIndexes")) {
            FieldRules.notNegative(errors, path, spec, field);
        }
        boolean perIndex = Trees.has(spec, "backoffLimitPerIndex");
        boolean maxFailed = Trees.has(spec, "maxFailedIndexes");
        if (maxFailed && !perIndex) {
            errors.required(path + ".backoffLimitPerIndex", "when maxFailedIndexes is specified");
        }
        if (Trees.has(spec, "managedBy")) {
            managedBy(errors, path + ".managedBy", Trees.text(spec, "managedBy"));
        }
        String mode = Trees.text(spec, "completionMode");
        if (!mode.isEmpty()) {
            FieldRules.choice(errors, path, spec, "completionMode", List.of("NonIndexed", "Indexed"));
        }
        boolean indexed = mode.equals("Indexed");
        if (indexed) {
            indexed(errors, path, spec);
        }
        if (mode.isEmpty() || mode.equals("NonIndexed")) {
            for (String field : List.of("backoffLimitPerIndex", "maxFailedIndexes")) {
                if (Trees.has(spec, field)) {
                    errors.invalid(path + "." + field, Trees.number(spec, field), "requires indexed completion mode");
                }
            }
        }
        if (Trees.has(spec, "podFailurePolicy")) {
            failurePolicy(errors, path + ".podFailurePolicy", spec);
        }
        if (Trees.has(spec, "successPolicy")) {
            if (indexed) {
                successPolicy(errors, path + ".successPolicy", spec);
            } else {
                errors.invalid(path + ".successPolicy", spec.get("successPolicy"), "requires indexed completion mode");
            }
        }
        if (Trees.has(spec, "podReplacementPolicy")) {
            FieldRules.choice(
                    errors,
                    path,
                    spec,
                    "podReplacementPolicy",
                    Trees.has(spec, "podFailurePolicy") ? List.of("Failed") : List.of("Failed", "TerminatingOrFailed"));
        }
        PodSpecRules.template(errors, path + ".template", Trees.child(spec, "template"));
        restartPolicy(errors, path + ".template.spec.restartPolicy", spec);
    }

    private static void restartPolicy(FieldErrors errors, String path, JsonNode spec) {
        String policy = Trees.text(Trees.at(spec, "template", "spec"), "restartPolicy");
        if (policy.isEmpty() || policy.equals("Always")) {
            errors.required(path, "valid values: \"OnFailure\", \"Never\"");
        } else if (!policy.equals("OnFailure") && !policy.equals("Never")) {
            errors.notSupportedInOrder(path, Trees.textNode(policy), List.of("OnFailure", "Never"));
        } else if (Trees.has(spec, "podFailurePolicy") && !policy.equals("Never")) {
            errors.invalid(path, policy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
    }

    private static void managedBy(FieldErrors errors, String path, String value) {
        int slash = value.indexOf('/');
        if (value.isEmpty()) {
            errors.required(path, "");
        } else if (slash <= 0 || slash == value.length() - 1) {
            errors.invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")");
        } else {
            String host = value.substring(0, slash);
            FieldRules.invalid(errors, path, host, Names.subdomain(host));
            String rest = value.substring(slash + 1);
            if (!HTTP_PATH.matcher(rest).matches()) {
                errors.invalid(path, rest, "Invalid path (regex used for validation is '" + HTTP_PATH.pattern() + "')");
            }
        }
        if (value.length() > 63) {
            errors.tooLong(path, 63);
        }
    }

    private static void indexed(FieldErrors errors, String path, JsonNode spec) {
        long completions = Trees.number(spec, "completions");
        long parallelism = Trees.number(spec, "parallelism");
        long failed = Trees.number(spec, "maxFailedIndexes");
        boolean hasFailed = Trees.has(spec, "maxFailedIndexes");
        if (!Trees.has(spec, "completions")) {
            errors.required(path + ".completions", "when completion mode is Indexed");
        }
        if (parallelism > MAX_INDEXED) {
            errors.invalid(
                    path + ".parallelism",
                    parallelism,
                    "must be less than or equal to " + MAX_INDEXED + " when completion mode is Indexed");
        }
        if (Trees.has(spec, "completions") && hasFailed && failed > completions) {
            errors.invalid(path + ".maxFailedIndexes", failed, "must be less than or equal to completions");
        }
        if (failed > MAX_INDEXED) {
            errors.invalid(path + ".maxFailedIndexes", failed, "must be less than or equal to " + MAX_INDEXED);
        }
        if (completions > MANY && Trees.has(spec, "backoffLimitPerIndex")) {
            String when = " when completions are above " + MANY + " and used with backoff limit per index";
            if (!hasFailed) {
                errors.required(path + ".maxFailedIndexes", "must be specified when completions is above " + MANY);
            }
            if (parallelism > PARALLEL_IF_MANY) {
                errors.invalid(
                        path + ".parallelism", parallelism, "must be less than or equal to " + PARALLEL_IF_MANY + when);
            }
            if (failed > PARALLEL_IF_MANY) {
                errors.invalid(
                        path + ".maxFailedIndexes", failed, "must be less than or equal to " + PARALLEL_IF_MANY + when);
            }
        }
    }

    private static void failurePolicy(FieldErrors errors, String path, JsonNode spec) {
        List<JsonNode> rules = Trees.items(spec.get("podFailurePolicy"), "rules");
        if (rules.size() > 20) {
            errors.tooMany(path + ".rules", rules.size(), 20);
        }
        Set<String> containers = new HashSet<>();
        for (String list : List.of("containers", "initContainers")) {
            Trees.items(Trees.at(spec, "template", "spec"), list)
                    .forEach(container -> containers.add(Trees.text(container, "name")));
        }
        for (int i = 0; i < rules.size(); i++) {
            failureRule(errors, path + ".rules[" + i + "]", rules.get(i), spec, containers);
        }
    }

    private static void failureRule(
            FieldErrors errors, String path, JsonNode rule, JsonNode spec, Set<String> containers) {
        String action = Trees.text(rule, "action");
        if (action.isEmpty()) {
            errors.required(path + ".action", "valid values: " + quoted(ACTIONS));
        } else if (action.equals("FailIndex")) {
            if (!Trees.has(spec, "backoffLimitPerIndex")) {
                errors.invalid(path + ".action", action, "requires the backoffLimitPerIndex to be set");
            }
        } else if (!ACTIONS.contains(action)) {
            errors.notSupported(path + ".action", rule.get("action"), ACTIONS);
        }
        boolean byCode = Trees.has(rule, "onExitCodes");
        List<JsonNode> conditions = Trees.items(rule, "onPodConditions");
        if (byCode) {
            exitCodes(errors, path + ".onExitCodes", rule.get("onExitCodes"), containers);
        }
        if (conditions.size() > 20) {
            errors.tooMany(path + ".onPodConditions", conditions.size(), 20);
        }
        for (int i = 0; i < conditions.size(); i++) {
            String at = path + ".onPodConditions[" + i + "]";
            String type = Trees.text(conditions.get(i), "type");
            FieldRules.invalid(errors, at + ".type", type, Names.qualified(type));
            String status = Trees.text(conditions.get(i), "status");
            if (status.isEmpty()) {
                errors.required(at + ".status", "valid values: " + quoted(STATUSES));
            } else if (!STATUSES.contains(status)) {
                errors.notSupported(at + ".status", Trees.textNode(status), STATUSES);
            }
        }
        if (byCode && !conditions.isEmpty()) {
            omitted(errors, path, "specifying both OnExitCodes and OnPodConditions is not supported");
        }
        if (!byCode && conditions.isEmpty()) {
            omitted(errors, path, "specifying one of OnExitCodes and OnPodConditions is required");
        }
    }

    /** An error that does not show the value. */
    static void omitted(FieldErrors errors, String path, String detail) {
        errors.add(new FieldError(FieldErrors.Type.INVALID, path, "Invalid value: " + detail));
    }

    /** A list as Go prints one of strings. */
    private static String quoted(List<String> values) {
        return "[" + String.join(" ", values.stream().map(FieldErrors::quote).toList()) + "]";
    }

    private static void exitCodes(FieldErrors errors, String path, JsonNode codes, Set<String> containers) {
        String operator = Trees.text(codes, "operator");
        if (operator.isEmpty()) {
            errors.required(path + ".operator", "valid values: " + quoted(OPERATORS));
        } else if (!OPERATORS.contains(operator)) {
            errors.notSupported(path + ".operator", Trees.textNode(operator), OPERATORS);
        }
        if (Trees.has(codes, "containerName") && !containers.contains(Trees.text(codes, "containerName"))) {
            errors.invalid(
                    path + ".containerName",
                    Trees.text(codes, "containerName"),
                    "must be one of the container or initContainer names in the pod template");
        }
        List<JsonNode> values = Trees.items(codes, "values");
        if (values.isEmpty()) {
            errors.invalid(path + ".values", Trees.shown(codes, "values"), "at least one value is required");
        } else if (values.size() > 255) {
            errors.tooMany(path + ".values", values.size(), 255);
        }
        Set<Long> seen = new HashSet<>();
        boolean ordered = true;
        for (int i = 0; i < values.size(); i++) {
            long code = values.get(i).asLong();
            if (operator.equals("In") && code == 0) {
                errors.invalid(path + ".values[" + i + "]", code, "must not be 0 for the In operator");
            }
            if (!seen.add(code)) {
                errors.duplicate(path + ".values[" + i + "]", values.get(i));
            }
            ordered &= i == 0 || values.get(i - 1).asLong() <= code;
        }
        if (!ordered) {
            errors.invalid(path + ".values", codes.get("values"), "must be ordered");
        }
    }

    private static void successPolicy(FieldErrors errors, String path, JsonNode spec) {
        List<JsonNode> rules = Trees.items(spec.get("successPolicy"), "rules");
        if (rules.isEmpty()) {
            errors.required(
                    path + ".rules", "at least one rules must be specified when the successPolicy is specified");
        }
        if (rules.size() > 20) {
            errors.tooMany(path + ".rules", rules.size(), 20);
        }
        long completions = Trees.number(spec, "completions");
        for (int i = 0; i < rules.size(); i++) {
            String at = path + ".rules[" + i + "]";
            JsonNode rule = rules.get(i);
            boolean count = Trees.has(rule, "succeededCount");
            boolean indexes = Trees.has(rule, "succeededIndexes");
            if (!count && !indexes) {
                errors.required(at, "at least one of succeededCount or succeededIndexes must be specified");
            }
            long total = 0;
            if (indexes) {
                String text = Trees.text(rule, "succeededIndexes");
                if (text.length() > 64 * 1024) {
                    errors.tooLong(at + ".succeededIndexes", 64 * 1024);
                }
                Indexes parsed = Indexes.parse(text, completions);
                total = parsed.total();
                if (!parsed.wrong().isEmpty()) {
                    errors.invalid(at + ".succeededIndexes", text, "error parsing succeededIndexes: " + parsed.wrong());
                }
            }
            if (count) {
                long number = Trees.number(rule, "succeededCount");
                FieldRules.notNegative(errors, at, rule, "succeededCount");
                String most = "must be less than or equal to ";
                if (number > completions) {
                    errors.invalid(
                            at + ".succeededCount",
                            number,
                            most + completions + " (the number of specified completions)");
                }
                if (indexes && number > total) {
                    errors.invalid(
                            at + ".succeededCount",
                            number,
                            most + total + " (the number of indexes in the specified succeededIndexes field)");
                }
            }
        }
    }
}
