package io.trimtab.apiserver.cel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What expressions may name: variables, types, and the functions of Kubernetes 1.34. Immutable; compiling is safe for use by any
 * thread.
 */
public final class CelEnvironment {
    private static final Map<String, CelType> TYPES = types();
    private final Map<String, CelType> variables;
    private final TypeProvider provider;
    private final Map<String, List<Overload>> functions;
    private final boolean binds;

    private CelEnvironment(
            Map<String, CelType> variables,
            TypeProvider provider,
            Map<String, List<Overload>> functions,
            boolean binds) {
        this.variables = variables;
        this.provider = provider;
        this.functions = functions;
        this.binds = binds;
    }

    /** All libraries, no variables. */
    public static CelEnvironment base() {
        return new CelEnvironment(Map.of(), TypeProvider.NONE, Libraries.COMMON, false);
    }

    /** This, with a variable more. */
    public CelEnvironment with(String variable, CelType type) {
        Map<String, CelType> more = new LinkedHashMap<>(variables);
        more.put(variable, type);
        return new CelEnvironment(more, provider, functions, binds);
    }

    /** This, with other types. */
    public CelEnvironment with(TypeProvider types) {
        return new CelEnvironment(variables, types, functions, binds);
    }

    /** This, with the functions that mutations have besides. */
    public CelEnvironment withMutations() {
        return new CelEnvironment(variables, provider, Libraries.MUTATION, binds);
    }

    /** This, with {@code cel.bind(name, value, expression)}. */
    public CelEnvironment withBindings() {
        return new CelEnvironment(variables, provider, functions, true);
    }

    /** Parses and checks. Never throws for what the text says: the result has the issues. */
    public Compilation compile(String text) {
        int[] source = text.codePoints().toArray();
        Issues issues = new Issues(source);
        Expr tree = Parser.parse(source, issues, binds);
        if (tree != null) {
            new Checker(this, issues).run(tree);
        }
        if (tree == null || !issues.isEmpty()) {
            return new Compilation(null, issues.toString());
        }
        return new Compilation(new CelProgram(tree, provider), "");
    }

    /**
     * What came of compiling.
     *
     * @param program null if there are issues
     * @param issues each with its place; empty if there are none
     */
    public record Compilation(@Nullable CelProgram program, String issues) {}

    @Nullable
    CelType variable(String name) {
        return variables.get(name);
    }

    @Nullable
    CelType namedType(String name) {
        CelType built = TYPES.get(name);
        return built != null ? built : provider.isNamed(name) ? CelType.struct(name) : null;
    }

    TypeProvider provider() {
        return provider;
    }

    List<Overload> functions(String name) {
        return functions.getOrDefault(name, List.of());
    }

    private static Map<String, CelType> types() {
        Map<String, CelType> types = new LinkedHashMap<>();
        for (CelType type : List.of(
                CelType.BOOL,
                CelType.BYTES,
                CelType.DOUBLE,
                CelType.DURATION,
                CelType.INT,
                CelType.NULL,
                CelType.STRING,
                CelType.TIMESTAMP,
                CelType.TYPE,
                CelType.UINT)) {
            types.put(type.name(), type);
        }
        types.put("list", CelType.list(CelType.DYN));
        types.put("map", CelType.map(CelType.DYN, CelType.DYN));
        types.put(CelType.OPTIONAL, CelType.optional(CelType.DYN));
        for (CelType type : Libraries.TYPES) {
            types.put(type.name(), type);
        }
        return types;
    }
}
