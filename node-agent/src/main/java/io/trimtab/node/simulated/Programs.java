package io.trimtab.node.simulated;

import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The programs that a simulated container has: a shell's own and those of every small image. A program that is not known is taken
 * for a server: it runs for ever. Stateless.
 */
final class Programs {
    /** The program has pushed what is to be run, or has ended the shell: the status is known later. */
    static final int LATER = -1;

    private static final Set<String> SHELLS = Set.of("sh", "bash", "ash", "dash", "busybox-sh");
    /** What would ask the network, or count for long: taken to do well, at once, and to say nothing. */
    private static final Set<String> QUIET = Set.of(
            "hello",
            "perl",
            "python",
            "python3",
            "umount",
            "chown",
            "chgrp",
            "sync",
            "ulimit",
            "umask",
            "stty",
            "apk",
            "apt-get",
            "hello-world",
            "true",
            ":",
            "local",
            "readonly",
            "kill",
            "setfattr",
            "ps",
            "fsync",
            "declare",
            "type");

    private static final Pattern SECONDS = Pattern.compile("(\\d*\\.?\\d+)([smhd]?)");

    private Programs() {}

    /** Programs that need the end of their input before they say anything. */
    private static final Set<String> READERS = Set.of(
            "grep", "egrep", "wc", "sort", "uniq", "tr", "cut", "hexdump", "sed", "md5sum", "base64", "awk", "tail",
            "head", "tee", "dd", "nc");

    /** Whether a command reads its input to the end before it does anything. */
    static boolean readsAll(List<String> words) {
        String program = words.get(0).substring(words.get(0).lastIndexOf('/') + 1);
        if (!READERS.contains(program) || words.contains("-z") || words.contains("-l")) {
            return false;
        }
        long operands = words.stream()
                .skip(1)
                .filter(w -> !w.startsWith("-") || w.equals("-"))
                .count();
        return switch (program) {
            case "nc", "tr", "tee", "cut", "head" -> true;
            case "dd" -> words.stream().noneMatch(word -> word.startsWith("if="));
            case "grep", "egrep", "sed", "awk" -> operands <= 1;
            default -> operands == 0;
        };
    }

