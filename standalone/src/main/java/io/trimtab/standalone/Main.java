package io.trimtab.standalone;

import io.trimtab.standalone.cli.HeadStart;
import io.trimtab.standalone.cli.Trimtab;

/** The program {@code trimtab}. */
public final class Main {
    private Main() {}

    /** Runs the command line; the process ends with its exit code. */
    public static void main(String[] args) {
        HeadStart.begin(args);
        System.exit(Trimtab.commandLine(args).execute(args));
    }
}
