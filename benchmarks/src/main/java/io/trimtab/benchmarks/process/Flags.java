package io.trimtab.benchmarks.process;

import java.util.LinkedHashMap;
import java.util.Map;

/** What stands on a benchmark's command line: {@code --name value}, again and again. */
final class Flags {
    private Flags() {}

    static Map<String, String> of(String[] args) {
        Map<String, String> flags = new LinkedHashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        return flags;
    }
}
