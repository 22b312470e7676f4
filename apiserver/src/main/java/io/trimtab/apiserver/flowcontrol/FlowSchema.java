package io.trimtab.apiserver.flowcontrol;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A FlowSchema made ready to be matched: no tree is walked when a request comes. Immutable, but for a cache of hands. */
final class FlowSchema {
    static final String EXEMPT = "exempt";
    static final String CATCH_ALL = "catch-all";
    private static final String ACCOUNT = "system:serviceaccount:";
    /** Flows whose hash is kept; there may be any number of users, so this starts over when full. */
    private static final int REMEMBERED = 4096;

    static final int[] NO_HAND = new int[0];

    enum Distinguisher {
        NONE,
        BY_USER,
        BY_NAMESPACE
    }

    final String name;
    final long precedence;
    final PriorityLevel level;
    final FlowStats stats;
    final Ticket.Headers headers;
    private final Distinguisher distinguisher;
    private final List<Rule> rules;
    /** Dealt once for each flow: hashing and dealing cost more than all the rest of a decision. */
    private final Map<String, int[]> hands = new ConcurrentHashMap<>();

    private final @Nullable Dealer dealer;

    private FlowSchema(
            String name,
            long precedence,
            PriorityLevel level,
            Ticket.Headers headers,
            Distinguisher distinguisher,
            List<Rule> rules) {
        this.name = name;
        this.precedence = precedence;
        this.level = level;
        this.stats = level.queues.statsOf(name);
        this.headers = headers;
        this.distinguisher = distinguisher;
        this.rules = List.copyOf(rules);
        QueueSet.Shape shape = level.spec.shape();
        this.dealer = shape.kind() == QueueSet.Kind.QUEUE ? new Dealer(shape.queues(), shape.handSize()) : null;
    }

    /** From an object's {@code spec}. */
    static FlowSchema of(String name, String uid, JsonNode spec, PriorityLevel level) {
        List<Rule> rules = new ArrayList<>();
        for (JsonNode rule : spec.path("rules")) {
            rules.add(new Rule(
                    list(rule.path("subjects"), Subject::of),
                    list(rule.path("resourceRules"), ResourceRule::of),
                    list(rule.path("nonResourceRules"), PathRule::of)));
        }
        Distinguisher method =
                switch (spec.path("distinguisherMethod").path("type").asText("")) {
                    case "ByUser" -> Distinguisher.BY_USER;
                    case "ByNamespace" -> Distinguisher.BY_NAMESPACE;
                    default -> Distinguisher.NONE;
                };
        return new FlowSchema(
                name,
                spec.path("matchingPrecedence").asLong(1000),
                level,
                new Ticket.Headers(List.of(uid), level.uid),
                method,
                rules);
    }

    boolean matches(RequestInfo info, UserInfo user) {
        for (Rule rule : rules) {
            if (rule.matches(info, user)) {
                return true;
            }
        }
        return false;
    }

    /** What tells this request's flow from others of the schema. */
    String flow(RequestInfo info, UserInfo user) {
        return switch (distinguisher) {
            case NONE -> "";
            case BY_USER -> user.name();
            case BY_NAMESPACE -> info.namespace();
        };
    }

    /** The queues that a flow may use, by a hash that is hard to aim: so nobody shares another's queues on purpose. */
    int[] hand(String flow) {
        Dealer deals = dealer;
        if (deals == null) {
            return NO_HAND;
        }
        int[] known = hands.get(flow);
        if (known != null) {
            return known;
        }
        if (hands.size() >= REMEMBERED) {
            hands.clear();
        }
        int[] hand = new int[deals.handSize()];
        deals.deal(sha256(name + '\0' + flow), hand);
        hands.put(flow, hand);
        return hand;
    }

    /** Tells of every user, group and account that a rule names; see {@link SubjectIndex}. */
    void subjects(SubjectIndex.Collector collector) {
        for (Rule rule : rules) {
            for (Subject subject : rule.subjects()) {
                switch (subject.kind()) {
                    case USER, ACCOUNT -> collector.user(subject.name());
                    case GROUP -> collector.group(subject.name());
                    case ACCOUNTS -> collector.accounts();
                    case EVERYBODY -> collector.everybody();
                    case NOBODY -> {}
                }
            }
        }
    }

