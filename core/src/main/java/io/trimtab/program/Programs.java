package io.trimtab.program;

import picocli.CommandLine;

/**
 * Command lines whose errors are one line that names the flag and where to look. Stateless.
 *
 * @since 0.1
 */
public final class Programs {
    private Programs() {}

    /** A command, ready to execute, or to become part of another. */
    public static CommandLine commandLine(Object command) {
        return withErrorLines(new CommandLine(command));
    }

    /** Gives a command and its subcommands error lines; returns it. */
    public static CommandLine withErrorLines(CommandLine program) {
        return program.setParameterExceptionHandler((failure, given) -> {
            CommandLine line = failure.getCommandLine();
            String name = line.getCommandSpec().qualifiedName();
            line.getErr().println(name + ": " + failure.getMessage() + " (see " + name + " --help)");
            return line.getCommandSpec().exitCodeOnInvalidInput();
        });
    }
}
