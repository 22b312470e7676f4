package io.trimtab.node.simulated;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Programs that look at files and change them. Stateless. */
final class FilePrograms {
    /** No simulated file is larger: it is in memory. */
    private static final long LARGEST = 32 << 20;

    private FilePrograms() {}

    static int run(Shell shell, String program, List<String> args) {
        List<String> flags =
                args.stream().filter(a -> a.startsWith("-") && a.length() > 1).toList();
        List<String> operands = args.stream().filter(a -> !flags.contains(a)).toList();
        String letters = String.join("", flags);
        return switch (program) {
            case "ls" -> list(shell, letters, operands.isEmpty() ? List.of(".") : operands);
            case "touch" ->
                each(
                        shell,
                        program,
                        operands,
                        path -> shell.files().find(path) != null
                                ? null
                                : shell.files().write(path, "", false, 0644));
            case "mkdir" ->
                each(shell, program, operands, path -> shell.files().makeDirectory(path, letters.contains("p")));
            case "rm", "rmdir" -> each(shell, program, operands, path -> remove(shell, path, letters + program));
            case "cp" -> copy(shell, program, operands, false);
            case "mv" -> copy(shell, program, operands, true);
            case "chmod" -> chmod(shell, operands);
            case "stat" -> stat(shell, args);
            case "find" -> find(shell, args);
            case "ln" -> letters.contains("s") ? link(shell, letters, operands) : copy(shell, program, operands, false);
            case "readlink" -> readLinks(shell, letters, operands);
            case "df" -> free(shell, operands);
            case "mknod" -> makeNode(shell, operands);
            case "dd" -> convert(shell, args);
            case "truncate", "mktemp" -> 0;
            default -> 1;
        };
    }

    /** Does something to a path; says why not, or null. */
    private interface Action {
        @Nullable
        String on(String path);
    }

    private static int each(Shell shell, String program, List<String> operands, Action action) {
        int code = 0;
        for (String operand : operands) {
            String error = action.on(shell.path(operand));
            if (error != null) {
                shell.complain(program + ": "
                        + (program.equals("mkdir") ? "can't create directory '" + operand + "'" : operand) + ": "
                        + error
                        + "\n");
                code = 1;
            }
        }
        return code;
    }

    private static int link(Shell shell, String flags, List<String> operands) {
        if (operands.size() < 2) {
            return 1;
        }
        FileView files = shell.files();
        String last = shell.path(operands.get(operands.size() - 1));
        for (String target : operands.subList(0, operands.size() - 1)) {
            boolean inside = files.isDirectory(last) && !flags.contains("T");
            String path = inside ? last + "/" + target.substring(target.lastIndexOf('/') + 1) : last;
            if (flags.contains("f") && files.lookup(path) != null) {
                files.remove(path);
            }
            String error = files.link(path, target);
            if (error != null) {
                shell.complain("ln: " + path + ": " + error + "\n");
                return 1;
            }
        }
        return 0;
    }

    private static int readLinks(Shell shell, String flags, List<String> operands) {
        int code = 0;
        for (String operand : operands) {
            String path = shell.path(operand);
            FileTree.Entry entry = shell.files().lookup(path);
            if (flags.contains("f")) {
                shell.print(shell.files().real(path, true) + "\n");
            } else if (entry != null && entry.kind() == FileTree.Entry.LINK) {
                shell.print(entry.content() + "\n");
            } else {
                code = 1;
            }
        }
        return code;
    }

    private static @Nullable String remove(Shell shell, String path, String flags) {
        FileTree.Entry entry = shell.files().lookup(path);
        if (entry == null) {
            return flags.contains("f") ? null : "No such file or directory";
        }
        if (entry.directory() && !flags.contains("r") && !flags.contains("R")) {
            return "is a directory";
        }
        return shell.files().remove(path);
    }

    private static int copy(Shell shell, String program, List<String> operands, boolean move) {
        if (operands.size() < 2) {
            return 1;
        }
        FileView files = shell.files();
        String target = shell.path(operands.get(operands.size() - 1));
        for (String operand : operands.subList(0, operands.size() - 1)) {
            String from = shell.path(operand);
            FileTree.Entry entry = move ? files.lookup(from) : files.find(from);
            if (entry == null) {
                shell.complain(program + ": can't stat '" + operand + "': No such file or directory\n");
                return 1;
            }
            String to = files.isDirectory(target) ? target + from.substring(from.lastIndexOf('/')) : target;
            String error;
            if (entry.kind() == FileTree.Entry.LINK) {
                files.remove(to);
                error = files.link(to, entry.content());
            } else if (entry.directory()) {
                error = files.makeDirectory(to, true);
                for (String name : files.list(from)) {
                    FileTree.Entry inner = files.find(from + "/" + name);
                    if (error == null && inner != null && !inner.directory()) {
                        error = files.write(to + "/" + name, inner.content(), false, inner.mode());
                    }
                }
            } else {
                error = files.write(to, entry.content(), false, entry.mode());
            }
            if (error == null && move) {
                error = files.remove(from);
            }
            if (error != null) {
                shell.complain(program + ": can't create '" + to + "': " + error + "\n");
                return 1;
            }
        }
        return 0;
    }

