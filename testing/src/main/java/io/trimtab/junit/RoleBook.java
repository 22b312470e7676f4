package io.trimtab.junit;

import io.trimtab.apiserver.RequestInfo;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a program has used of its rights, and what it lacked. For the thread that drives the cluster. */
final class RoleBook {
    private final TreeMap<LearnedRole.Resource, Set<String>> used = new TreeMap<>();

    void used(RequestInfo info, int code) {
        if (code == 401 || code == 403) {
            return;
        }
        String resource = info.subresource().isEmpty() ? info.resource() : info.resource() + "/" + info.subresource();
        used.computeIfAbsent(new LearnedRole.Resource(info.group(), resource), r -> new TreeSet<>())
                .add(info.verb());
    }

    LearnedRole learned(String program) {
        return new LearnedRole(program, used);
    }
}
