package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.cel.CelType.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a checked expression can cost at most and at least, found from the sizes that schemas allow. The figures are part of the
 * API: they decide which rules a definition may have, so they are cel-go's and Kubernetes' own. Belongs to one estimate.
 */
public final class CostEstimator {
    private static final long UNLIMITED = Long.MAX_VALUE;
    private static final double TRAVERSAL = 0.1;
    private static final double REGEX = 0.25;

    /** A least and a most: of a cost, or of a size. {@link Long#MAX_VALUE} stands for what has no limit. */
    public record Range(long min, long max) {
        static final Range UNKNOWN = new Range(0, UNLIMITED);
        static final Range ZERO = new Range(0, 0);

        static Range of(long both) {
            return new Range(both, both);
        }

        Range plus(Range other) {
            return new Range(add(min, other.min), add(max, other.max));
        }

        Range times(Range other) {
            return new Range(multiply(min, other.min), multiply(max, other.max));
        }

        Range times(double factor) {
            return new Range(scale(min, factor), scale(max, factor));
        }

        Range union(Range other) {
            return new Range(Math.min(min, other.min), Math.max(max, other.max));
        }

        private static long add(long a, long b) {
            long sum = a + b;
            return sum < 0 ? UNLIMITED : sum;
        }

        private static long multiply(long a, long b) {
            return b != 0 && a > UNLIMITED / b ? UNLIMITED : a * b;
        }

        private static long scale(long a, double factor) {
            double scaled = Math.ceil(a * factor);
            return scaled >= 0x1p63 ? UNLIMITED : (long) scaled;
        }
    }

    /** Knows how large the values of variables can be. */
    public interface Sizes {
        /** Nothing is known. */
        Sizes NONE = path -> null;

        /**
         * The size of what a path leads to; null if that is not known.
         *
         * @param path a variable, then field names, or {@code @items}, {@code @keys}, {@code @values}
         */
        @Nullable
        Range of(List<String> path);

        /** Sizes below a declared type, whatever variable it is reached by. */
        static Sizes of(DeclType root) {
            return path -> {
                DeclType at = root;
                for (String step : path.subList(1, path.size())) {
                    DeclType next;
                    if (step.equals("@items") || step.equals("@values")) {
                        next = at.element();
                    } else if (step.equals("@keys")) {
                        next = at.isMap() ? DeclType.STRING : null;
                    } else {
                        DeclType.Field field = at.fields().get(step);
                        next = field == null ? null : field.type();
                    }
                    if (next == null) {
                        return null;
                    }
                    at = next;
                }
                return new Range(0, at.sizeForCosts());
            };
        }
    }

    /** Of what a list or map holds. */
    private record Entries(Kind container, Range key, Range value) {
        static @Nullable Entries union(@Nullable Entries one, @Nullable Entries other) {
            return one == null || other == null
                    ? null
                    : new Entries(one.container, one.key.union(other.key), one.value.union(other.value));
        }
    }

    private record Local(
            List<String> path,
            @Nullable Range size,
            @Nullable Entries entries) {}

    /** An argument, as estimates see it. */
    private record Node(
            @Nullable Expr expr,
            @Nullable List<String> path,
            CelType type,
            @Nullable Range size) {}

    private final Sizes sizes;
    private final Map<Expr, List<String>> paths = new IdentityHashMap<>();
    private final Map<Expr, Range> computed = new IdentityHashMap<>();
    private final Map<Expr, Entries> computedEntries = new IdentityHashMap<>();
    private final Map<String, List<Local>> locals = new HashMap<>();

    CostEstimator(Sizes sizes) {
        this.sizes = sizes;
    }

    Range estimate(Expr whole) {
        return cost(whole);
    }

    private Range cost(Expr e) {
        if (e instanceof Expr.Const) {
            return Range.ZERO;
        } else if (e instanceof Expr.Ident ident) {
            return ident(ident);
        } else if (e instanceof Expr.Select select) {
            return select(select);
        } else if (e instanceof Expr.Call call) {
            return call(call);
        } else if (e instanceof Expr.ListExpr list) {
            return list(list);
        } else if (e instanceof Expr.MapExpr map) {
            return map(map);
        } else if (e instanceof Expr.StructExpr struct) {
            Range sum = Range.of(40);
            for (Expr.Entry field : struct.fields) {
                sum = sum.plus(cost(field.value()));
            }
            return sum;
        }
        Expr.Comprehension loop = (Expr.Comprehension) e;
        return loop.isBind() ? bind(loop) : comprehension(loop);
    }

