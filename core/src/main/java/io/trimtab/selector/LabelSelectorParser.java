package io.trimtab.selector;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Reads the text form of a label selector. Grammar, oddities and messages are those of Kubernetes (apimachinery,
 * labels/selector.go): in particular {@code in} and {@code notin} are words only where an operator may stand, so that they
 * can be keys and values too.
 */
final class LabelSelectorParser {

    private enum Kind {
        ERROR,
        END,
        CLOSE,
        COMMA,
        NOT,
        DOUBLE_EQUALS,
        EQUALS,
        GREATER,
        IDENTIFIER,
        IN,
        LESS,
        NOT_EQUALS,
        NOT_IN,
        OPEN
    }

    private record Token(Kind kind, String text) {
        /** How it is read where no operator may stand. */
        Kind asWord() {
            return kind == Kind.IN || kind == Kind.NOT_IN ? Kind.IDENTIFIER : kind;
        }
    }

    private static final Map<String, Kind> WORDS = Map.ofEntries(
            Map.entry(")", Kind.CLOSE),
            Map.entry(",", Kind.COMMA),
            Map.entry("!", Kind.NOT),
            Map.entry("==", Kind.DOUBLE_EQUALS),
            Map.entry("=", Kind.EQUALS),
            Map.entry(">", Kind.GREATER),
            Map.entry("in", Kind.IN),
            Map.entry("<", Kind.LESS),
            Map.entry("!=", Kind.NOT_EQUALS),
            Map.entry("notin", Kind.NOT_IN),
            Map.entry("(", Kind.OPEN));

    private static final String BINARY_OPERATORS = "in, notin, =, ==, !=, gt, lt";

    private final String text;
    private final List<Token> tokens = new ArrayList<>();
    private int next;

    private LabelSelectorParser(String text) {
        this.text = text;
    }

    static List<Requirement> parse(String text) {
        LabelSelectorParser parser = new LabelSelectorParser(text);
        parser.scan();
        return parser.requirements();
    }

    // ---- Tokens ----------------------------------------------------------------------------------------------------

    private void scan() {
        int at = 0;
        while (true) {
            while (at < text.length() && isSpace(text.charAt(at))) {
                at++;
            }
            if (at >= text.length() || text.charAt(at) == 0) {
                tokens.add(new Token(Kind.END, ""));
                return;
            }
            at = isSymbol(text.charAt(at)) ? scanSymbol(at) : scanWord(at);
        }
    }

    private int scanWord(int start) {
        int end = start;
        while (end < text.length()
                && text.charAt(end) != 0
                && !isSymbol(text.charAt(end))
                && !isSpace(text.charAt(end))) {
            end++;
        }
        String word = text.substring(start, end);
        tokens.add(new Token(WORDS.getOrDefault(word, Kind.IDENTIFIER), word));
        return end;
    }

    /** Takes symbols while they make an operator; once they did and no longer do, the last one is put back. */
    private int scanSymbol(int start) {
        Token found = null;
        int end = start;
        while (end < text.length() && isSymbol(text.charAt(end))) {
            String symbols = text.substring(start, end + 1);
            Kind kind = WORDS.get(symbols);
            if (kind != null) {
                found = new Token(kind, symbols);
            } else if (found != null) {
                break;
            }
            end++;
        }
        tokens.add(
                found != null
                        ? found
                        : new Token(Kind.ERROR, "error expected: keyword found '" + text.substring(start, end) + "'"));
        return end;
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }

    private static boolean isSymbol(char c) {
        return switch (c) {
            case '=', '!', '(', ')', ',', '>', '<' -> true;
            default -> false;
        };
    }

    private Token peek() {
        return tokens.get(next);
    }

    private Token take() {
        return tokens.get(next++);
    }

    // ---- Grammar ---------------------------------------------------------------------------------------------------

    private List<Requirement> requirements() {
        List<Requirement> requirements = new ArrayList<>();
        while (true) {
            Token first = peek();
            switch (first.asWord()) {
                case IDENTIFIER, NOT -> requirements.add(requirement());
                case END -> {
                    return requirements;
                }
                default ->
                    throw new InvalidSelectorException(
                            "found '" + first.text() + "', expected: !, identifier, or 'end of string'");
            }
            Token after = take();
            if (after.kind() == Kind.END) {
                return requirements;
            }
            if (after.kind() != Kind.COMMA) {
                throw new InvalidSelectorException("found '" + after.text() + "', expected: ',' or 'end of string'");
            }
            Token following = peek();
            if (following.asWord() != Kind.IDENTIFIER && following.asWord() != Kind.NOT) {
                throw new InvalidSelectorException("found '" + following.text() + "', expected: identifier after ','");
            }
        }
    }

