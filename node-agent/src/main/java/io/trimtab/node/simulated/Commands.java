package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Container;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Guesses how a container's command ends, from its words: {@code echo} ends at once, {@code sleep 5} after five seconds,
 * {@code sh -c 'exit 3'} with 3; what is not known runs for ever, as servers do. Pure functions.
 */
final class Commands {
    private static final Set<String> QUICK = Set.of(
            "echo",
            "true",
            "ls",
            "cat",
            "date",
            "env",
            "hostname",
            "printf",
            "pwd",
            "id",
            "uname",
            "whoami",
            "printenv",
            "touch",
            "mkdir",
            "rm",
            "cp",
            "mv",
            "grep",
            "nslookup",
            "wget",
            "curl",
            "hello",
            "perl",
            "python",
            "expr",
            "test",
            "[",
            ":",
            "export",
            "set",
            "cd",
            "seq",
            "head",
            "tail",
            "mount",
            "chmod",
            "chown",
            "ln",
            "df",
            "stat");
    private static final Set<String> SHELLS = Set.of("sh", "bash", "ash", "dash");
    /** Images whose own command is a shell, which ends at once without a terminal, or which only say hello. */
    private static final Set<String> IDLE_IMAGES = Set.of(
            "busybox", "alpine", "ubuntu", "debian", "centos", "fedora", "bash", "hello-world", "perl", "python");

    private static final Pattern SEPARATOR = Pattern.compile("\\s*(?:;|&&|\\|\\||\\n)\\s*");
    private static final Pattern SECONDS = Pattern.compile("(\\d+(?:\\.\\d+)?)([smhd]?)");

    private Commands() {}

    /** How a container ends by itself. */
    record End(Duration after, int exitCode) {
        static final End AT_ONCE = new End(Duration.ZERO, 0);
    }

    /** Null if it runs until it is stopped. */
    static @Nullable End endOf(Container container) {
        List<String> words = new ArrayList<>(container.getCommand());
        words.addAll(container.getArgs());
        if (words.isEmpty()) {
            return IDLE_IMAGES.contains(repository(container.getImage())) ? End.AT_ONCE : null;
        }
        if (container.getCommand().isEmpty() && !IDLE_IMAGES.contains(repository(container.getImage()))) {
            return null; // arguments of a server
        }
        return endOf(words);
    }

    private static @Nullable End endOf(List<String> words) {
        if (words.isEmpty()) {
            return End.AT_ONCE;
        }
        String program = words.get(0).substring(words.get(0).lastIndexOf('/') + 1);
        if (SHELLS.contains(program)) {
            for (int i = 1; i + 1 < words.size(); i++) {
                if (words.get(i).startsWith("-") && words.get(i).endsWith("c")) {
                    return script(words.get(i + 1));
                }
            }
            return words.size() == 1 ? End.AT_ONCE : null;
        }
        return switch (program) {
            case "sleep" -> words.size() > 1 ? sleep(words.get(1)) : new End(Duration.ZERO, 1);
            case "false" -> new End(Duration.ZERO, 1);
            case "exit" -> new End(Duration.ZERO, words.size() > 1 ? number(words.get(1)) : 0);
            default ->
                QUICK.contains(program) && !(program.equals("tail") && words.contains("-f")) ? End.AT_ONCE : null;
        };
    }

    private static @Nullable End script(String text) {
        if (text.contains("while ") || text.contains("trap ") || text.contains("until ")) {
            return null;
        }
        Duration total = Duration.ZERO;
        int code = 0;
        for (String line : SEPARATOR.split(text.strip())) {
            if (line.isEmpty()) {
                continue;
            }
            List<String> words = List.of(line.strip().split("\\s+"));
            End end = endOf(words.get(0).equals("exec") ? words.subList(1, words.size()) : words);
            if (end == null) {
                return null;
            }
            total = total.plus(end.after());
            code = end.exitCode();
            if (words.get(0).equals("exit")) {
                break;
            }
        }
        return new End(total, code);
    }

    private static @Nullable End sleep(String time) {
        Matcher matcher = SECONDS.matcher(time);
        if (!matcher.matches()) {
            return time.startsWith("inf") ? null : new End(Duration.ZERO, 1);
        }
        double unit =
                switch (matcher.group(2)) {
                    case "m" -> 60;
                    case "h" -> 3600;
                    case "d" -> 86_400;
                    default -> 1;
                };
        return new End(Duration.ofMillis((long) (Double.parseDouble(matcher.group(1)) * unit * 1000)), 0);
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text) & 0xff;
        } catch (NumberFormatException e) {
            return 2;
        }
    }

    /** {@code ubuntu} of {@code docker.io/library/ubuntu:14.04}. */
    static String repository(@Nullable String image) {
        if (image == null) {
            return "";
        }
        String name = image.substring(image.lastIndexOf('/') + 1);
        int end = name.length();
        for (char separator : new char[] {':', '@'}) {
            int at = name.indexOf(separator);
            if (at >= 0) {
                end = Math.min(end, at);
            }
        }
        return name.substring(0, end);
    }
}