    private @Nullable Local local(String name) {
        List<Local> stack = locals.get(name);
        return stack == null || stack.isEmpty() ? null : stack.get(stack.size() - 1);
    }

    private void push(String name, Local local) {
        locals.computeIfAbsent(name, n -> new ArrayList<>()).add(local);
    }

    private void pop(String name) {
        List<Local> stack = locals.get(name);
        if (stack != null) {
            stack.remove(stack.size() - 1);
        }
    }

    private List<String> pathOf(Expr e) {
        if (e instanceof Expr.Ident ident) {
            Local local = local(ident.name);
            if (local != null) {
                return local.path();
            }
        }
        return paths.getOrDefault(e, List.of());
    }

    private static List<String> extend(List<String> path, String step) {
        List<String> longer = new ArrayList<>(path);
        longer.add(step);
        return longer;
    }

    private Range ident(Expr.Ident ident) {
        Local local = local(ident.name);
        paths.put(ident, local != null ? local.path() : List.of(ident.name));
        return Range.of(1);
    }

    private Range select(Expr.Select select) {
        if (select.resolved != null) {
            Range cost = ident(select.resolved);
            paths.put(select, pathOf(select.resolved));
            return cost;
        }
        Range sum = cost(select.operand);
        if (select.test) {
            return sum;
        }
        Kind kind = select.operand.type.kind();
        if (kind == Kind.MAP || kind == Kind.STRUCT || kind == Kind.PARAMETER) {
            sum = sum.plus(Range.of(1));
        }
        paths.put(select, extend(pathOf(select.operand), select.field));
        return sum;
    }

    private Range call(Expr.Call call) {
        if (call.function.equals("dyn") && call.args.size() == 1) {
            Range cost = cost(call.args.get(0)).plus(Range.of(1));
            copySizes(call, call.args.get(0));
            return cost;
        }
        List<Range> argCosts = new ArrayList<>();
        List<Node> args = new ArrayList<>();
        for (Expr arg : call.args) {
            argCosts.add(cost(arg));
            args.add(node(arg));
        }
        if (call.overloads.isEmpty() && !call.function.equals(Operators.OPTIONAL_SELECT)) {
            return Range.ZERO;
        }
        Range sum = Range.ZERO;
        Node target = null;
        if (call.target != null) {
            sum = cost(call.target);
            target = node(call.target);
        }
        List<String> ids = call.overloads.isEmpty()
                ? List.of("select_optional_field")
                : call.overloads.stream().map(Overload::id).toList();
        Range own = new Range(UNLIMITED, 0);
        Range resultSize = null;
        for (String id : ids) {
            Estimate estimate = function(call, id, target, args, argCosts);
            own = own.union(estimate.cost());
            if (estimate.size() != null) {
                resultSize = resultSize == null ? estimate.size() : resultSize.union(estimate.size());
            }
            if (id.equals("index_list") || id.equals("index_map")) {
                Entries entries = entries(call.args.get(0));
                resultSize = entries == null ? null : entries.value();
                paths.put(call, extend(pathOf(call.args.get(0)), id.equals("index_list") ? "@items" : "@values"));
            }
            if (resultSize == null) {
                resultSize = size(call);
            }
        }
        if (resultSize != null) {
            computed.put(call, resultSize);
        }
        return sum.plus(own);
    }

    private Range list(Expr.ListExpr list) {
        Range sum = Range.of(10);
        Range item = list.elements.isEmpty() ? Range.ZERO : new Range(UNLIMITED, 0);
        for (Expr element : list.elements) {
            sum = sum.plus(cost(element));
            item = item.union(sizeOrUnknown(element));
        }
        computedEntries.put(list, new Entries(Kind.LIST, Range.of(1), item));
        return sum;
    }

    private Range map(Expr.MapExpr map) {
        Range sum = Range.of(30);
        Range key = map.entries.isEmpty() ? Range.ZERO : new Range(UNLIMITED, 0);
        Range value = key;
        for (Expr.Entry entry : map.entries) {
            sum = sum.plus(cost(entry.key())).plus(cost(entry.value()));
            key = key.union(sizeOrUnknown(entry.key()));
            value = value.union(sizeOrUnknown(entry.value()));
        }
        computedEntries.put(map, new Entries(Kind.MAP, key, value));
        return sum;
    }

    private Range bind(Expr.Comprehension bind) {
        Range sum = cost(bind.range).plus(cost(bind.init));
        push(bind.accumulator, new Local(pathOf(bind.init), size(bind.init), entries(bind.init)));
        sum = sum.plus(cost(bind.result));
        pop(bind.accumulator);
        copySizes(bind, bind.result);
        return sum;
    }

