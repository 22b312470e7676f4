package io.trimtab.apiserver.cel;

import com.google.re2j.Pattern;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Compiled regular expressions, the last few of them: expressions use the same again and again. Safe for use by any thread. */
final class Patterns {
    private static final int KEPT = 256;
    private static final Map<String, Pattern> RECENT =
            Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Pattern> eldest) {
                    return size() > KEPT;
                }
            });

    private Patterns() {}

    /** @throws com.google.re2j.PatternSyntaxException if it is none */
    static Pattern of(String text) {
        Pattern known = RECENT.get(text);
        if (known == null) {
            known = Pattern.compile(text);
            RECENT.put(text, known);
        }
        return known;
    }
}
