package io.trimtab.node.simulated;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A shell script, read. Words keep their quotes: they are expanded when they are reached. Immutable.
 */
sealed interface ShellTree {

    /** {@code a=1 program word... >file}. */
    record Simple(List<String> words, List<Redirect> redirects) implements ShellTree {}

    /** {@code a | b}. */
    record Pipeline(List<ShellTree> parts) implements ShellTree {}

    /** {@code ! a}. */
    record Not(ShellTree body) implements ShellTree {}

    /** {@code a && b} or {@code a || b}. */
    record AndOr(ShellTree left, boolean and, ShellTree right) implements ShellTree {}

    /** {@code a; b}. */
    record Sequence(List<ShellTree> parts) implements ShellTree {}

    /** {@code if a; then b; else c; fi}; an {@code elif} is another of these as the last part. */
    record If(ShellTree condition, ShellTree then, @Nullable ShellTree otherwise) implements ShellTree {}

    /** {@code while} and {@code until}. */
    record Loop(ShellTree condition, boolean until, ShellTree body) implements ShellTree {}

    /** {@code for name in words; do body; done}. */
    record For(String name, List<String> words, ShellTree body) implements ShellTree {}

    /** {@code case word in pattern) body;; esac}. */
    record Case(String word, List<Arm> arms) implements ShellTree {}

    /** One branch of a case. */
    record Arm(List<String> patterns, ShellTree body) {}

    /** {@code ( a )}. */
    record Subshell(ShellTree body) implements ShellTree {}

    /** A compound command with redirections of its own. */
    record Redirected(ShellTree body, List<Redirect> redirects) implements ShellTree {}

    /** {@code a &}. */
    record Background(ShellTree body) implements ShellTree {}

    /** {@code name() body}. */
    record Function(String name, ShellTree body) implements ShellTree {}

    /**
     * A redirection.
     *
     * @param descriptor 0, 1 or 2; -1 for both outputs
     * @param operator {@code < > >> >& <<<}
     * @param target a word; for a here document its text
     */
    record Redirect(int descriptor, String operator, String target) {}
}