    private Range comprehension(Expr.Comprehension loop) {
        Range sum = cost(loop.range).plus(cost(loop.init));
        push(loop.accumulator, new Local(pathOf(loop.init), size(loop.init), entries(loop.init)));
        Entries entries = entries(loop.range);
        List<String> path = pathOf(loop.range);
        Kind container = entries != null ? entries.container() : loop.range.type.kind();
        boolean isList = container == Kind.LIST;
        Range keys = entries == null ? null : entries.key();
        Range values = entries == null ? null : entries.value();
        if (loop.variable2 != null) {
            push(loop.variable, new Local(extend(path, isList ? "@indices" : "@keys"), keys, null));
            push(loop.variable2, new Local(extend(path, isList ? "@items" : "@values"), values, null));
        } else {
            push(loop.variable, new Local(extend(path, isList ? "@items" : "@keys"), isList ? values : keys, null));
        }
        Range turn = cost(loop.condition);
        turn = cost(loop.step).plus(turn);
        pop(loop.variable);
        if (loop.variable2 != null) {
            pop(loop.variable2);
        }
        sum = sum.plus(cost(loop.result));
        pop(loop.accumulator);
        Range count = sizeOrUnknown(loop.range);
        sum = sum.plus(count.times(turn));
        if (loop.init instanceof Expr.Const) {
            Range size = size(loop.init);
            if (size != null) {
                computed.put(loop, size);
            }
        } else if (loop.init instanceof Expr.ListExpr || loop.init instanceof Expr.MapExpr) {
            computed.put(loop, count);
            Entries step = entries(loop.step);
            if (step != null) {
                computedEntries.put(loop, step);
            }
        }
        return sum;
    }

    private Node node(Expr e) {
        List<String> path = pathOf(e);
        boolean none = path.isEmpty() || path.get(0).equals(Macros.ACCUMULATOR);
        return new Node(e, none ? null : path, e.type, size(e));
    }

    private void copySizes(Expr to, Expr from) {
        Range size = size(from);
        if (size != null) {
            computed.put(to, size);
        }
        Entries entries = entries(from);
        if (entries != null) {
            computedEntries.put(to, entries);
        }
    }

    private @Nullable Range size(Expr e) {
        Range known = computed.get(e);
        if (known != null) {
            return known;
        }
        if (e instanceof Expr.Const c) {
            return Range.of(c.value instanceof CelNull ? 1 : Values.size(c.value));
        } else if (e instanceof Expr.ListExpr list) {
            return Range.of(list.elements.size());
        } else if (e instanceof Expr.MapExpr map) {
            return Range.of(map.entries.size());
        }
        List<String> path = pathOf(e);
        if (!path.isEmpty()) {
            Range size = sizes.of(path);
            if (size != null) {
                computed.put(e, size);
                return size;
            }
        }
        if (e.type.isScalar()) {
            return Range.of(1);
        }
        if (e instanceof Expr.Ident ident) {
            Local local = local(ident.name);
            if (local != null) {
                return local.size();
            }
        }
        return null;
    }

    private Range sizeOrUnknown(Expr e) {
        Range size = size(e);
        return size == null ? Range.UNKNOWN : size;
    }

    private @Nullable Entries entries(Expr e) {
        Entries known = computedEntries.get(e);
        if (known != null) {
            return known;
        }
        Local local = e instanceof Expr.Ident ident ? local(ident.name) : null;
        return local == null ? null : local.entries();
    }

    /** As the language itself sees the size of an argument. */
    private static Range known(Node node) {
        return node.size() == null ? Range.UNKNOWN : node.size();
    }

    /** As Kubernetes' functions see it: what the path leads to counts, too. */
    private Range sized(Node node) {
        if (node.size() != null) {
            return node.size();
        }
        Range size = node.path() == null ? null : sizes.of(node.path());
        return size == null ? Range.UNKNOWN : size;
    }

    private record Estimate(Range cost, @Nullable Range size) {
        static Estimate of(Range cost) {
            return new Estimate(cost, null);
        }

        Estimate plus(Range more) {
            return new Estimate(cost.plus(more), size);
        }
    }

