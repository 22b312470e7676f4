package io.trimtab.node.simulated;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Programs that read text and write text. Stateless. */
final class TextPrograms {
    private TextPrograms() {}

    static int run(Shell shell, String program, List<String> args) {
        return switch (program) {
            case "cat" -> cat(shell, args);
            case "head" -> ends(shell, program, args, true);
            case "tail" -> ends(shell, program, args, false);
            case "grep", "egrep" -> grep(shell, args);
            case "tee" -> tee(shell, args);
            case "tr" -> tr(shell, args);
            case "awk" -> awk(shell, args);
            default -> filter(shell, program, args);
        };
    }

    private static List<String> operands(List<String> args) {
        return args.stream().filter(a -> !a.startsWith("-") || a.equals("-")).toList();
    }

    private static int cat(Shell shell, List<String> args) {
        if (!shell.in().isClosed()
                && (operands(args).isEmpty() || operands(args).equals(List.of("-")))) {
            copy(shell);
            return Programs.LATER;
        }
        String text = Programs.read(shell, "cat", operands(args));
        if (text == null) {
            return 1;
        }
        shell.print(text);
        return 0;
    }

    /** Prints what comes in as it comes. */
    private static void copy(Shell shell) {
        shell.whenInput(Input::hasSome, () -> {
            boolean last = shell.in().isClosed();
            shell.print(shell.in().take());
            if (last) {
                shell.end(0);
            } else {
                copy(shell);
            }
        });
    }

    private static List<String> lines(String text) {
        if (text.isEmpty()) {
            return List.of();
        }
        return List.of((text.endsWith("\n") ? text.substring(0, text.length() - 1) : text).split("\n", -1));
    }