    static int run(Shell shell, List<String> words) {
        String program = words.get(0).substring(words.get(0).lastIndexOf('/') + 1);
        List<String> args = words.subList(1, words.size());
        if (SHELLS.contains(program)) {
            shell.named(words.get(0));
            return shell(shell, args);
        }
        return switch (program) {
            case "exit" -> exit(shell, args);
            case "false" -> 1;
            case "echo" -> echo(shell, args);
            case "printf" -> printf(shell, args);
            case "test" -> Tests.test(shell, args) ? 0 : 1;
            case "[" -> Tests.test(shell, args.subList(0, Math.max(0, args.size() - 1))) ? 0 : 1;
            case "[[" -> Tests.test(shell, args.subList(0, Math.max(0, args.size() - 1))) ? 0 : 1;
            case "cat",
                    "head",
                    "tail",
                    "grep",
                    "egrep",
                    "wc",
                    "sort",
                    "uniq",
                    "tr",
                    "cut",
                    "tee",
                    "hexdump",
                    "sed",
                    "md5sum",
                    "base64",
                    "awk" -> TextPrograms.run(shell, program, args);
            case "ls",
                    "touch",
                    "mkdir",
                    "rm",
                    "rmdir",
                    "cp",
                    "mv",
                    "chmod",
                    "stat",
                    "find",
                    "ln",
                    "dd",
                    "df",
                    "readlink",
                    "truncate",
                    "mknod",
                    "mktemp" -> FilePrograms.run(shell, program, args);
            case "mount" -> mount(shell, args);
            case "nsenter" -> enter(shell, args);
            case "sysctl" -> sysctl(shell, args);
            case "ip" -> link(shell, args);
            case "nnp" -> line(shell, "Effective uid: " + effectiveUser(shell));
            case "env", "printenv" -> environment(shell, program, args);
            case "export" -> export(shell, args);
            case "unset" -> {
                args.forEach(name -> shell.variables().remove(name));
                yield 0;
            }
            case "set" -> set(shell, args);
            case "shift" -> {
                shell.shift(args.isEmpty() ? 1 : number(args.get(0)));
                yield 0;
            }
            case "cd" -> changeDirectory(shell, args);
            case "pwd" -> line(shell, shell.directory());
            case "sleep" -> sleep(shell, args);
            case "date" -> date(shell, args);
            case "hostname" -> NetPrograms.hostname(shell, args);
            case "whoami" ->
                line(
                        shell,
                        shell.world().user() == 0
                                ? "root"
                                : String.valueOf(shell.world().user()));
            case "id" -> id(shell, args);
            case "uname" ->
                line(shell, args.contains("-a") ? "Linux " + shell.world().hostname() : "Linux");
            case "seq" -> sequence(shell, args);
            case "expr" -> expr(shell, args);
            case "basename" -> line(shell, args.isEmpty() ? "" : args.get(0).replaceFirst(".*/(?=.)", ""));
            case "dirname" -> line(shell, args.isEmpty() ? "." : args.get(0).replaceFirst("/[^/]*$", ""));
            case "break", "continue" -> {
                shell.leaveLoop(program.equals("continue"));
                yield LATER;
            }
            case "return" -> {
                shell.returnFromFunction(args.isEmpty() ? 0 : number(args.get(0)));
                yield LATER;
            }
            case "trap" -> trap(shell, args);
            case "wait" -> {
                shell.awaitBackground();
                yield 0;
            }
            case "eval" -> {
                shell.source(String.join(" ", args));
                yield LATER;
            }
            case "exec", "command", "nohup", "time", "busybox" -> args.isEmpty() ? 0 : run(shell, args);
            case "timeout" -> args.size() < 2 ? 125 : run(shell, args.subList(1, args.size()));
            case ".", "source" -> {
                FileTree.Entry file = args.isEmpty() ? null : shell.files().find(shell.path(args.get(0)));
                if (file == null) {
                    shell.complain("sh: .: can't open '" + String.join(" ", args) + "'\n");
                    yield 2;
                }
                shell.source(file.content());
                yield LATER;
            }
            case "read" -> read(shell, args);
            case "tar" -> Tar.run(shell, args);
            case "curl", "wget", "nc", "nslookup", "dig", "host", "ping", "ping6", "getent", "netstat", "ss" ->
                NetPrograms.run(shell, program, args);
            case "agnhost", "agnhost-2" -> Agnhost.run(shell, words);
            default -> QUIET.contains(program) ? 0 : unknown(shell, words.get(0));
        };
    }

    /** {@code nsenter --mount=/rootfs/proc/1/ns/mnt -- command}: who sees the node's root sees it as the node does. */
    private static int enter(Shell shell, List<String> args) {
        int command = args.indexOf("--") + 1;
        String root = args.stream()
                .filter(arg -> arg.startsWith("--mount=") && arg.endsWith("/proc/1/ns/mnt"))
                .map(arg -> arg.substring(8, arg.length() - "/proc/1/ns/mnt".length()))
                .findFirst()
                .orElse("");
        FileTree disk = shell.files().mounts().stream()
                .filter(mount -> mount.path().equals(root) && mount.subPath().isEmpty())
                .map(FileView.Mount::volume)
                .findFirst()
                .orElse(null);
        if (disk == null || command == 0 || command >= args.size()) {
            shell.complain("nsenter: cannot open " + root + "/proc/1/ns/mnt: No such file or directory\n");
            return 1;
        }
        return shell.elsewhere(new FileView(disk, false, List.of()), args.subList(command, args.size()));
    }