    private Estimate function(Expr.Call call, String id, @Nullable Node target, List<Node> args, List<Range> argCosts) {
        Range all = Range.ZERO;
        for (Range cost : argCosts) {
            all = all.plus(cost);
        }
        if (id.startsWith("list_sets_")) {
            Range product = sized(args.get(0)).times(sized(args.get(1)));
            return Estimate.of(
                            product.times(id.contains("equivalent") ? 2.0 : 1.0).plus(Range.of(1)))
                    .plus(all);
        }
        Estimate own = library(call.function, id, target, args);
        if (own != null) {
            return own.plus(all);
        }
        switch (id) {
            case "string_format":
                if (target != null) {
                    return Estimate.of(known(target).times(TRAVERSAL).plus(all));
                }
                break;
            case "string_to_bytes", "bytes_to_string", "strings_quote": {
                Range size = known(args.get(0));
                Range result = id.equals("string_to_bytes")
                        ? new Range(size.min(), Range.multiply(size.max(), 4))
                        : id.equals("bytes_to_string")
                                ? new Range(size.min() / 4, size.max())
                                : size.times(Range.of(2)).plus(Range.of(2));
                return new Estimate(size.times(TRAVERSAL).plus(all), result);
            }
            case "starts_with_string", "ends_with_string":
                return Estimate.of(known(args.get(0)).times(TRAVERSAL).plus(all));
            case "in_list":
                return Estimate.of(known(args.get(1)).plus(all));
            case "matches_string":
                if (target != null && args.size() == 1) {
                    Range text = known(target).plus(Range.of(1)).times(TRAVERSAL);
                    return Estimate.of(
                            text.times(known(args.get(0)).times(REGEX)).plus(all));
                }
                break;
            case "contains_string":
                if (target != null) {
                    Range text = known(target).times(TRAVERSAL);
                    return Estimate.of(
                            text.times(known(args.get(0)).times(TRAVERSAL)).plus(all));
                }
                break;
            case "logical_or", "logical_and":
                return Estimate.of(new Range(
                        argCosts.get(0).min(),
                        argCosts.get(0).plus(argCosts.get(1)).max()));
            case "conditional": {
                Range size = known(args.get(1)).union(known(args.get(2)));
                Entries entries = Entries.union(entries(call.args.get(1)), entries(call.args.get(2)));
                if (entries != null) {
                    computedEntries.put(call, entries);
                }
                return new Estimate(argCosts.get(0).plus(argCosts.get(1).union(argCosts.get(2))), size);
            }
            case "add_string", "add_bytes", "add_list": {
                Range result = known(args.get(0)).plus(known(args.get(1)));
                Entries entries = Entries.union(entries(call.args.get(0)), entries(call.args.get(1)));
                if (entries != null) {
                    computedEntries.put(call, entries);
                }
                Range cost = id.equals("add_list") ? Range.of(1) : result.times(TRAVERSAL);
                return new Estimate(cost.plus(all), result);
            }
            case "less_string",
                    "greater_string",
                    "less_equals_string",
                    "greater_equals_string",
                    "less_bytes",
                    "greater_bytes",
                    "less_equals_bytes",
                    "greater_equals_bytes",
                    "equals",
                    "not_equals": {
                long most =
                        Math.min(known(args.get(0)).max(), known(args.get(1)).max());
                return Estimate.of(
                        new Range(most > 0 ? 1 : 0, most).times(TRAVERSAL).plus(all));
            }
            default:
                break;
        }
        return Estimate.of(Range.of(1).plus(all));
    }

    private static final Range ONE = Range.of(1);