    private static int ends(Shell shell, String program, List<String> args, boolean head) {
        int count = 10;
        boolean bytes = false;
        boolean follow = false;
        List<String> files = new ArrayList<>();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if ((arg.equals("-n") || arg.equals("-c")) && i + 1 < args.size()) {
                bytes = arg.equals("-c");
                count = Programs.number(args.get(++i).replace("+", ""));
            } else if (arg.matches("-[nc]?\\d+")) {
                bytes = arg.startsWith("-c");
                count = Programs.number(arg.replaceFirst("-[nc]?", ""));
            } else if (arg.matches("-[fF]+")) {
                follow = true;
            } else {
                files.add(arg);
            }
        }
        String text = Programs.read(shell, program, files);
        if (follow) {
            shell.sleep(Shell.FOREVER);
            return 0;
        }
        if (text == null) {
            return 1;
        }
        if (bytes) {
            int length = Math.min(count, text.length());
            shell.print(head ? text.substring(0, length) : text.substring(text.length() - length));
            return 0;
        }
        List<String> lines = lines(text);
        int length = Math.min(count, lines.size());
        (head ? lines.subList(0, length) : lines.subList(lines.size() - length, lines.size()))
                .forEach(line -> shell.print(line + "\n"));
        return 0;
    }

    private static int grep(Shell shell, List<String> args) {
        boolean quiet = false;
        boolean inverted = false;
        boolean count = false;
        boolean fixed = false;
        boolean only = false;
        int flags = 0;
        String expression = null;
        List<String> files = new ArrayList<>();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.equals("-e") && i + 1 < args.size()) {
                expression = args.get(++i);
            } else if (arg.startsWith("-") && arg.length() > 1) {
                quiet |= arg.contains("q");
                inverted |= arg.contains("v");
                count |= arg.contains("c");
                fixed |= arg.contains("F");
                only |= arg.contains("o");
                flags |= arg.contains("i") ? Pattern.CASE_INSENSITIVE : 0;
            } else if (expression == null) {
                expression = arg;
            } else {
                files.add(arg);
            }
        }
        String text = Programs.read(shell, "grep", files);
        if (text == null || expression == null) {
            return 2;
        }
        Pattern pattern;
        try {
            pattern = Pattern.compile(fixed ? Pattern.quote(expression) : expression, flags);
        } catch (PatternSyntaxException e) {
            pattern = Pattern.compile(Pattern.quote(expression), flags);
        }
        int found = 0;
        for (String line : lines(text)) {
            var matcher = pattern.matcher(line);
            if (matcher.find() == inverted) {
                continue;
            }
            found++;
            if (!quiet && !count) {
                shell.print((only ? matcher.group() : line) + "\n");
            }
        }
        if (count) {
            shell.print(found + "\n");
        }
        return found > 0 ? 0 : 1;
    }

    private static int tee(Shell shell, List<String> args) {
        String text = shell.in().take();
        shell.print(text);
        for (String file : operands(args)) {
            shell.files().write(shell.path(file), text, args.contains("-a"), 0644);
        }
        return 0;
    }

    private static int tr(Shell shell, List<String> args) {
        boolean delete = !args.isEmpty() && args.get(0).equals("-d");
        List<String> sets = args.stream()
                .filter(a -> !a.equals("-d"))
                .map(a -> set(a.replace("\\n", "\n").replace("\\t", "\t")))
                .toList();
        if (sets.isEmpty()) {
            return 1;
        }
        StringBuilder text = new StringBuilder();
        for (char c : shell.in().take().toCharArray()) {
            int at = sets.get(0).indexOf(c);
            if (at < 0) {
                text.append(c);
            } else if (!delete && sets.size() > 1 && !sets.get(1).isEmpty()) {
                text.append(sets.get(1).charAt(Math.min(at, sets.get(1).length() - 1)));
            }
        }
        shell.print(text.toString());
        return 0;
    }

    /** Prints fields, which is what it is mostly used for; other scripts print nothing. */
    private static int awk(Shell shell, List<String> args) {
        List<String> operands = operands(args);
        if (operands.isEmpty()) {
            return 1;
        }
        String text = Programs.read(shell, "awk", operands.subList(1, operands.size()));
        var print = PRINT.matcher(operands.get(0));
        if (text == null || !print.matches()) {
            return text == null ? 2 : 0;
        }
        for (String line : lines(text)) {
            String[] fields = line.strip().split("\\s+");
            List<String> shown = new ArrayList<>();
            for (String part : print.group(1).split("[,\\s]+")) {
                int field = part.equals("$NF") ? fields.length : Programs.number(part.replace("$", ""));
                shown.add(field == 0 ? line : field <= fields.length ? fields[field - 1] : "");
            }
            shell.print(String.join(" ", shown) + "\n");
        }
        return 0;
    }

    private static final Pattern PRINT = Pattern.compile("\\s*\\{\\s*print\\s*((?:\\$\\w+[,\\s]*)+);?\\s*\\}\\s*");

    private static String set(String text) {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (i + 2 < text.length() && text.charAt(i + 1) == '-') {
                for (char c = text.charAt(i); c <= text.charAt(i + 2); c++) {
                    all.append(c);
                }
                i += 2;
            } else {
                all.append(text.charAt(i));
            }
        }
        return all.toString();
    }

    private static int filter(Shell shell, String program, List<String> args) {
        List<String> operands = new ArrayList<>(operands(args));
        String script = "";
        if (program.equals("sed") && !operands.isEmpty()) {
            script = operands.remove(0);
        }
        if (program.equals("cut")) {
            for (int i = 0; i + 1 < args.size(); i++) {
                if (args.get(i).equals("-d") || args.get(i).equals("-f")) {
                    operands.remove(args.get(i + 1));
                }
            }
        }
        String text = Programs.read(shell, program, operands);
        if (text == null) {
            return 1;
        }
        List<String> lines = lines(text);
        switch (program) {
            case "sort" -> lines.stream().sorted().forEach(line -> shell.print(line + "\n"));
            case "uniq" -> new LinkedHashSet<>(lines).forEach(line -> shell.print(line + "\n"));
            case "wc" -> {
                long words = Arrays.stream(text.split("\\s+"))
                        .filter(w -> !w.isEmpty())
                        .count();
                long newlines = text.chars().filter(c -> c == '\n').count();
                String name = operands.isEmpty() ? "" : " " + operands.get(0);
                String counts = args.contains("-l")
                        ? String.valueOf(newlines)
                        : args.contains("-c")
                                ? String.valueOf(text.length())
                                : args.contains("-w")
                                        ? String.valueOf(words)
                                        : newlines + " " + words + " " + text.length();
                shell.print(counts + name + "\n");
            }
            case "cut" -> cut(shell, args, lines);
            case "sed" -> sed(shell, script, lines);
            case "base64" -> {
                byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
                shell.print(
                        args.contains("-d")
                                ? new String(Base64.getMimeDecoder().decode(bytes), StandardCharsets.ISO_8859_1)
                                : Base64.getEncoder().encodeToString(bytes) + "\n");
            }
            case "hexdump" -> hexdump(shell, text);
            default -> shell.print(text);
        }
        return 0;
    }

    private static void cut(Shell shell, List<String> args, List<String> lines) {
        String separator = "\t";
        int field = 1;
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            String value = arg.length() > 2 ? arg.substring(2) : i + 1 < args.size() ? args.get(i + 1) : "";
            if (arg.startsWith("-d")) {
                separator = value;
            } else if (arg.startsWith("-f")) {
                field = Math.max(1, Programs.number(value));
            }
        }
        for (String line : lines) {
            String[] parts = line.split(Pattern.quote(separator), -1);
            shell.print((parts.length == 1 ? line : field <= parts.length ? parts[field - 1] : "") + "\n");
        }
    }

    /** Substitutions only. */
    private static void sed(Shell shell, String script, List<String> lines) {
        if (script.length() < 4 || script.charAt(0) != 's') {
            lines.forEach(line -> shell.print(line + "\n"));
            return;
        }
        String[] parts = script.substring(2).split(Pattern.quote(script.substring(1, 2)), -1);
        for (String line : lines) {
            String changed = parts.length > 2 && parts[2].contains("g")
                    ? line.replaceAll(parts[0], parts[1])
                    : line.replaceFirst(parts[0], parts.length > 1 ? parts[1] : "");
            shell.print(changed + "\n");
        }
    }

    private static void hexdump(Shell shell, String text) {
        for (int i = 0; i < text.length(); i += 16) {
            StringBuilder line = new StringBuilder(String.format("%08x ", i));
            StringBuilder shown = new StringBuilder();
            for (int j = 0; j < 16; j++) {
                if (j == 8) {
                    line.append(' ');
                }
                if (i + j < text.length()) {
                    char c = text.charAt(i + j);
                    line.append(String.format(" %02x", (int) c));
                    shown.append(c >= 32 && c < 127 ? c : '.');
                } else {
                    line.append("   ");
                }
            }
            shell.print(line + "  |" + shown + "|\n");
        }
        shell.print(String.format("%08x%n", text.length()));
    }
}
