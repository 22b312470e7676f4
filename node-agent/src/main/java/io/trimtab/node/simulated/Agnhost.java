package io.trimtab.node.simulated;

import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The test image {@code agnhost}, as far as it looks at the container it is in: the subcommands that read files, print and end.
 * The others are servers: {@link AgnhostServers}. Stateless.
 */
final class Agnhost {
    private static final String CONTENT = "mount-tester new file\n";

    private Agnhost() {}

    static int run(Shell shell, List<String> words) {
        String subcommand = words.size() > 1 ? words.get(1) : "pause";
        return switch (subcommand) {
            case "mounttest" -> mountTest(shell, words.subList(2, words.size()));
            case "entrypoint-tester" -> Programs.line(shell, "[" + String.join(" ", words) + "]");
            case "env" -> Programs.run(shell, List.of("env"));
            case "pause" -> {
                shell.print("Paused\n");
                shell.sleep(Shell.FOREVER);
                yield 0;
            }
            case "dns-suffix", "dns-server-list", "etc-hosts" -> names(shell, subcommand);
            case "connect" -> {
                Sockets sockets = shell.world().sockets();
                yield sockets == null ? 1 : NetPrograms.connect(shell, sockets, words);
            }
            case "logs-generator" -> generate(shell, words);
            default -> {
                Sockets sockets = shell.world().sockets();
                shell.whenReady(() -> false, () -> {}); // below what the server itself has to do
                if (sockets != null && !AgnhostServers.serve(shell, sockets, words)) {
                    sockets.serveDeclared();
                }
                yield Programs.LATER;
            }
        };
    }

    /** Prints what a pod's resolver is set up with. */
    private static int names(Shell shell, String what) {
        FileTree.Entry file = shell.files().find(what.equals("etc-hosts") ? "/etc/hosts" : "/etc/resolv.conf");
        String text = file == null ? "" : file.content();
        if (what.equals("etc-hosts")) {
            return Programs.line(shell, text);
        }
        String begin = what.equals("dns-suffix") ? "search " : "nameserver ";
        for (String line : text.split("\n")) {
            if (line.startsWith(begin)) {
                return Programs.line(shell, line.substring(begin.length()).replace(' ', ','));
            }
        }
        shell.complain("panic: Could not find DNS search list!\n");
        return 2;
    }

    private static int generate(Shell shell, List<String> words) {
        String total = ImageServers.flag(words, "log-lines-total", ImageServers.flag(words, "t", "0"));
        String time = ImageServers.flag(words, "run-duration", ImageServers.flag(words, "d", "0s"));
        int lines = Programs.number(total);
        if (lines <= 0) {
            shell.complain("Invalid total number of lines: " + lines + "\n");
            return 255;
        }
        line(shell, 0, lines, SimulatedRuntime.time(time).dividedBy(lines));
        return Programs.LATER;
    }

    private static void line(Shell shell, int number, int total, Duration pause) {
        if (number == total) {
            shell.end(0);
            return;
        }
        String now = DateTimeFormatter.ofPattern("MMdd HH:mm:ss.SSSSSS")
                .withZone(ZoneOffset.UTC)
                .format(shell.world().now().get());
        String method = List.of("GET", "POST", "PUT").get(number % 3);
        String namespace = List.of("kube-system", "default", "ns").get(number * 7 % 3);
        shell.print("I" + now + "       1 logs_generator.go:76] " + number + " " + method + " /api/v1/namespaces/"
                + namespace + "/pods/" + Integer.toString(1296 + number * 7919 % 45_000, 36) + " "
                + (200 + number * 131 % 400) + "\n");
        shell.later(pause, () -> line(shell, number + 1, total, pause));
    }

