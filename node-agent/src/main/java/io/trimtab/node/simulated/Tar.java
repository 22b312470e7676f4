package io.trimtab.node.simulated;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code tar}, as {@code kubectl cp} and scripts use it: creates, extracts and lists archives in the ustar form. Stateless. */
final class Tar {
    private static final int BLOCK = 512;

    private Tar() {}

    static int run(Shell shell, List<String> args) {
        char mode = ' ';
        String archive = "-";
        String directory = shell.directory();
        List<String> members = new ArrayList<>();
        boolean first = true;
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.equals("-C") && i + 1 < args.size()) {
                directory = shell.path(args.get(++i));
            } else if (first && !arg.startsWith("--")
                    || arg.startsWith("-") && !arg.startsWith("--") && arg.length() > 1) {
                for (char letter : arg.toCharArray()) {
                    if ("cxt".indexOf(letter) >= 0) {
                        mode = letter;
                    } else if (letter == 'f' && i + 1 < args.size()) {
                        archive = args.get(++i);
                    }
                }
            } else if (!arg.startsWith("--")) {
                members.add(arg);
            }
            first = false;
        }
        String where = directory;
        String file = archive;
        if (mode == 'c') {
            return create(shell, where, file, members);
        }
        boolean lists = mode == 't';
        if (file.equals("-")) {
            shell.whenInput(
                    Input::isClosed,
                    () -> shell.end(extract(shell, where, shell.in().take(), lists)));
            return Programs.LATER;
        }
        FileTree.Entry entry = shell.files().find(shell.path(file));
        if (entry == null) {
            shell.complain("tar: can't open '" + file + "': No such file or directory\n");
            return 1;
        }
        return extract(shell, where, entry.content(), lists);
    }

    // ---- writing

    private static int create(Shell shell, String directory, String archive, List<String> members) {
        StringBuilder all = new StringBuilder();
        int code = 0;
        for (String member : members) {
            String path = FileView.normal(directory, member);
            FileTree.Entry entry = shell.files().find(path);
            if (entry == null) {
                shell.complain("tar: " + member + ": No such file or directory\n");
                code = 1;
                continue;
            }
            if (member.startsWith("/")) {
                shell.complain("tar: removing leading '/' from member names\n");
            }
            add(shell, all, path, member.replaceFirst("^/+", ""), entry);
        }
        all.append("\0".repeat(2 * BLOCK));
        if (archive.equals("-")) {
            shell.print(all.toString());
        } else {
            shell.files().write(shell.path(archive), all.toString(), false, 0644);
        }
        return code;
    }

    private static void add(Shell shell, StringBuilder all, String path, String name, FileTree.Entry entry) {
        if (!entry.directory()) {
            all.append(header(name, entry.mode(), entry.content().length(), '0'));
            all.append(entry.content());
            all.append("\0".repeat((BLOCK - entry.content().length() % BLOCK) % BLOCK));
            return;
        }
        all.append(header(name.endsWith("/") ? name : name + "/", entry.mode(), 0, '5'));
        for (String child : shell.files().list(path)) {
            FileTree.Entry found = shell.files().find(FileView.normal(path, child));
            if (found != null) {
                add(shell, all, FileView.normal(path, child), name.replaceFirst("/$", "") + "/" + child, found);
            }
        }
    }

    private static String header(String name, int mode, int size, char type) {
        String prefix = "";
        String last = name;
        if (name.length() > 100) {
            int cut = name.lastIndexOf('/', 154);
            prefix = cut > 0 ? name.substring(0, cut) : "";
            last = cut > 0 ? name.substring(cut + 1) : name.substring(0, 100);
        }
        StringBuilder text = new StringBuilder();
        text.append(padded(last, 100));
        text.append(octal(mode & 07777, 8)).append(octal(0, 8)).append(octal(0, 8));
        text.append(octal(size, 12)).append(octal(0, 12));
        text.append("        ").append(type).append(padded("", 100));
        text.append("ustar\00000").append(padded("root", 32)).append(padded("root", 32));
        text.append(octal(0, 8)).append(octal(0, 8)).append(padded(prefix, 155)).append("\0".repeat(12));
        int sum = text.chars().sum();
        text.replace(148, 156, String.format(Locale.ROOT, "%06o", sum) + "\0 ");
        return text.toString();
    }

    private static String padded(String text, int width) {
        return text + "\0".repeat(width - text.length());
    }

    private static String octal(int number, int width) {
        return String.format(Locale.ROOT, "%0" + (width - 1) + "o", number) + "\0";
    }

    // ---- reading

    private static int extract(Shell shell, String directory, String archive, boolean lists) {
        if (!shell.files().isDirectory(directory)) {
            shell.complain("tar: can't change directory to '" + directory + "': No such file or directory\n");
            return 1;
        }
        String longName = null;
        for (int at = 0; at + BLOCK <= archive.length(); ) {
            String head = archive.substring(at, at + BLOCK);
            if (head.charAt(0) == 0) {
                break;
            }
            int size = number(head, 124, 12);
            String content = archive.substring(at + BLOCK, Math.min(archive.length(), at + BLOCK + size));
            at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
            char type = head.charAt(156);
            if (type == 'L') {
                longName = text(content, 0, content.length());
                continue;
            }
            if (type == 'x' || type == 'g') {
                String path = extended(content);
                longName = path == null ? longName : path;
                continue;
            }
            String prefix = head.startsWith("ustar", 257) ? text(head, 345, 155) : "";
            String name = longName != null
                    ? longName
                    : prefix.isEmpty() ? text(head, 0, 100) : prefix + "/" + text(head, 0, 100);
            longName = null;
            if (lists) {
                shell.print(name + "\n");
                continue;
            }
            String path = FileView.normal(directory, name.replaceFirst("^/+", ""));
            String error = type == '5'
                    ? shell.files().makeDirectory(path, true)
                    : type == '0' || type == 0 ? place(shell, path, content, number(head, 100, 8)) : null;
            if (error != null) {
                shell.complain("tar: can't open '" + name + "': " + error + "\n");
                return 1;
            }
        }
        return 0;
    }

    private static @org.jspecify.annotations.Nullable String place(Shell shell, String path, String content, int mode) {
        int slash = path.lastIndexOf('/');
        if (slash > 0 && !shell.files().isDirectory(path.substring(0, slash))) {
            String error = shell.files().makeDirectory(path.substring(0, slash), true);
            if (error != null) {
                return error;
            }
        }
        return shell.files().write(path, content, false, mode & 0777);
    }

    /** The path of an extended header; null if it has none. */
    private static @org.jspecify.annotations.Nullable String extended(String records) {
        for (String line : records.split("\n")) {
            int at = line.indexOf(" path=");
            if (at >= 0) {
                return line.substring(at + 6);
            }
        }
        return null;
    }

    private static String text(String block, int from, int width) {
        String field = block.substring(from, Math.min(block.length(), from + width));
        int end = field.indexOf('\0');
        return end < 0 ? field : field.substring(0, end);
    }

    private static int number(String block, int from, int width) {
        String field = text(block, from, width).strip();
        try {
            return field.isEmpty() ? 0 : Integer.parseInt(field, 8);
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
