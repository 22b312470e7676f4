package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The environments of expressions about who asks: the claims of a token, the user made of them, and what that user is about to do.
 * Stateless.
 */
public final class IdentityExpressions {
    private static final DeclType TEXT = DeclType.STRING;
    private static final DeclType USER = object(
            "kubernetes.UserInfo",
            "username",
            TEXT,
            "uid",
            TEXT,
            "groups",
            list(TEXT),
            "extra",
            DeclType.map(list(TEXT), -1));
    private static final DeclType REQUIREMENT =
            object("kubernetes.SelectorRequirement", "key", TEXT, "operator", TEXT, "values", list(TEXT));
    private static final DeclType RESOURCE = object(
            "kubernetes.ResourceAttributes",
            "namespace",
            TEXT,
            "verb",
            TEXT,
            "group",
            TEXT,
            "version",
            TEXT,
            "resource",
            TEXT,
            "subresource",
            TEXT,
            "name",
            TEXT,
            "fieldSelector",
            object("kubernetes.FieldSelectorAttributes", "rawSelector", TEXT, "requirements", list(REQUIREMENT)),
            "labelSelector",
            object("kubernetes.LabelSelectorAttributes", "rawSelector", TEXT, "requirements", list(REQUIREMENT)));
    private static final DeclType REVIEW = object(
            "kubernetes.SubjectAccessReviewSpec",
            "resourceAttributes",
            RESOURCE,
            "nonResourceAttributes",
            object("kubernetes.NonResourceAttributes", "path", TEXT, "verb", TEXT),
            "user",
            TEXT,
            "groups",
            list(TEXT),
            "extra",
            DeclType.map(list(TEXT), -1),
            "uid",
            TEXT);

    private IdentityExpressions() {}

    /** Names {@code claims}. */
    public static CelEnvironment ofClaims() {
        return CelEnvironment.base().with("claims", CelType.map(CelType.STRING, CelType.DYN));
    }

    /** Names {@code user}. */
    public static CelEnvironment ofUsers() {
        return CelEnvironment.base().with(USER.provider()).with("user", USER.celType());
    }

    /** Names {@code request}: the spec of a SubjectAccessReview. */
    public static CelEnvironment ofRequests() {
        return CelEnvironment.base().with(REVIEW.provider()).with("request", REVIEW.celType());
    }

    /** Claims as a value: numbers are floating, as JSON's are in Go. */
    public static Object claims(ObjectNode claims) {
        return new Claims(claims);
    }

    /** A user as a value: with {@code username}, {@code uid}, {@code groups} and {@code extra}. */
    public static Object user(ObjectNode user) {
        return Values.of(user, USER);
    }

    /** A request as a value. */
    public static Object request(ObjectNode spec) {
        return Values.of(spec, REVIEW);
    }

    private static Object value(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> new Claims((ObjectNode) node);
            case ARRAY -> new Items((ArrayNode) node);
            case STRING -> node.textValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER -> node.doubleValue();
            default -> CelNull.NULL;
        };
    }

    private static DeclType list(DeclType element) {
        return DeclType.list(element, -1, "", List.of());
    }

    private static DeclType object(String name, Object... fields) {
        Map<String, DeclType.Field> all = new LinkedHashMap<>();
        for (int i = 0; i < fields.length; i += 2) {
            String field = (String) fields[i];
            String escaped = Escaping.escape(field);
            all.put(escaped == null ? field : escaped, new DeclType.Field(field, (DeclType) fields[i + 1]));
        }
        return DeclType.object(name, all, 2);
    }

    /** An object of claims: a name that is no identifier may be given escaped. */
    private static final class Claims extends CelMap {
        private final ObjectNode node;

        Claims(ObjectNode node) {
            this.node = node;
        }

        @Override
        public int size() {
            return node.size();
        }

        @Override
        public @Nullable Object find(Object key) {
            String name = key instanceof String text ? Escaping.unescape(text) : null;
            JsonNode found = key instanceof String text ? node.get(name == null ? text : name) : null;
            return found == null ? null : value(found);
        }

        @Override
        public Iterable<Object> keys() {
            List<Object> keys = new ArrayList<>(node.size());
            node.fieldNames().forEachRemaining(keys::add);
            return keys;
        }
    }

    private static final class Items extends CelList {
        private final ArrayNode node;

        Items(ArrayNode node) {
            this.node = node;
        }

        @Override
        public int size() {
            return node.size();
        }

        @Override
        public Object get(int i) {
            return value(node.get(i));
        }
    }
}
