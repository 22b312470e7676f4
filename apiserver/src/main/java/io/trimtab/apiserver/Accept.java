package io.trimtab.apiserver;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client would take for an answer: its {@code Accept} header, read the way Kubernetes reads it. Two readers look at it there, and
 * both live on here: the router compares names and knows no ranges but the widest, then negotiation orders clauses by quality. Only
 * the first header counts. Immutable.
 *
 * @param header as it was sent; empty if there is none
 * @param clauses the best first
 */
public record Accept(String header, List<Clause> clauses) {

    /** One media range; names in the case in which they were sent, for they are compared so. */
    public record Clause(String type, String subtype, Map<String, String> parameters, double quality) {

        /** True if {@code application/x} is in the range. */
        public boolean takes(String mediaType) {
            int slash = mediaType.indexOf('/');
            return type.equals("*") && subtype.equals("*")
                    || type.length() == slash
                            && mediaType.startsWith(type)
                            && (subtype.equals("*")
                                    || mediaType.substring(slash + 1).equals(subtype));
        }

        /** The order of Kubernetes' library, which is none: of two ranges each may stand before the other. */
        private boolean before(Clause other) {
            return quality > other.quality
                    || !type.equals("*") && other.type.equals("*")
                    || !subtype.equals("*") && other.subtype.equals("*");
        }
    }

    public Accept {
        clauses = List.copyOf(clauses);
    }

    /** Reads the header of a request. */
    public static Accept of(ApiRequest request) {
        String header = request.header("accept");
        return of(header == null ? "" : header);
    }

    /** Reads a header. */
    static Accept of(String header) {
        List<Clause> clauses = new ArrayList<>(2);
        if (!header.isEmpty()) {
            for (String part : header.split(",")) {
                Clause clause = clause(trim(part));
                if (clause == null) {
                    continue;
                }
                int at = clauses.size();
                clauses.add(clause);
                // Step by step, as their sort does for so few: the order it leaves is that of these very comparisons.
                while (at > 0 && clause.before(clauses.get(at - 1))) {
                    clauses.set(at, clauses.get(at - 1));
                    clauses.set(--at, clause);
                }
            }
        }
        return new Accept(header, clauses);
    }

    private static @Nullable Clause clause(String text) {
        String[] pieces = text.split(";", -1);
        String[] names = pieces[0].split("/", -1);
        String type = trim(names[0]);
        boolean bare = names.length == 1 || names.length == 2 && names[1].isEmpty();
        if (bare && !type.equals("*") || names.length > 3 || names.length == 3 && !names[2].isEmpty()) {
            return null;
        }
        Map<String, String> parameters = new HashMap<>(4);
        double quality = 1;
        for (int i = 1; i < pieces.length; i++) {
            String[] pair = pieces[i].split("=", -1);
            if (pair.length < 2 || pair[1].isEmpty() || pair.length > 2) {
                continue;
            }
            if (trim(pair[0]).equals("q")) {
                quality = quality(pair[1]);
            } else {
                parameters.put(trim(pair[0]), trim(pair[1]));
            }
        }
        return new Clause(type, bare ? "*" : trim(names[1]), parameters, quality);
    }

    private static double quality(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** Spaces go, tabs stay. */
    private static String trim(String text) {
        int begin = 0;
        int end = text.length();
        while (begin < end && text.charAt(begin) == ' ') {
            begin++;
        }
        while (end > begin && text.charAt(end - 1) == ' ') {
            end--;
        }
        return text.substring(begin, end);
    }

    /** True if a route that produces these types is taken: the header names one of them or all there are. */
    public boolean routes(Collection<String> types) {
        if (header.isEmpty()) {
            return true;
        }
        for (String part : header.split(",")) {
            int semicolon = part.indexOf(';');
            String type = trim(semicolon < 0 ? part : part.substring(0, semicolon));
            if (type.equals("*/*") || types.contains(type)) {
                return true;
            }
        }
        return false;
    }
}