    private static int mountTest(Shell shell, List<String> args) {
        Map<String, String> flags = new HashMap<>();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i).replaceFirst("^--?", "");
            int at = arg.indexOf('=');
            if (at >= 0) {
                flags.put(arg.substring(0, at), arg.substring(at + 1));
            } else if (i + 1 < args.size()) {
                flags.put(arg, args.get(++i));
            }
        }
        boolean failed = false;
        FileView files = shell.files();
        String path = flags.get("fs_type");
        if (path != null) {
            if (files.find(FileView.normal("/", path)) == null) {
                failed = true;
                shell.print("error from statfs(\"" + path + "\"): no such file or directory\n");
            } else {
                String type = files.type(FileView.normal("/", path));
                // Only tmpfs has a name there; the others are shown by number.
                shell.print("mount type of \"" + path + "\": " + (type.equals("tmpfs") ? "tmpfs" : "61267") + "\n");
            }
        }
        for (String mode : List.of("0644", "0666", "0660", "0777")) {
            String file = flags.get("new_file_" + mode);
            if (file == null) {
                continue;
            }
            String error = files.write(FileView.normal("/", file), CONTENT, false, Integer.parseInt(mode, 8));
            if (error != null) {
                failed = true;
                shell.print("error writing new file \"" + file + "\": open " + file + ": " + lower(error) + "\n");
            } else {
                failed |= !content(shell, file);
            }
        }
        failed |= !look(shell, "mode", flags.get("file_mode"));
        failed |= !look(shell, "perms", flags.get("file_perm"));
        failed |= !look(shell, "owner", flags.get("file_owner"));
        String read = flags.get("file_content");
        if (read != null) {
            failed |= !content(shell, read);
        }
        String loop = flags.get("file_content_in_loop");
        if (loop == null) {
            return failed ? 1 : 0;
        }
        return loop(shell, loop, flags);
    }

    private static int loop(Shell shell, String path, Map<String, String> flags) {
        int seconds = Programs.number(flags.getOrDefault("retry_time", "180"));
        again(
                shell,
                path,
                seconds,
                flags.getOrDefault("break_on_expected_content", "true").equals("true"),
                0);
        return Programs.LATER;
    }

    /** Looks every two seconds until the time is over, or the file holds what it should. */
    private static void again(Shell shell, String path, int left, boolean stops, int status) {
        if (left <= 0) {
            shell.end(status);
            return;
        }
        FileTree.Entry entry = shell.files().find(FileView.normal("/", path));
        if (entry == null) {
            shell.print("Error reading file " + path + ": open " + path + ": no such file or directory, retrying\n");
        } else {
            shell.print("content of file \"" + path + "\": " + entry.content() + "\n");
            if (stops && entry.content().equals(CONTENT)) {
                shell.end(0);
                return;
            }
            if (stops) {
                shell.print("Unexpected content. Expected: " + CONTENT + ". Retrying\n");
            }
        }
        shell.later(Duration.ofSeconds(2), () -> again(shell, path, left - 2, stops, entry == null ? 1 : 0));
    }

    private static boolean content(Shell shell, String path) {
        FileTree.Entry entry = shell.files().find(FileView.normal("/", path));
        if (entry == null) {
            shell.print(
                    "error reading file content for \"" + path + "\": open " + path + ": no such file or directory\n");
            return false;
        }
        shell.print("content of file \"" + path + "\": " + entry.content() + "\n");
        return true;
    }

    private static boolean look(Shell shell, String what, @Nullable String path) {
        if (path == null) {
            return true;
        }
        FileTree.Entry entry = shell.files().find(FileView.normal("/", path));
        if (entry == null) {
            shell.print("error from Lstat(\"" + path + "\"): lstat " + path + ": no such file or directory\n");
            return false;
        }
        switch (what) {
            case "mode" -> {
                // As Go prints it: directories begin with d, sticky ones with dt.
                boolean sticky = (entry.mode() & 01000) != 0;
                String mode = FilePrograms.mode('-', entry.mode());
                boolean inherits = (entry.mode() & 02000) != 0;
                String kind = "d" + (inherits ? "g" : "") + (sticky ? "t" : "");
                String shown = entry.directory() ? kind + mode.substring(1) : mode;
                shell.print("mode of file \"" + path + "\": " + shown + "\n");
            }
            case "perms" ->
                shell.print("perms of file \"" + path + "\": " + FilePrograms.mode('-', entry.mode()) + "\n");
            default -> {
                shell.print("owner UID of \"" + path + "\": 0\n");
                shell.print("owner GID of \"" + path + "\": " + entry.group() + "\n");
            }
        }
        return true;
    }

    private static String lower(String text) {
        return Character.toLowerCase(text.charAt(0)) + text.substring(1);
    }
}
