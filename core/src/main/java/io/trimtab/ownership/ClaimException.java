package io.trimtab.ownership;

import java.util.List;
import java.util.stream.Collectors;

/** Some objects could not be adopted or released; all were tried. The reasons are its suppressed exceptions. */
public final class ClaimException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClaimException(List<RuntimeException> reasons) {
        super(
                reasons.size() == 1
                        ? reasons.get(0).getMessage()
                        : reasons.stream()
                                .map(RuntimeException::getMessage)
                                .distinct()
                                .collect(Collectors.joining(", ", "[", "]")),
                reasons.get(0));
        reasons.forEach(this::addSuppressed);
    }
}
