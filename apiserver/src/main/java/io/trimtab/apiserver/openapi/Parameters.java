package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The parameters of operations. */
final class Parameters {
    /** One parameter: where it stands, and of which type it is. */
    record Parameter(String name, String in, String type) {
        ObjectNode toJson() {
            ObjectNode json =
                    JsonNodeFactory.instance.objectNode().put("name", name).put("in", in);
            String words = WORDS.get(name);
            if (words != null && (in.equals("query") || name.startsWith("name"))) {
                json.put("description", words);
            }
            if (in.equals("path")) {
                json.put("required", true);
            }
            json.putObject("schema").put("type", type).put("uniqueItems", true);
            return json;
        }
    }

    private static final Map<String, String> WORDS = Map.ofEntries(
            Map.entry(
                    "allowWatchBookmarks",
                    "Lets the server send, now and then, an event that only tells a newer revision."),
            Map.entry("continue", "Asks for the chunk after the one that came with this token."),
            Map.entry("dryRun", "With All, everything is done but storing."),
            Map.entry("fieldManager", "Who makes the change, for the record in managedFields."),
            Map.entry(
                    "fieldSelector", "Narrows the list of returned objects to those whose fields match. Default: all."),
            Map.entry("fieldValidation", "What becomes of unknown and duplicate fields: Ignore, Warn or Strict."),
            Map.entry("force", "With apply, takes over fields that others own."),
            Map.entry("gracePeriodSeconds", "Seconds until the object has to be gone; zero for at once."),
            Map.entry(
                    "labelSelector", "Narrows the list of returned objects to those whose labels match. Default: all."),
            Map.entry("limit", "How many objects to return at most; the answer says how to go on."),
            Map.entry("name", "The object's name."),
            Map.entry("namespace", "The object's namespace."),
            Map.entry("orphanDependents", "Deprecated, in favour of propagationPolicy."),
            Map.entry("pretty", "With true, the answer is indented."),
            Map.entry(
                    "propagationPolicy",
                    "What becomes of the objects that belong to it: Orphan, Background, Foreground."),
            Map.entry("resourceVersion", "The revision that the answer shows, or that the watch begins after."),
            Map.entry("resourceVersionMatch", "Whether that revision is meant exactly, or as the oldest allowed."),
            Map.entry("sendInitialEvents", "Begins a watch with the objects that are there."),
            Map.entry("timeoutSeconds", "How long a list or a watch may take."),
            Map.entry("watch", "Watch for changes to the described resources: they come as a stream of events."));

    static final Parameter PRETTY = query("pretty", "string");
    static final Parameter NAME = new Parameter("name", "path", "string");
    static final Parameter NAMESPACE = new Parameter("namespace", "path", "string");

    private static final Parameter DRY_RUN = query("dryRun", "string");
    private static final Parameter CONTINUE = query("continue", "string");

    static final List<Parameter> LIST = List.of(
            query("allowWatchBookmarks", "boolean"),
            CONTINUE,
            query("fieldSelector", "string"),
            query("labelSelector", "string"),
            query("limit", "integer"),
            query("resourceVersion", "string"),
            query("resourceVersionMatch", "string"),
            query("sendInitialEvents", "boolean"),
            query("timeoutSeconds", "integer"),
            query("watch", "boolean"));

    static final List<Parameter> WRITE =
            List.of(DRY_RUN, query("fieldManager", "string"), query("fieldValidation", "string"));

    static final List<Parameter> PATCH = List.of(
            DRY_RUN, query("fieldManager", "string"), query("fieldValidation", "string"), query("force", "boolean"));

    static final List<Parameter> DELETE = List.of(
            DRY_RUN,
            query("gracePeriodSeconds", "integer"),
            query("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
            query("orphanDependents", "boolean"),
            query("propagationPolicy", "string"));

    static final List<Parameter> DELETE_COLLECTION = List.of(
            CONTINUE,
            DRY_RUN,
            query("fieldSelector", "string"),
            query("gracePeriodSeconds", "integer"),
            query("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
            query("labelSelector", "string"),
            query("limit", "integer"),
            query("orphanDependents", "boolean"),
            query("propagationPolicy", "string"),
            query("resourceVersion", "string"),
            query("resourceVersionMatch", "string"),
            query("sendInitialEvents", "boolean"),
            query("timeoutSeconds", "integer"));

    private static final Map<String, List<Parameter>> CONNECT = Map.of(
            "exec",
                    List.of(
                            query("command", "string"),
                            query("container", "string"),
                            query("stderr", "boolean"),
                            query("stdin", "boolean"),
                            query("stdout", "boolean"),
                            query("tty", "boolean")),
            "attach",
                    List.of(
                            query("container", "string"),
                            query("stderr", "boolean"),
                            query("stdin", "boolean"),
                            query("stdout", "boolean"),
                            query("tty", "boolean")),
            "portforward", List.of(query("ports", "integer")),
            "proxy", List.of(query("path", "string")),
            "log",
                    List.of(
                            query("container", "string"),
                            query("follow", "boolean"),
                            query("insecureSkipTLSVerifyBackend", "boolean"),
                            query("limitBytes", "integer"),
                            query("previous", "boolean"),
                            query("sinceSeconds", "integer"),
                            query("stream", "string"),
                            query("tailLines", "integer"),
                            query("timestamps", "boolean")));

    private Parameters() {}

    static Parameter query(String name, String type) {
        return new Parameter(name, "query", type);
    }

    /** What a subresource that is no object takes. */
    static List<Parameter> connect(String subresource) {
        return CONNECT.getOrDefault(subresource, List.of());
    }

    /** By name, and by place where one name stands twice. */
    static Collection<Parameter> sorted(Collection<Parameter> parameters) {
        Map<String, Parameter> sorted = new TreeMap<>();
        parameters.forEach(p -> sorted.put(p.name() + " " + p.in(), p));
        return sorted.values();
    }
}
