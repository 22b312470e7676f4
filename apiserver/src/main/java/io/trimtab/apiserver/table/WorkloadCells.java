package io.trimtab.apiserver.table;

import static io.trimtab.apiserver.table.Texts.NONE;
import static io.trimtab.apiserver.table.Texts.name;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The groups apps, batch and policy. */
final class WorkloadCells {
    private WorkloadCells() {}

    static void register(Map<String, RowFunction> rows) {
        rows.put("deployments.apps", WorkloadCells::deployment);
        rows.put("replicasets.apps", WorkloadCells::replicaSet);
        rows.put("daemonsets.apps", WorkloadCells::daemonSet);
        rows.put("statefulsets.apps", WorkloadCells::statefulSet);
        rows.put("controllerrevisions.apps", WorkloadCells::controllerRevision);
        rows.put("jobs.batch", WorkloadCells::job);
        rows.put("cronjobs.batch", WorkloadCells::cronJob);
        rows.put("poddisruptionbudgets.policy", WorkloadCells::disruptionBudget);
    }

    private static JsonNode podSpec(JsonNode o) {
        return o.path("spec").path("template").path("spec");
    }

    private static Row deployment(JsonNode o, Instant now) {
        JsonNode status = o.path("status");
        Row row = new Row()
                .add(name(o))
                .add(status.path("readyReplicas").asLong() + "/"
                        + o.path("spec").path("replicas").asLong())
                .add(status.path("updatedReplicas").asLong())
                .add(status.path("availableReplicas").asLong())
                .add(Ages.of(o, now));
        return Texts.containers(row, podSpec(o))
                .add(Texts.selectorOrEmpty(o.path("spec").path("selector")));
    }

    private static Row replicaSet(JsonNode o, Instant now) {
        Row row = new Row()
                .add(name(o))
                .add(o.path("spec").path("replicas").asLong())
                .add(o.path("status").path("replicas").asLong())
                .add(o.path("status").path("readyReplicas").asLong())
                .add(Ages.of(o, now));
        return Texts.containers(row, podSpec(o))
                .add(Texts.selector(o.path("spec").path("selector")));
    }

    private static Row daemonSet(JsonNode o, Instant now) {
        JsonNode status = o.path("status");
        Row row = new Row()
                .add(name(o))
                .add(status.path("desiredNumberScheduled").asLong())
                .add(status.path("currentNumberScheduled").asLong())
                .add(status.path("numberReady").asLong())
                .add(status.path("updatedNumberScheduled").asLong())
                .add(status.path("numberAvailable").asLong())
                .add(Texts.labels(podSpec(o).path("nodeSelector")))
                .add(Ages.of(o, now));
        return Texts.containers(row, podSpec(o))
                .add(Texts.selector(o.path("spec").path("selector")));
    }

    private static Row statefulSet(JsonNode o, Instant now) {
        Row row = new Row()
                .add(name(o))
                .add(o.path("status").path("readyReplicas").asLong() + "/"
                        + o.path("spec").path("replicas").asLong())
                .add(Ages.of(o, now));
        return Texts.containers(row, podSpec(o));
    }

    private static Row controllerRevision(JsonNode o, Instant now) {
        String controller = NONE;
        for (JsonNode owner : o.path("metadata").path("ownerReferences")) {
            if (owner.path("controller").asBoolean()) {
                String apiVersion = owner.path("apiVersion").asText("");
                int slash = apiVersion.indexOf('/');
                String group = slash < 0 ? "" : "." + apiVersion.substring(0, slash);
                controller = (owner.path("kind").asText("") + group).toLowerCase(Locale.ROOT) + "/"
                        + owner.path("name").asText("");
                break;
            }
        }
        return new Row()
                .add(name(o))
                .add(controller)
                .add(o.path("revision").asLong())
                .add(Ages.of(o, now));
    }

    private static Row job(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        long succeeded = o.path("status").path("succeeded").asLong();
        String completions;
        if (spec.path("completions").isNumber()) {
            completions = succeeded + "/" + spec.path("completions").asLong();
        } else {
            long parallelism = spec.path("parallelism").asLong();
            completions = parallelism > 1 ? succeeded + "/1 of " + parallelism : succeeded + "/1";
        }
        Instant start = Ages.instant(o.path("status").path("startTime"));
        Instant end = Ages.instant(o.path("status").path("completionTime"));
        Row row = new Row()
                .add(name(o))
                .add(jobStatus(o))
                .add(completions)
                .add(start == null ? "" : Ages.human(Duration.between(start, end == null ? now : end)))
                .add(Ages.of(o, now));
        return Texts.containers(row, podSpec(o)).add(Texts.selectorOrEmpty(spec.path("selector")));
    }

    private static String jobStatus(JsonNode o) {
        for (String condition : List.of("Complete", "Failed")) {
            if (Texts.isTrue(Texts.condition(o, condition))) {
                return condition;
            }
        }
        if (Texts.isDeleting(o)) {
            return "Terminating";
        }
        for (String condition : List.of("Suspended", "FailureTarget", "SuccessCriteriaMet")) {
            if (Texts.isTrue(Texts.condition(o, condition))) {
                return condition;
            }
        }
        return "Running";
    }

    private static Row cronJob(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        JsonNode last = o.path("status").path("lastScheduleTime");
        JsonNode jobSpec = spec.path("jobTemplate").path("spec");
        Row row = new Row()
                .add(name(o))
                .add(spec.path("schedule").asText(""))
                .add(spec.path("timeZone").isTextual() ? spec.path("timeZone").asText() : NONE)
                .add(Texts.trueFalse(spec.path("suspend")))
                .add(o.path("status").path("active").size())
                .add(Ages.instant(last) == null ? NONE : Ages.since(last, now))
                .add(Ages.of(o, now));
        return Texts.containers(row, jobSpec.path("template").path("spec"))
                .add(Texts.selector(jobSpec.path("selector")));
    }

    private static Row disruptionBudget(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        return new Row()
                .add(name(o))
                .add(spec.has("minAvailable") ? spec.path("minAvailable").asText() : "N/A")
                .add(spec.has("maxUnavailable") ? spec.path("maxUnavailable").asText() : "N/A")
                .add(o.path("status").path("disruptionsAllowed").asLong())
                .add(Ages.of(o, now));
    }
}