    private static int makeNode(Shell shell, List<String> operands) {
        if (operands.size() < 2) {
            return 1;
        }
        int kind = operands.get(1).equals("b") ? FileTree.Entry.BLOCK_DEVICE : FileTree.Entry.CHARACTER_DEVICE;
        String path = shell.path(operands.get(0));
        String error =
                shell.files().find(path) != null ? "File exists" : shell.files().write(path, "", false, kind | 0644);
        if (error != null) {
            shell.complain("mknod: " + operands.get(0) + ": " + error + "\n");
            return 1;
        }
        return 0;
    }

    /** dd: copies blocks, of zeros if the file is a device. */
    private static int convert(Shell shell, List<String> args) {
        Map<String, String> settings = new HashMap<>();
        args.forEach(arg -> {
            int at = arg.indexOf('=');
            settings.put(at < 0 ? arg : arg.substring(0, at), arg.substring(at + 1));
        });
        int block = size(settings.getOrDefault("bs", "512"));
        int count = settings.containsKey("count") ? size(settings.get("count")) : -1;
        String from = settings.get("if");
        String text;
        if (from == null) {
            text = shell.input();
        } else if (from.startsWith("/dev/")) {
            text = "\0".repeat((int) Math.min((long) block * Math.max(count, 1), LARGEST));
        } else {
            FileTree.Entry entry = shell.files().find(shell.path(from));
            if (entry == null) {
                shell.complain("dd: can't open '" + from + "': No such file or directory\n");
                return 1;
            }
            text = entry.content();
        }
        if (count >= 0 && text.length() > (long) block * count) {
            text = text.substring(0, block * count);
        }
        int whole = text.length() / block;
        int rest = text.length() % block == 0 ? 0 : 1;
        String to = settings.get("of");
        if (to == null) {
            shell.print(text);
        } else if (!to.equals("/dev/null")) {
            String error = shell.files().write(shell.path(to), text, false, 0644);
            if (error != null) {
                shell.complain("dd: can't open '" + to + "': " + error + "\n");
                return 1;
            }
        }
        String blocks = whole + "+" + rest + " records ";
        shell.complain(blocks + "in\n" + blocks + "out\n");
        return 0;
    }

    private static int size(String text) {
        String digits = text.replaceAll("[^0-9].*", "");
        int number = digits.isEmpty() ? 1 : Integer.parseInt(digits);
        char unit = Character.toLowerCase(text.charAt(text.length() - 1));
        return unit == 'k' ? number << 10 : unit == 'm' ? number << 20 : number;
    }

    /** df: what the file systems hold, in blocks of a kilobyte. */
    private static int free(Shell shell, List<String> operands) {
        List<String> places = new ArrayList<>();
        if (operands.isEmpty()) {
            places.add("/");
            shell.files().mounts().forEach(mount -> places.add(mount.path()));
        }
        int code = 0;
        for (String operand : operands) {
            if (shell.files().find(shell.path(operand)) == null) {
                shell.complain("df: " + operand + ": can't find mount point\n");
                code = 1;
            } else {
                places.add(shell.files().mountPoint(shell.path(operand)));
            }
        }
        if (!places.isEmpty()) {
            shell.print("Filesystem           1K-blocks      Used Available Use% Mounted on\n");
        }
        for (String place : places) {
            FileTree tree = shell.files().tree(place);
            long size = tree.capacity() >> 10;
            long used = Math.min(size, (tree.size() + 1023) >> 10);
            long percent = size == 0 ? 0 : (used * 100 + size - 1) / size;
            shell.print(String.format(
                    "%-20s %9d %9d %9d %3d%% %s\n", tree.type(), size, used, size - used, percent, place));
        }
        return code;
    }