    private Requirement requirement() {
        Token key = take();
        boolean negated = key.kind() == Kind.NOT;
        if (negated) {
            key = take();
        }
        if (key.asWord() != Kind.IDENTIFIER) {
            throw unparsable("found '" + key.text() + "', expected: identifier");
        }
        // Here Kubernetes has no path to name the field by, and prints that.
        LabelSyntax.keyError("<nil>", key.text()).ifPresent(e -> {
            throw unparsable(e);
        });
        if (negated) {
            return checked(key.text(), Operator.DOES_NOT_EXIST, List.of());
        }
        if (peek().kind() == Kind.END || peek().kind() == Kind.COMMA) {
            return checked(key.text(), Operator.EXISTS, List.of());
        }
        Operator operator = operator();
        List<String> values =
                operator == Operator.IN || operator == Operator.NOT_IN ? valueSet() : List.of(exactValue());
        return checked(key.text(), operator, values);
    }

    private static Requirement checked(String key, Operator operator, List<String> values) {
        try {
            return Requirement.of(key, operator, values);
        } catch (InvalidSelectorException e) {
            throw unparsable(String.valueOf(e.getMessage()));
        }
    }

    private Operator operator() {
        Token token = take();
        return switch (token.kind()) {
            case IN -> Operator.IN;
            case NOT_IN -> Operator.NOT_IN;
            case EQUALS -> Operator.EQUALS;
            case DOUBLE_EQUALS -> Operator.DOUBLE_EQUALS;
            case NOT_EQUALS -> Operator.NOT_EQUALS;
            case GREATER -> Operator.GREATER_THAN;
            case LESS -> Operator.LESS_THAN;
            case ERROR, END, CLOSE, COMMA, NOT, IDENTIFIER, OPEN ->
                throw unparsable("found '" + token.text() + "', expected: " + BINARY_OPERATORS);
        };
    }

    private List<String> valueSet() {
        Token open = take();
        if (open.kind() != Kind.OPEN) {
            throw unparsable("found '" + open.text() + "' expected: '('");
        }
        Token first = peek();
        return switch (first.asWord()) {
            case IDENTIFIER, COMMA -> {
                List<String> values = List.copyOf(identifiers());
                if (take().kind() != Kind.CLOSE) {
                    throw unparsable("found '" + first.text() + "', expected: ')'");
                }
                yield values;
            }
            case CLOSE -> {
                take();
                yield List.of("");
            }
            default -> throw unparsable("found '" + first.text() + "', expected: ',', ')' or identifier");
        };
    }

    /** Leaves the closing parenthesis to the caller. A missing identifier stands for the empty value. */
    private TreeSet<String> identifiers() {
        TreeSet<String> values = new TreeSet<>();
        while (true) {
            Token token = take();
            switch (token.asWord()) {
                case IDENTIFIER -> {
                    values.add(token.text());
                    Token after = peek();
                    if (after.kind() == Kind.CLOSE) {
                        return values;
                    }
                    if (after.kind() != Kind.COMMA) {
                        throw unparsable("found '" + after.text() + "', expected: ',' or ')'");
                    }
                }
                case COMMA -> {
                    if (values.isEmpty()) {
                        values.add("");
                    }
                    Kind after = peek().kind();
                    if (after == Kind.CLOSE) {
                        values.add("");
                        return values;
                    }
                    if (after == Kind.COMMA) {
                        take();
                        values.add("");
                    }
                }
                default -> throw unparsable("found '" + token.text() + "', expected: ',', or identifier");
            }
        }
    }

    private String exactValue() {
        if (peek().kind() == Kind.END || peek().kind() == Kind.COMMA) {
            return "";
        }
        Token token = take();
        if (token.asWord() != Kind.IDENTIFIER) {
            throw unparsable("found '" + token.text() + "', expected: identifier");
        }
        return token.text();
    }

    private static InvalidSelectorException unparsable(String message) {
        return new InvalidSelectorException("unable to parse requirement: " + message);
    }
}