    private static int sysctl(Shell shell, List<String> args) {
        int code = 0;
        for (String arg : args) {
            if (arg.startsWith("-")) {
                continue;
            }
            String key = arg.replace('/', '.');
            FileTree.Entry file = shell.files().find("/proc/sys/" + key.replace('.', '/'));
            if (file == null) {
                shell.complain("sysctl: error: '" + arg + "' is an unknown key\n");
                code = 1;
            } else {
                shell.print((args.contains("-n") ? "" : key + " = ") + file.content());
            }
        }
        return code;
    }

    /** {@code ip link}: only who may administer the network may change it. */
    private static int link(Shell shell, List<String> args) {
        boolean changes = args.contains("add") || args.contains("del") || args.contains("set");
        if (changes && !shell.world().facts().containsKey("privileged")) {
            shell.complain("ip: RTNETLINK answers: Operation not permitted\n");
            return 2;
        }
        Sockets sockets = shell.world().sockets();
        if (!changes && sockets != null) {
            shell.print("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n"
                    + "2: eth0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    inet " + sockets.address()
                    + "/32 scope global eth0\n");
        }
        return 0;
    }

    /** Of a program that takes root's rights, where a container may. */
    private static String effectiveUser(Shell shell) {
        FileTree.Entry status = shell.files().find("/proc/self/status");
        boolean bound = status != null && status.content().contains("NoNewPrivs:\t1");
        return bound ? String.valueOf(shell.world().user()) : "0";
    }

    /** Shows what is mounted; to mount something does nothing. */
    private static int mount(Shell shell, List<String> args) {
        int at = args.indexOf("-t");
        String type = at < 0 || at + 1 >= args.size() ? "" : args.get(at + 1);
        if (args.size() > (at < 0 ? 0 : 2)) {
            return 0;
        }
        List<String> lines = new ArrayList<>();
        lines.add("overlay on / type " + shell.files().type("/") + " (rw,relatime)");
        lines.add("proc on /proc type proc (rw,nosuid,nodev,noexec,relatime)");
        lines.add("cgroup on " + Kernel.GROUP + " type cgroup2 (ro,nosuid,nodev,noexec,relatime)");
        for (FileView.Mount mount : shell.files().mounts()) {
            String kind = mount.volume().type();
            lines.add(kind + " on " + mount.path() + " type " + kind + " (" + (mount.readOnly() ? "ro" : "rw")
                    + ",relatime)");
        }
        lines.stream()
                .filter(line -> type.isEmpty() || line.contains(" type " + type + " "))
                .forEach(line -> line(shell, line));
        return 0;
    }

    /** A file that was written here can be run; any other program is a server. */
    private static int unknown(Shell shell, String program) {
        FileTree.Entry file = program.contains("/") ? shell.files().find(shell.path(program)) : null;
        if (file != null && !file.directory()) {
            shell.source(file.content());
            return LATER;
        }
        if (shell.world().facts().containsKey("visits")) {
            return 0; // whoever looks in from outside starts no server: what he asks is taken to be as he hopes
        }
        Sockets sockets = shell.world().sockets();
        if (sockets != null) {
            sockets.serveDeclared();
        }
        shell.sleep(Shell.FOREVER);
        return 0;
    }

    // ---- the shell's own