    private static int chmod(Shell shell, List<String> operands) {
        if (operands.size() < 2 || !operands.get(0).matches("[0-7]+")) {
            return 0; // symbolic modes: nobody asks what became of them
        }
        int mode = Integer.parseInt(operands.get(0), 8);
        operands.subList(1, operands.size()).forEach(file -> shell.files().mode(shell.path(file), mode));
        return 0;
    }

    private static int list(Shell shell, String flags, List<String> operands) {
        int code = 0;
        for (String operand : operands) {
            String path = shell.path(operand);
            FileTree.Entry entry = flags.contains("l")
                    ? shell.files().lookup(path)
                    : shell.files().find(path);
            if (entry == null) {
                shell.complain("ls: " + operand + ": No such file or directory\n");
                code = 1;
                continue;
            }
            boolean inside = entry.directory() && !flags.contains("d");
            List<String> names = inside ? shell.files().list(path) : List.of(operand);
            for (String name : names) {
                if (name.startsWith(".") && inside && !flags.contains("a") && !flags.contains("A")) {
                    continue;
                }
                FileTree.Entry file = shell.files().lookup(inside ? (path.equals("/") ? "" : path) + "/" + name : path);
                if (flags.contains("l") && file != null) {
                    shell.print(mode(file.letter(), file.mode()) + "    1 root     "
                            + (file.group() == 0 ? "root" : String.valueOf(file.group())) + "  "
                            + file.content().length() + " Jan  1 00:00 " + name
                            + (file.letter() == 'l' ? " -> " + file.content() : "") + "\n");
                } else {
                    shell.print(name + "\n");
                }
            }
        }
        return code;
    }

    private static int stat(Shell shell, List<String> args) {
        String format = "";
        List<String> files = new ArrayList<>();
        for (int i = 0; i < args.size(); i++) {
            if (args.get(i).equals("-c") && i + 1 < args.size()) {
                format = args.get(++i);
            } else if (args.get(i).startsWith("-c")) {
                format = args.get(i).substring(2);
            } else if (!args.get(i).startsWith("-")) {
                files.add(args.get(i));
            }
        }
        int code = 0;
        for (String file : files) {
            String path = shell.path(file);
            FileTree.Entry entry = args.contains("-L")
                    ? shell.files().find(path)
                    : shell.files().lookup(path);
            if (entry == null) {
                shell.complain("stat: can't stat '" + file + "': No such file or directory\n");
                code = 1;
                continue;
            }
            shell.print(format.replace("%a", Integer.toOctalString(entry.mode() & 07777))
                            .replace("%A", mode(entry.letter(), entry.mode()))
                            .replace("%s", String.valueOf(entry.content().length()))
                            .replace("%g", String.valueOf(entry.group()))
                            .replace("%u", "0")
                            .replace("%n", file)
                            .replace("%T", shell.files().type(path))
                    + "\n");
        }
        return code;
    }

    private static int find(Shell shell, List<String> args) {
        String root = args.isEmpty() || args.get(0).startsWith("-") ? "." : args.get(0);
        boolean filesOnly = args.indexOf("-type") >= 0
                && args.get(args.indexOf("-type") + 1).equals("f");
        // Several names are alternatives: nobody asks for all of them at once.
        List<Pattern> names = new ArrayList<>();
        for (int i = 0; i + 1 < args.size(); i++) {
            if (args.get(i).equals("-name")) {
                names.add(ShellWords.glob(args.get(i + 1)));
            }
        }
        walk(shell, root, filesOnly, names);
        return 0;
    }

    private static void walk(Shell shell, String path, boolean filesOnly, List<Pattern> names) {
        FileTree.Entry entry = shell.files().find(shell.path(path));
        if (entry == null) {
            return;
        }
        String name = path.substring(path.lastIndexOf('/') + 1);
        boolean named =
                names.isEmpty() || names.stream().anyMatch(n -> n.matcher(name).matches());
        if (named && (!filesOnly || !entry.directory())) {
            shell.print(path + "\n");
        }
        if (entry.directory()) {
            for (String inner : shell.files().list(shell.path(path))) {
                walk(shell, path.endsWith("/") ? path + inner : path + "/" + inner, filesOnly, names);
            }
        }
    }

    /** {@code -rw-r--r--} of 0644, as Go and {@code ls} print it. */
    static String mode(char kind, int mode) {
        StringBuilder text = new StringBuilder().append(kind);
        for (int shift = 6; shift >= 0; shift -= 3) {
            int bits = mode >> shift & 7;
            text.append((bits & 4) != 0 ? 'r' : '-')
                    .append((bits & 2) != 0 ? 'w' : '-')
                    .append((bits & 1) != 0 ? 'x' : '-');
        }
        return text.toString();
    }
}