    private static long sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).order(ByteOrder.LITTLE_ENDIAN).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no SHA-256", e);
        }
    }

    private static <T> List<T> list(JsonNode array, Function<JsonNode, T> read) {
        List<T> all = new ArrayList<>(array.size());
        array.forEach(item -> all.add(read.apply(item)));
        return List.copyOf(all);
    }

    private static List<String> texts(JsonNode array) {
        return list(array, JsonNode::asText);
    }

    /** The wildcard counts only if it stands alone, as validation wants it. */
    private static boolean has(List<String> list, String wanted) {
        if (list.size() == 1 && list.get(0).equals("*")) {
            return true;
        }
        return list.contains(wanted);
    }

    private record Rule(List<Subject> subjects, List<ResourceRule> resources, List<PathRule> paths) {
        boolean matches(RequestInfo info, UserInfo user) {
            boolean wanted = false;
            if (info.resourceRequest()) {
                for (ResourceRule rule : resources) {
                    if (rule.matches(info)) {
                        wanted = true;
                        break;
                    }
                }
            } else {
                for (PathRule rule : paths) {
                    if (rule.matches(info)) {
                        wanted = true;
                        break;
                    }
                }
            }
            if (!wanted) {
                return false;
            }
            for (Subject subject : subjects) {
                if (subject.matches(user)) {
                    return true;
                }
            }
            return false;
        }
    }

    /** @param name of the user or group; for accounts the user name, or its beginning if all of the namespace are meant */
    private record Subject(Kind kind, String name) {
        enum Kind {
            USER,
            GROUP,
            ACCOUNT,
            ACCOUNTS,
            EVERYBODY,
            NOBODY
        }

        static Subject of(JsonNode subject) {
            switch (subject.path("kind").asText("")) {
                case "User": {
                    String name = subject.path("user").path("name").asText("");
                    return new Subject(name.equals("*") ? Kind.EVERYBODY : Kind.USER, name);
                }
                case "Group": {
                    String name = subject.path("group").path("name").asText("");
                    return new Subject(name.equals("*") ? Kind.EVERYBODY : Kind.GROUP, name);
                }
                case "ServiceAccount": {
                    JsonNode account = subject.path("serviceAccount");
                    String prefix = ACCOUNT + account.path("namespace").asText("") + ":";
                    String name = account.path("name").asText("");
                    return name.equals("*")
                            ? new Subject(Kind.ACCOUNTS, prefix)
                            : new Subject(Kind.ACCOUNT, prefix + name);
                }
                default:
                    return new Subject(Kind.NOBODY, "");
            }
        }

        boolean matches(UserInfo user) {
            return switch (kind) {
                case USER, ACCOUNT -> user.name().equals(name);
                case GROUP -> user.groups().contains(name);
                case ACCOUNTS -> user.name().startsWith(name);
                case EVERYBODY -> true;
                case NOBODY -> false;
            };
        }
    }

    private record ResourceRule(
            List<String> verbs, List<String> groups, List<String> resources, boolean cluster, List<String> namespaces) {
        static ResourceRule of(JsonNode rule) {
            return new ResourceRule(
                    texts(rule.path("verbs")),
                    texts(rule.path("apiGroups")),
                    texts(rule.path("resources")),
                    rule.path("clusterScope").asBoolean(false),
                    texts(rule.path("namespaces")));
        }

        boolean matches(RequestInfo info) {
            if (!has(verbs, info.verb()) || !has(groups, info.group())) {
                return false;
            }
            String resource = info.subresource().isEmpty()
                    ? info.resource()
                    : resources.size() == 1 && resources.get(0).equals("*")
                            ? ""
                            : info.resource() + "/" + info.subresource();
            if (!has(resources, resource)) {
                return false;
            }
            return info.namespace().isEmpty() ? cluster : has(namespaces, info.namespace());
        }
    }

    private record PathRule(List<String> verbs, List<String> paths, List<String> prefixes) {
        static PathRule of(JsonNode rule) {
            List<String> paths = texts(rule.path("nonResourceURLs"));
            List<String> prefixes = new ArrayList<>();
            for (String path : paths) {
                String prefix = path.endsWith("*") ? path.substring(0, path.length() - 1) : path;
                prefixes.add(prefix.endsWith("/") ? prefix : prefix + "/");
            }
            return new PathRule(texts(rule.path("verbs")), paths, List.copyOf(prefixes));
        }

        boolean matches(RequestInfo info) {
            if (!has(verbs, info.verb())) {
                return false;
            }
            for (int i = 0; i < paths.size(); i++) {
                String path = paths.get(i);
                // Kubernetes lets a path stand for all that is below it, too.
                if (path.equals("*") || path.equals(info.path()) || info.path().startsWith(prefixes.get(i))) {
                    return true;
                }
            }
            return false;
        }
    }
}