    private static int shell(Shell shell, List<String> args) {
        boolean errexit = false;
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.startsWith("-") && arg.length() > 1) {
                errexit |= arg.contains("e");
                if (arg.endsWith("c") && i + 1 < args.size()) {
                    return child(shell, args.get(i + 1), args.subList(i + 2, args.size()), errexit);
                }
                continue;
            }
            FileTree.Entry file = shell.files().find(shell.path(arg));
            if (file == null) {
                shell.complain("sh: can't open '" + arg + "': No such file or directory\n");
                return 2;
            }
            return child(shell, file.content(), args.subList(i + 1, args.size()), errexit);
        }
        if (!shell.in().isClosed()) {
            shell.setErrexit(errexit);
            shell.readCommands(shell.world().facts().containsKey("tty") ? shell.directory() + " # " : "");
            return LATER;
        }
        String script = shell.in().take();
        return script.isEmpty() ? 0 : child(shell, script, List.of(), errexit);
    }

    /** As this process where that makes no difference, so that it may sleep and be told to end. */
    private static int child(Shell shell, String script, List<String> args, boolean errexit) {
        if (!args.isEmpty()) {
            shell.setPositional(args.subList(1, args.size()));
        }
        shell.setErrexit(errexit);
        shell.scope(script);
        return LATER;
    }

    private static int exit(Shell shell, List<String> args) {
        shell.exit(args.isEmpty() ? shell.status() : number(args.get(0)) & 0xff);
        return LATER;
    }

    private static int set(Shell shell, List<String> args) {
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.equals("--")) {
                shell.setPositional(args.subList(i + 1, args.size()));
                return 0;
            }
            if (arg.startsWith("-") && arg.contains("e")) {
                shell.setErrexit(true);
            } else if (arg.startsWith("+") && arg.contains("e")) {
                shell.setErrexit(false);
            }
        }
        return 0;
    }

    private static int trap(Shell shell, List<String> args) {
        for (int i = 1; i < args.size(); i++) {
            shell.trap(args.get(i), args.get(0));
        }
        return 0;
    }

    private static int export(Shell shell, List<String> args) {
        for (String arg : args) {
            int at = arg.indexOf('=');
            if (at > 0) {
                shell.assign(arg.substring(0, at), arg.substring(at + 1));
            }
        }
        return 0;
    }

    private static int read(Shell shell, List<String> args) {
        shell.whenInput(Input::hasLine, () -> shell.end(readLine(shell, args)));
        return LATER;
    }

    private static int readLine(Shell shell, List<String> args) {
        List<String> names = args.stream().filter(a -> !a.startsWith("-")).toList();
        if (shell.in().isEmpty()) {
            names.forEach(name -> shell.assign(name, ""));
            return 1;
        }
        boolean whole = shell.in().look().indexOf('\n') >= 0;
        String line = shell.in().takeLine();
        String[] values = line.strip().split("\\s+", Math.max(1, names.size()));
        for (int i = 0; i < names.size(); i++) {
            shell.assign(names.get(i), i < values.length ? values[i] : "");
        }
        return whole ? 0 : 1;
    }

    private static int changeDirectory(Shell shell, List<String> args) {
        String path = args.isEmpty() ? "/root" : shell.path(args.get(0));
        if (!shell.files().isDirectory(path)) {
            shell.complain("sh: cd: can't cd to " + String.join(" ", args) + ": No such file or directory\n");
            return 1;
        }
        shell.changeDirectory(path);
        return 0;
    }

    // ---- words and numbers

    static int line(Shell shell, String text) {
        shell.print(text + "\n");
        return 0;
    }

    private static int echo(Shell shell, List<String> args) {
        boolean newline = true;
        boolean escapes = false;
        int i = 0;
        while (i < args.size() && args.get(i).matches("-[neE]+")) {
            newline &= !args.get(i).contains("n");
            escapes |= args.get(i).contains("e");
            i++;
        }
        String text = String.join(" ", args.subList(i, args.size()));
        shell.print((escapes ? unescape(text) : text) + (newline ? "\n" : ""));
        return 0;
    }

    private static String unescape(String text) {
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\' || i + 1 == text.length()) {
                result.append(c);
                continue;
            }
            c = text.charAt(++i);
            switch (c) {
                case 'n' -> result.append('\n');
                case 't' -> result.append('\t');
                case 'r' -> result.append('\r');
                case '\\' -> result.append('\\');
                case '"' -> result.append('"');
                default -> result.append('\\').append(c);
            }
        }
        return result.toString();
    }

    private static int printf(Shell shell, List<String> args) {
        if (args.isEmpty()) {
            return 1;
        }
        String format = unescape(args.get(0));
        List<String> values = new ArrayList<>(args.subList(1, args.size()));
        do {
            StringBuilder text = new StringBuilder();
            Matcher matcher =
                    Pattern.compile("%%|%(-?\\d*(?:\\.\\d+)?)([sdiufbxc])").matcher(format);
            int from = 0;
            while (matcher.find()) {
                text.append(format, from, matcher.start());
                from = matcher.end();
                if (matcher.group().equals("%%")) {
                    text.append('%');
                    continue;
                }
                String value = values.isEmpty() ? "" : values.remove(0);
                String width = matcher.group(1);
                text.append(
                        switch (matcher.group(2)) {
                            case "d", "i", "u" -> String.format("%" + width + "d", (long) number(value));
                            case "x" -> String.format("%" + width + "x", number(value));
                            case "b" -> unescape(value);
                            default -> String.format("%" + width.replaceFirst("\\..*", "") + "s", value);
                        });
            }
            shell.print(text + format.substring(from));
            if (from == 0) {
                break;
            }
        } while (!values.isEmpty());
        return 0;
    }

    private static int environment(Shell shell, String program, List<String> args) {
        Map<String, String> variables = shell.variables();
        if (program.equals("printenv") && !args.isEmpty()) {
            String value = variables.get(args.get(0));
            return value == null ? 1 : line(shell, value);
        }
        int i = 0;
        while (i < args.size() && args.get(i).contains("=")) {
            export(shell, List.of(args.get(i++)));
        }
        if (i < args.size()) {
            return run(shell, args.subList(i, args.size()));
        }
        StringBuilder text = new StringBuilder();
        variables.forEach((name, value) -> {
            if (!name.equals("!")) {
                text.append(name).append('=').append(value).append('\n');
            }
        });
        shell.print(text.toString());
        return 0;
    }

    private static int sleep(Shell shell, List<String> args) {
        if (args.isEmpty()) {
            shell.complain("sleep: missing operand\n");
            return 1;
        }
        Duration total = Duration.ZERO;
        for (String arg : args) {
            if (arg.startsWith("inf")) {
                total = Shell.FOREVER;
                break;
            }
            Matcher matcher = SECONDS.matcher(arg);
            if (!matcher.matches()) {
                shell.complain("sleep: invalid number '" + arg + "'\n");
                return 1;
            }
            double unit =
                    switch (matcher.group(2)) {
                        case "m" -> 60;
                        case "h" -> 3600;
                        case "d" -> 86_400;
                        default -> 1;
                    };
            double millis = Double.parseDouble(matcher.group(1)) * unit * 1000;
            total = total.plusMillis((long) Math.min(millis, Shell.FOREVER.toMillis()));
        }
        shell.sleep(total);
        return 0;
    }

    private static int date(Shell shell, List<String> args) {
        var now = shell.world().now().get().atZone(ZoneOffset.UTC);
        String format = args.stream().filter(a -> a.startsWith("+")).findFirst().orElse("");
        if (format.isEmpty()) {
            return line(
                    shell,
                    DateTimeFormatter.ofPattern("EEE MMM d HH:mm:ss 'UTC' yyyy", Locale.ROOT)
                            .format(now));
        }
        String text = format.substring(1)
                .replace("%s", String.valueOf(now.toEpochSecond()))
                .replace("%F", "%Y-%m-%d")
                .replace("%T", "%H:%M:%S")
                .replace("%Y", DateTimeFormatter.ofPattern("yyyy", Locale.ROOT).format(now))
                .replace("%m", DateTimeFormatter.ofPattern("MM", Locale.ROOT).format(now))
                .replace("%d", DateTimeFormatter.ofPattern("dd", Locale.ROOT).format(now))
                .replace("%H", DateTimeFormatter.ofPattern("HH", Locale.ROOT).format(now))
                .replace("%M", DateTimeFormatter.ofPattern("mm", Locale.ROOT).format(now))
                .replace("%S", DateTimeFormatter.ofPattern("ss", Locale.ROOT).format(now))
                .replace("%N", String.format("%09d", now.getNano()));
        return line(shell, text);
    }

    private static int id(Shell shell, List<String> args) {
        String user = String.valueOf(shell.world().user());
        String group = shell.world().facts().getOrDefault("group", "0");
        if (args.contains("-u")) {
            return line(shell, user);
        }
        if (args.contains("-g")) {
            return line(shell, group);
        }
        String groups = shell.world().facts().getOrDefault("groups", group);
        if (args.contains("-G")) {
            return line(shell, groups);
        }
        String named = Arrays.stream(groups.split(" "))
                .map(g -> g.equals("0") ? "0(root)" : g)
                .collect(Collectors.joining(","));
        return line(
                shell,
                "uid=" + user + (user.equals("0") ? "(root)" : "") + " gid=" + group
                        + (group.equals("0") ? "(root)" : "") + " groups=" + named);
    }

    private static int sequence(Shell shell, List<String> args) {
        long from = args.size() > 1 ? number(args.get(0)) : 1;
        long step = args.size() > 2 ? number(args.get(1)) : 1;
        long to = args.isEmpty() ? 0 : number(args.get(args.size() - 1));
        StringBuilder text = new StringBuilder();
        for (long i = from; step > 0 ? i <= to : i >= to; i += step) {
            text.append(i).append('\n');
            if (step == 0 || text.length() > 1 << 20) {
                break;
            }
        }
        shell.print(text.toString());
        return 0;
    }

    private static int expr(Shell shell, List<String> args) {
        String left = args.isEmpty() ? "" : args.get(0);
        for (int i = 1; i + 1 < args.size(); i += 2) {
            String right = args.get(i + 1);
            boolean numbers = left.matches("-?\\d+") && right.matches("-?\\d+");
            long a = numbers ? Long.parseLong(left) : left.compareTo(right);
            long b = numbers ? Long.parseLong(right) : 0;
            left = switch (args.get(i)) {
                case "+" -> String.valueOf(a + b);
                case "-" -> String.valueOf(a - b);
                case "*" -> String.valueOf(a * b);
                case "/" -> String.valueOf(b == 0 ? 0 : a / b);
                case "%" -> String.valueOf(b == 0 ? 0 : a % b);
                case "=", "==" -> a == b ? "1" : "0";
                case "!=" -> a != b ? "1" : "0";
                case "<" -> a < b ? "1" : "0";
                case "<=" -> a <= b ? "1" : "0";
                case ">" -> a > b ? "1" : "0";
                case ">=" -> a >= b ? "1" : "0";
                case "&" -> isNull(left) || isNull(right) ? "0" : left;
                case "|" -> isNull(left) ? right : left;
                default -> left;
            };
        }
        line(shell, left);
        return isNull(left) ? 1 : 0;
    }

    private static boolean isNull(String text) {
        return text.isEmpty() || text.equals("0");
    }

    static int number(String text) {
        try {
            return (int) Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            return text.isBlank() ? 0 : 2;
        }
    }

    /** {@code test}, {@code [} and {@code [[}. */
    private static final class Tests {
        private Tests() {}

        static boolean test(Shell shell, List<String> args) {
            return or(shell, args);
        }

        private static boolean or(Shell shell, List<String> args) {
            for (String operator : List.of("||", "-o")) {
                int at = topLevel(args, operator);
                if (at > 0) {
                    return or(shell, args.subList(0, at)) || or(shell, args.subList(at + 1, args.size()));
                }
            }
            for (String operator : List.of("&&", "-a")) {
                int at = topLevel(args, operator);
                if (at > 0) {
                    return or(shell, args.subList(0, at)) && or(shell, args.subList(at + 1, args.size()));
                }
            }
            return one(shell, args);
        }

        private static int topLevel(List<String> args, String operator) {
            int depth = 0;
            for (int i = 0; i < args.size(); i++) {
                if (args.get(i).equals("(")) {
                    depth++;
                } else if (args.get(i).equals(")")) {
                    depth--;
                } else if (depth == 0
                        && i > 0
                        && i < args.size() - 1
                        && args.get(i).equals(operator)) {
                    return i;
                }
            }
            return -1;
        }

        private static boolean one(Shell shell, List<String> args) {
            if (args.isEmpty()) {
                return false;
            }
            if (args.get(0).equals("!") && args.size() > 1) {
                return !one(shell, args.subList(1, args.size()));
            }
            if (args.get(0).equals("(") && args.get(args.size() - 1).equals(")")) {
                return or(shell, args.subList(1, args.size() - 1));
            }
            return switch (args.size()) {
                case 1 -> !ShellWords.bare(args.get(0)).isEmpty();
                case 2 -> unary(shell, args.get(0), args.get(1));
                default -> binary(args.get(0), args.get(1), args.get(2));
            };
        }

        private static boolean unary(Shell shell, String operator, String word) {
            FileTree.@Nullable Entry entry = shell.files().find(shell.path(word));
            return switch (operator) {
                case "-n" -> !word.isEmpty();
                case "-z" -> word.isEmpty();
                case "-d" -> entry != null && entry.directory();
                case "-f" -> entry != null && !entry.directory();
                case "-s" -> entry != null && !entry.content().isEmpty();
                case "-S" -> entry != null && entry.kind() == FileTree.Entry.SOCKET;
                case "-b" -> entry != null && entry.kind() == FileTree.Entry.BLOCK_DEVICE;
                case "-c" -> entry != null && entry.kind() == FileTree.Entry.CHARACTER_DEVICE;
                case "-h", "-L" -> {
                    FileTree.Entry own = shell.files().lookup(shell.path(word));
                    yield own != null && own.kind() == FileTree.Entry.LINK;
                }
                case "-p", "-t" -> false;
                default -> entry != null; // -e -r -w -x
            };
        }

        private static boolean binary(String left, String operator, String right) {
            return switch (operator) {
                case "=", "==" -> matches(left, right);
                case "!=" -> !matches(left, right);
                case "=~" -> regex(left, ShellWords.bare(right));
                case "<" -> left.compareTo(right) < 0;
                case ">" -> left.compareTo(right) > 0;
                case "-eq" -> number(left) == number(right);
                case "-ne" -> number(left) != number(right);
                case "-lt" -> number(left) < number(right);
                case "-le" -> number(left) <= number(right);
                case "-gt" -> number(left) > number(right);
                case "-ge" -> number(left) >= number(right);
                default -> false;
            };
        }

        private static boolean matches(String left, String right) {
            return left.equals(right) || ShellWords.glob(right).matcher(left).matches();
        }

        private static boolean regex(String text, String expression) {
            try {
                return Pattern.compile(expression).matcher(text).find();
            } catch (PatternSyntaxException e) {
                return false;
            }
        }
    }

    /** The lines of what a program reads: its files, or its input. Null if a file is missing, which is told. */
    static @Nullable String read(Shell shell, String program, List<String> files) {
        if (files.isEmpty() || files.equals(Collections.singletonList("-"))) {
            return shell.in().take();
        }
        StringBuilder all = new StringBuilder();
        boolean failed = false;
        for (String file : files) {
            String path = shell.path(file);
            FileTree.Entry entry = shell.files().find(path);
            if (entry == null && !path.equals("/dev/null")) {
                shell.complain(program + ": can't open '" + file + "': No such file or directory\n");
                failed = true;
            } else if (entry != null && entry.directory()) {
                shell.complain(program + ": read error: Is a directory\n");
                failed = true;
            } else if (entry != null) {
                all.append(entry.content());
            }
        }
        if (failed) {
            shell.print(all.toString());
            return null;
        }
        return all.toString();
    }
}
