package io.trimtab.scheduler.framework;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A plugin's answer. Immutable.
 *
 * @param code the kind of answer
 * @param reasons why, each a phrase that is counted over nodes and shown to people
 * @param plugin who answered; set by the framework
 * @param cause what broke; null unless the code is {@link Code#ERROR}
 */
public record Status(
        Code code,
        List<String> reasons,
        @Nullable String plugin,
        @Nullable Throwable cause) {

    /** Success, with nothing to say. */
    public static final Status SUCCESS = new Status(Code.SUCCESS, List.of(), null, null);

    /** The plugin has nothing to do. */
    public static final Status SKIP = new Status(Code.SKIP, List.of(), null, null);

    public Status {
        reasons = List.copyOf(reasons);
    }

    public static Status of(Code code, String... reasons) {
        return new Status(code, List.of(reasons), null, null);
    }

    public static Status unschedulable(String... reasons) {
        return of(Code.UNSCHEDULABLE, reasons);
    }

    public static Status unresolvable(String... reasons) {
        return of(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, reasons);
    }

    public static Status error(String message) {
        return of(Code.ERROR, message);
    }

    public static Status error(Throwable cause) {
        String message = cause.getMessage();
        return new Status(Code.ERROR, List.of(message == null ? cause.toString() : message), null, cause);
    }

    /** The same answer, as given by this plugin. */
    public Status by(String name) {
        return name.equals(plugin) ? this : new Status(code, reasons, name, cause);
    }

    public boolean isSuccess() {
        return code == Code.SUCCESS;
    }

    public boolean isSkip() {
        return code == Code.SKIP;
    }

    /** True if the pod cannot be placed as things are, and nothing broke. */
    public boolean isRejected() {
        return code == Code.UNSCHEDULABLE || code == Code.UNSCHEDULABLE_AND_UNRESOLVABLE || code == Code.PENDING;
    }

    /** The reasons as one text. */
    public String message() {
        return String.join(", ", reasons);
    }
}
