package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.cel.CelType.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What type parameters have turned out to be: unification as cel-go does it. Belongs to one compilation. */
final class Substitutions {
    private Map<String, CelType> map = new HashMap<>();

    /** Whether values of one type can stand where the other is expected; remembers what was learnt if so. */
    boolean assign(CelType one, CelType other) {
        Map<String, CelType> before = new HashMap<>(map);
        if (isAssignable(one, other)) {
            return true;
        }
        map = before;
        return false;
    }

    boolean assignAll(List<CelType> ones, List<CelType> others) {
        Map<String, CelType> before = map.isEmpty() ? Map.of() : new HashMap<>(map);
        if (areAssignable(ones, others)) {
            return true;
        }
        map = new HashMap<>(before);
        return false;
    }

    private boolean areAssignable(List<CelType> ones, List<CelType> others) {
        if (ones.size() != others.size()) {
            return false;
        }
        for (int i = 0; i < ones.size(); i++) {
            if (!isAssignable(ones.get(i), others.get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean isAssignable(CelType one, CelType other) {
        if (other.kind() == Kind.PARAMETER) {
            CelType known = map.get(other.name());
            if (isSubstitution(one, other)) {
                return true;
            }
            if (known != null) {
                return false;
            }
        }
        if (one.kind() == Kind.PARAMETER) {
            return isSubstitution(other, one);
        }
        if (one.isDynOrError() || other.isDynOrError()) {
            return true;
        }
        if (one.kind() == Kind.NULL) {
            return isNullable(other);
        }
        if (other.kind() == Kind.NULL) {
            return isNullable(one);
        }
        return switch (one.kind()) {
            case TYPE -> other.kind() == Kind.TYPE;
            case OPAQUE, LIST, MAP ->
                one.kind() == other.kind()
                        && one.name().equals(other.name())
                        && areAssignable(padded(one), padded(other));
            default -> one.equals(other);
        };
    }

    /** Lists and maps without parameters are of anything. */
    private static List<CelType> padded(CelType type) {
        if (!type.parameters().isEmpty()) {
            return type.parameters();
        }
        return switch (type.kind()) {
            case LIST -> List.of(CelType.DYN);
            case MAP -> List.of(CelType.DYN, CelType.DYN);
            default -> List.of();
        };
    }

    private static boolean isNullable(CelType type) {
        return switch (type.kind()) {
            case OPAQUE, STRUCT, DURATION, TIMESTAMP, NULL -> true;
            default -> false;
        };
    }

    private boolean isSubstitution(CelType type, CelType parameter) {
        if (type.equals(parameter)) {
            return true;
        }
        CelType known = map.get(parameter.name());
        if (known != null) {
            if (type.equals(known)) {
                return true;
            }
            if (isAssignable(type, known)) {
                CelType general = mostGeneral(type, known);
                if (isFree(parameter, general)) {
                    map.put(parameter.name(), general);
                }
                return true;
            }
            return false;
        }
        if (isFree(parameter, type)) {
            map.put(parameter.name(), type);
            return true;
        }
        return false;
    }

    private boolean isFree(CelType parameter, CelType within) {
        if (parameter.equals(within)) {
            return false;
        }
        if (within.kind() == Kind.PARAMETER) {
            CelType known = map.get(within.name());
            return known == null || isFree(parameter, known);
        }
        for (CelType part : within.parameters()) {
            if (!isFree(parameter, part)) {
                return false;
            }
        }
        return true;
    }

    static CelType mostGeneral(CelType one, CelType other) {
        return isLessSpecific(one, other) ? one : other;
    }

    private static boolean isLessSpecific(CelType one, CelType other) {
        if (one.isDyn() || one.kind() == Kind.PARAMETER) {
            return true;
        }
        if (other.isDyn() || other.kind() == Kind.PARAMETER || one.kind() != other.kind()) {
            return false;
        }
        return switch (one.kind()) {
            case OPAQUE, LIST, MAP -> {
                if (!one.name().equals(other.name())
                        || one.parameters().size() != other.parameters().size()) {
                    yield false;
                }
                for (int i = 0; i < one.parameters().size(); i++) {
                    if (!isLessSpecific(
                            one.parameters().get(i), other.parameters().get(i))) {
                        yield false;
                    }
                }
                yield true;
            }
            case TYPE -> true;
            default -> one.equals(other);
        };
    }

    /** @param toDyn whether parameters about which nothing is known become dyn */
    CelType apply(CelType type, boolean toDyn) {
        if (type.kind() == Kind.PARAMETER) {
            CelType known = map.get(type.name());
            return known != null ? apply(known, toDyn) : toDyn ? CelType.DYN : type;
        }
        if (type.parameters().isEmpty()) {
            return type;
        }
        return new CelType(
                type.kind(),
                type.name(),
                type.parameters().stream().map(p -> apply(p, toDyn)).toList());
    }

    /** A type with its named parameters replaced by fresh ones. */
    static CelType instantiate(CelType type, Map<String, CelType> fresh) {
        if (type.kind() == Kind.PARAMETER) {
            @Nullable CelType with = fresh.get(type.name());
            return with == null ? type : with;
        }
        if (type.parameters().isEmpty()) {
            return type;
        }
        return new CelType(
                type.kind(),
                type.name(),
                type.parameters().stream().map(p -> instantiate(p, fresh)).toList());
    }
}
