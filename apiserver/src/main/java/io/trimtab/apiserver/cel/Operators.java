package io.trimtab.apiserver.cel;

/** The names of the functions that operators stand for. */
final class Operators {
    static final String CONDITIONAL = "_?_:_";
    static final String AND = "_&&_";
    static final String OR = "_||_";
    static final String NOT = "!_";
    static final String NEGATE = "-_";
    static final String EQUALS = "_==_";
    static final String NOT_EQUALS = "_!=_";
    static final String IN = "@in";
    static final String INDEX = "_[_]";
    static final String OPTIONAL_INDEX = "_[?_]";
    static final String OPTIONAL_SELECT = "_?._";
    static final String ADD = "_+_";
    static final String NOT_STRICTLY_FALSE = "@not_strictly_false";
    static final String MAP_INSERT = "cel.@mapInsert";

    private Operators() {}
}
