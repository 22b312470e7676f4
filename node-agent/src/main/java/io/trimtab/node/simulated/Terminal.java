package io.trimtab.node.simulated;

/**
 * The terminal between a typist and a program: echoes what is typed, gathers it into lines, and ends lines of output as a
 * terminal does. Used by one thread at a time.
 */
final class Terminal {
    private final Input program;
    private final Shell.Sink screen;
    private final Runnable interrupt;
    private final StringBuilder line = new StringBuilder();

    Terminal(Input program, Shell.Sink screen, Runnable interrupt) {
        this.program = program;
        this.screen = screen;
        this.interrupt = interrupt;
    }

    /** What a program prints, as the screen needs it. */
    static String shown(String text) {
        return text.replace("\r\n", "\n").replace("\n", "\r\n");
    }

    void type(String keys) {
        for (char key : keys.toCharArray()) {
            switch (key) {
                case '\r', '\n' -> {
                    screen.write("\r\n");
                    String whole = line + "\n";
                    line.setLength(0);
                    program.add(whole);
                }
                case 0x7f, '\b' -> {
                    if (line.length() > 0) {
                        line.setLength(line.length() - 1);
                        screen.write("\b \b");
                    }
                }
                case 0x03 -> {
                    line.setLength(0);
                    screen.write("^C\r\n");
                    interrupt.run();
                }
                case 0x04 -> {
                    if (line.isEmpty()) {
                        program.close();
                    } else {
                        String rest = line.toString();
                        line.setLength(0);
                        program.add(rest);
                    }
                }
                default -> {
                    line.append(key);
                    screen.write(String.valueOf(key));
                }
            }
        }
    }
}