    private @Nullable Estimate library(String function, String id, @Nullable Node target, List<Node> args) {
        switch (function) {
            case "check":
                return Estimate.of(Range.of(350_000));
            case "serviceAccount",
                    "path",
                    "group",
                    "resource",
                    "subresource",
                    "namespace",
                    "name",
                    "allowed",
                    "reason",
                    "error",
                    "errored",
                    "masked",
                    "prefixLength",
                    "family",
                    "isUnspecified",
                    "isLoopback",
                    "isLinkLocalMulticast",
                    "isLinkLocalUnicast",
                    "isGlobalUnicast",
                    "format.named",
                    "sign",
                    "asInteger",
                    "isInteger",
                    "asApproximateFloat",
                    "isGreaterThan",
                    "isLessThan",
                    "compareTo",
                    "add",
                    "sub",
                    "major",
                    "minor",
                    "patch",
                    "getScheme",
                    "getHostname",
                    "getHost",
                    "getPort",
                    "getEscapedPath",
                    "getQuery":
                return Estimate.of(ONE);
            case "fieldSelector", "labelSelector":
                return Estimate.of(CallCosts.selector(sized(args.get(0))));
            case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf":
                return target == null ? null : Estimate.of(traversal(target));
            case "url", "jsonpatch.escapeKey": {
                Range size = sized(args.get(0));
                return new Estimate(size.times(TRAVERSAL), size);
            }
            case "lowerAscii", "upperAscii", "substring", "trim": {
                if (target == null) {
                    return null;
                }
                Range size = sized(target);
                return new Estimate(size.times(TRAVERSAL), size);
            }
            case "replace":
                return target == null ? null : replace(sized(target), sized(args.get(0)), sized(args.get(1)));
            case "split": {
                if (target == null) {
                    return null;
                }
                Range size = sized(target);
                long most = size.max();
                if (args.size() > 1 && args.get(1).expr() instanceof Expr.Const c && c.value instanceof Long limit) {
                    most = limit < 0 ? UNLIMITED : limit;
                }
                return new Estimate(size.times(2 * TRAVERSAL), new Range(0, most));
            }
            case "join":
                return target == null ? null : join(target, args);
            case "find", "findAll": {
                if (target == null) {
                    return null;
                }
                Range size = sized(target);
                Range text = size.plus(ONE).times(TRAVERSAL);
                return new Estimate(text.times(sized(args.get(0)).times(REGEX)), new Range(0, size.max()));
            }
            case "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver":
                return Estimate.of(sized(args.get(0)).times(TRAVERSAL));
            case "ip":
                return Estimate.of(
                        id.equals("cidr_ip") ? ONE : sized(args.get(0)).times(TRAVERSAL));
            case "ip.isCanonical":
                return Estimate.of(sized(args.get(0)).times(2 * TRAVERSAL));
            case "containsIP", "containsCIDR": {
                Range octets = new Range(4, 16);
                Range cost = octets.plus(octets).times(TRAVERSAL);
                if (function.equals("containsCIDR")) {
                    cost = cost.plus(octets.times(TRAVERSAL)).plus(ONE);
                }
                return Estimate.of(
                        id.endsWith("_string") ? cost.plus(sized(args.get(0)).times(TRAVERSAL)) : cost);
            }
            case "validate":
                return Estimate.of(sized(args.get(0)).times(TRAVERSAL).times(128 * REGEX));
            case Operators.EQUALS: {
                CelType type = args.get(0).type();
                if (!type.equals(args.get(1).type())) {
                    return null;
                }
                if (type.name().equals("kubernetes.NamedFormat")) {
                    return Estimate.of(new Range(1, 64).times(TRAVERSAL));
                }
                if (type.name().equals("kubernetes.URL")) {
                    Range size = args.get(1).size();
                    return Estimate.of(new Range(1, size == null ? 1 : size.max()).times(TRAVERSAL));
                }
                return Libraries.TYPES.contains(type) ? Estimate.of(ONE) : null;
            }
            default:
                return null;
        }
    }

    private Node items(Node list) {
        CelType element = list.type().parameter(0);
        return new Node(null, list.path() == null ? null : extend(list.path(), "@items"), element, null);
    }

    private Range traversal(Node target) {
        if (target.type().parameters().isEmpty()) {
            return sized(target).times(TRAVERSAL);
        }
        Node item = items(target);
        Range each = ONE;
        if (item.type().kind() == Kind.STRING || item.type().kind() == Kind.BYTES) {
            each = each.plus(sized(item).times(TRAVERSAL));
        }
        return sized(target).times(each);
    }

    private static Estimate replace(Range text, Range from, Range to) {
        long most = 0;
        long keptMost = 0;
        if (from.min() == 0) {
            most = Range.add(text.max(), 1);
            keptMost = text.max();
        } else if (to.max() <= from.min()) {
            keptMost = text.max();
        } else {
            most = (long) Math.ceil((double) text.max() / from.min());
        }
        long least = 0;
        long keptLeast = 0;
        if (from.max() == 0) {
            least = Range.add(text.min(), 1);
            keptLeast = text.min();
        } else if (from.max() <= to.min()) {
            keptLeast = text.min();
        } else {
            least = (long) Math.ceil((double) text.min() / from.max());
        }
        Range size = new Range(least, most).times(to).plus(new Range(keptLeast, keptMost));
        return new Estimate(text.times(2 * TRAVERSAL), size);
    }

    private Estimate join(Node target, List<Node> args) {
        Range list = sized(target);
        Range size = target.type().parameters().isEmpty() ? Range.ZERO : list.times(sized(items(target)));
        if (!args.isEmpty()) {
            Range between = new Range(Math.max(0, list.min() - 1), Math.max(0, list.max() - 1));
            size = size.plus(sized(args.get(0)).times(between));
        }
        return new Estimate(size.times(TRAVERSAL), size);
    }
}
