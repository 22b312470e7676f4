package io.trimtab.node.simulated;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Runs a script without a thread: {@link #run()} goes on until the script ends or sleeps, and says for how long, so that the
 * driver's timers wake it and time may be virtual. What the script cannot know of the world (the network, programs that are not
 * known) neither fails nor ends. Used by one thread at a time.
 */
final class Shell {
    /** The time that what never ends takes. */
    static final Duration FOREVER = Duration.ofDays(36_500);

    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern ASSIGNMENT = Pattern.compile("(?s)[A-Za-z_][A-Za-z0-9_]*=.*");
    /** A loop that neither sleeps nor ends gives way after so many steps, as a process does that has used up its time. */
    private static final int SLICE = 20_000;

    private static final Duration AFTER_SLICE = Duration.ofSeconds(1);
    private static final int MAX_DEPTH = 40;

    /** Where output goes. */
    interface Sink {
        void write(String text);
    }

    /** A part of the script that is being run. */
    private interface Frame {
        void step();

        /** Of one that waits for input: whether it has come. */
        default boolean isReady() {
            return true;
        }
    }

    /** What a process finds around it: shared with the processes it starts. */
    record World(
            FileView files,
            Supplier<Instant> now,
            String hostname,
            int user,
            Map<String, String> facts,
            @Nullable Sockets sockets) {
        World(FileView files, Supplier<Instant> now, String hostname, int user, Map<String, String> facts) {
            this(files, now, hostname, user, facts, null);
        }
    }

    private final World world;
    private final Deque<Frame> frames = new ArrayDeque<>();
    private final Map<String, String> variables;
    private final Map<String, ShellTree> functions;
    private final Map<String, String> traps = new HashMap<>();
    private final int depth;
    private List<String> positional;
    private String directory = "/";
    /** As it was called: it puts that before what it complains of. */
    private String name = "sh";

    private Sink out;
    private Sink err;
    private Input input = Input.of("");
    private boolean waits;
    private volatile Runnable waker = () -> {};
    private int status;
    private int conditions;
    private boolean errexit;
    /** Nothing more is to be run, though the caller may be in the middle of a command. */
    private boolean ended;

    private int drawn;
    private @Nullable Duration pause;
    private Instant background;

    Shell(World world, Map<String, String> environment, Sink out, Sink err) {
        this(world, new LinkedHashMap<>(environment), new HashMap<>(), List.of("sh"), out, err, 0);
    }

    private Shell(
            World world,
            Map<String, String> variables,
            Map<String, ShellTree> functions,
            List<String> positional,
            Sink out,
            Sink err,
            int depth) {
        this.world = world;
        this.variables = variables;
        this.functions = functions;
        this.positional = positional;
        this.out = out;
        this.err = err;
        this.depth = depth;
        this.background = Instant.MIN;
    }

    // ---- from outside

    /** Prepares to run a command, as an image's entry point. */
    Shell command(List<String> words) {
        frames.push(() -> {
            frames.pop();
            execute(words);
        });
        return this;
    }

    /** Goes on. Returns how long it sleeps, or null if it has ended. */
    @Nullable
    Duration run() {
        int left = SLICE;
        waits = false;
        while (pause == null && !frames.isEmpty()) {
            if (left-- == 0) {
                return AFTER_SLICE;
            }
            frames.element().step();
        }
        Duration sleep = pause;
        pause = null;
        return sleep;
    }

    int status() {
        return status;
    }

    /** Whether it sleeps until there is more to read. */
    boolean isWaiting() {
        return waits;
    }

    /** Sets who is told that what the program waits for may have come. */
    void onWake(Runnable told) {
        waker = told;
    }

    /** What the program waits for may have come. Any thread. */
    void wake() {
        waker.run();
    }

    /** Goes on with something else once it is time; somebody calls {@link #wake} then. */
    void whenReady(BooleanSupplier ready, Runnable action) {
        whenInput(ignored -> ready.getAsBoolean(), action);
    }

    /** Goes on with something else once the input is as it should be; meanwhile the process sleeps. */
    void whenInput(Predicate<Input> ready, Runnable action) {
        frames.push(new Frame() {
            @Override
            public boolean isReady() {
                return ready.test(input);
            }

            @Override
            public void step() {
                if (ready.test(input)) {
                    frames.pop();
                    action.run();
                } else {
                    waits = true;
                    pause = FOREVER;
                }
            }
        });
    }

    /** Does something after the time that the program takes has passed. */
    void later(Duration time, Runnable action) {
        frames.push(() -> {
            frames.pop();
            action.run();
        });
        sleep(time);
    }

    /** Ends the command that is being run with a status; for what ends later than it began. */
    void end(int code) {
        done(code);
    }

    /** Ends what is being run, as a signal from the terminal does, but not the shell that reads commands. */
    void interrupt() {
        while (!frames.isEmpty() && !(frames.element() instanceof Lines)) {
            Frame left = frames.pop();
            if (left instanceof Undo undo) {
                undo.restore();
            }
        }
        pause = null;
        status = 130;
    }

    /** Reads commands from the input, line by line, and runs them. */
    void readCommands(String prompt) {
        frames.push(new Lines(prompt));
    }

    /** Told to end: runs its trap, if it has one. Returns false if it has none, and ends at once. */
    boolean terminate() {
        String handler = traps.remove("TERM");
        if (handler == null) {
            frames.clear();
            status = 143;
            return false;
        }
        frames.clear();
        pause = null;
        if (!handler.isEmpty()) {
            source(handler);
        }
        return true;
    }

    // ---- for programs

    World world() {
        return world;
    }

    FileView files() {
        return world.files();
    }

    void print(String text) {
        out.write(text);
    }

    void complain(String text) {
        err.write(text);
    }

    Sink out() {
        return out;
    }

    /** What comes in by standard input. */
    String input() {
        return input.look();
    }

    Input in() {
        return input;
    }

    void takeInput(String rest) {
        input = Input.of(rest);
    }

    Shell reading(Input given) {
        input = given;
        return this;
    }

    void named(String word) {
        name = word;
    }

    Map<String, String> variables() {
        return variables;
    }

    List<String> positional() {
        return positional;
    }

    void shift(int count) {
        List<String> left = new ArrayList<>(positional);
        for (int i = 0; i < count && left.size() > 1; i++) {
            left.remove(1);
        }
        positional = left;
    }

    void setPositional(List<String> words) {
        List<String> all = new ArrayList<>();
        all.add(positional.get(0));
        all.addAll(words);
        positional = all;
    }

    String directory() {
        return directory;
    }

    void changeDirectory(String path) {
        directory = path;
    }

    String path(String name) {
        return FileView.normal(directory, name);
    }

    void sleep(Duration time) {
        pause = pause == null ? time : pause.plus(time);
    }

    void setErrexit(boolean on) {
        errexit = on;
    }

    void trap(String signal, String handler) {
        traps.put(signal.replaceFirst("^SIG", "").replace("15", "TERM").replaceFirst("^0$", "EXIT"), handler);
    }

    void awaitBackground() {
        Duration left = Duration.between(world.now().get(), background);
        if (background.isAfter(world.now().get())) {
            sleep(left);
        }
    }

    /** Ends the process. */
    void exit(int code) {
        frames.clear();
        status = code;
        String handler = traps.remove("EXIT");
        if (handler != null) {
            frames.push(() -> {
                frames.pop();
                status = code;
            });
            source(handler);
        }
    }

    /** Reads a script and runs it in this process, next. */
    void source(String script) {
        ShellTree tree;
        try {
            tree = ShellParser.parse(script);
        } catch (ShellParser.SyntaxException e) {
            complain(name + ": syntax error: " + e.getMessage() + "\n");
            status = 2;
            return;
        }
        push(tree);
    }

    /** Runs what {@code sh -c} is given: in this process where nothing is left to do after it, otherwise in another. */
    void scope(String script) {
        if (frames.isEmpty()) {
            source(script);
            return;
        }
        Shell child = child(out, err);
        child.source(script);
        join(child, () -> done(child.status));
    }

    /** Leaves loops; {@code again}: goes on with the next round of the outermost of them. */
    void leaveLoop(boolean again) {
        while (!frames.isEmpty() && !(frames.element() instanceof LoopFrame)) {
            Frame left = frames.pop();
            if (left instanceof Undo undo) {
                undo.restore();
            }
        }
        if (!frames.isEmpty()) {
            LoopFrame loop = (LoopFrame) frames.element();
            if (again) {
                loop.again();
            } else {
                frames.pop();
            }
        }
    }

    void returnFromFunction(int code) {
        while (!frames.isEmpty()) {
            Frame left = frames.pop();
            if (left instanceof Undo undo) {
                undo.restore();
                if (undo.function) {
                    break;
                }
            }
        }
        status = code;
    }

    /** Another process with copies of what this one has. */
    Shell child(Sink childOut, Sink childErr) {
        if (depth > MAX_DEPTH) {
            throw new ShellParser.SyntaxException("too many processes");
        }
        Shell child = new Shell(
                world,
                new LinkedHashMap<>(variables),
                new HashMap<>(functions),
                positional,
                childOut,
                childErr,
                depth + 1);
        child.directory = directory;
        child.input = input;
        child.status = status;
        child.errexit = errexit;
        child.waker = this::wake;
        return child;
    }

    /** Runs a command to its end now, in another place: with other files, but this process's output. */
    int elsewhere(FileView files, List<String> words) {
        World there = new World(files, world.now(), world.hostname(), 0, world.facts(), world.sockets());
        Shell other = new Shell(
                there, new LinkedHashMap<>(variables), new HashMap<>(functions), List.of("sh"), out, err, depth + 1);
        other.input = input;
        other.waker = this::wake;
        return finish(other.command(words));
    }

    /** Runs another process to its end now; the time that it takes, this one takes. */
    int finish(Shell child) {
        Duration taken = Duration.ZERO;
        for (int i = 0; ; i++) {
            Duration sleep = child.run();
            if (sleep == null) {
                break;
            }
            taken = taken.plus(sleep);
            if (i > 1000 || taken.compareTo(FOREVER) >= 0) {
                sleep(FOREVER);
                return 0;
            }
        }
        if (!taken.isZero()) {
            sleep(taken);
        }
        return child.status;
    }

    /** Runs another process; goes on when that has ended. */
    private void join(Shell child, Runnable then) {
        frames.push(new Frame() {
            @Override
            public boolean isReady() {
                return !child.waits
                        || child.frames.isEmpty()
                        || child.frames.element().isReady();
            }

            @Override
            public void step() {
                Duration sleep = child.run();
                if (sleep == null) {
                    frames.pop();
                    then.run();
                } else {
                    pause = sleep;
                    waits = child.waits;
                }
            }
        });
    }

    // ---- running

    private void push(ShellTree tree) {
        frames.push(() -> {
            frames.pop();
            begin(tree);
        });
    }

    private void begin(ShellTree tree) {
        if (tree instanceof ShellTree.Simple simple) {
            simple(simple);
        } else if (tree instanceof ShellTree.Sequence sequence) {
            for (int i = sequence.parts().size() - 1; i >= 0; i--) {
                push(sequence.parts().get(i));
            }
        } else if (tree instanceof ShellTree.AndOr both) {
            after(() -> {
                if (status == 0 == both.and()) {
                    push(both.right());
                }
            });
            condition(both.left());
        } else if (tree instanceof ShellTree.Not not) {
            after(() -> status = status == 0 ? 1 : 0);
            condition(not.body());
        } else if (tree instanceof ShellTree.If choice) {
            after(() -> {
                ShellTree chosen = status == 0 ? choice.then() : choice.otherwise();
                status = 0;
                if (chosen != null) {
                    push(chosen);
                }
            });
            condition(choice.condition());
        } else if (tree instanceof ShellTree.Loop loop) {
            frames.push(new WhileFrame(loop));
        } else if (tree instanceof ShellTree.For loop) {
            List<String> words = new ArrayList<>();
            loop.words().forEach(word -> words.addAll(expand(word)));
            frames.push(new ForFrame(loop, new ArrayDeque<>(words)));
        } else if (tree instanceof ShellTree.Case choice) {
            String word = text(choice.word());
            status = 0;
            for (ShellTree.Arm arm : choice.arms()) {
                if (arm.patterns().stream()
                        .anyMatch(p -> ShellWords.glob(pattern(p)).matcher(word).matches())) {
                    push(arm.body());
                    return;
                }
            }
        } else if (tree instanceof ShellTree.Pipeline pipeline) {
            pipeline(pipeline);
        } else if (tree instanceof ShellTree.Subshell sub) {
            Shell child = child(out, err);
            child.push(sub.body());
            join(child, () -> done(child.status));
        } else if (tree instanceof ShellTree.Redirected redirected) {
            Undo undo = redirect(redirected.redirects(), false);
            if (undo != null) {
                frames.push(undo);
                push(redirected.body());
            }
        } else if (tree instanceof ShellTree.Background job) {
            Duration before = pause;
            pause = null;
            Shell child = child(out, err);
            child.push(job.body());
            finish(child);
            Instant end = world.now().get().plus(Objects.requireNonNullElse(pause, Duration.ZERO));
            background = end.isAfter(background) ? end : background;
            pause = before;
            variables.put("!", "7");
            status = 0;
        } else if (tree instanceof ShellTree.Function function) {
            functions.put(function.name(), function.body());
            status = 0;
        }
    }

    private void after(Runnable action) {
        frames.push(() -> {
            frames.pop();
            action.run();
        });
    }

    private void condition(ShellTree tree) {
        conditions++;
        frames.push(new Undo(() -> conditions--, false));
        push(tree);
    }

    /** Notes how a command ended. */
    private void done(int code) {
        status = code;
        if (code != 0 && errexit && conditions == 0) {
            exit(code);
        }
    }

    /** Restores something when what stands above it has been run, or was left. */
    private final class Undo implements Frame {
        private final Runnable action;
        private final boolean function;

        Undo(Runnable action, boolean function) {
            this.action = action;
            this.function = function;
        }

        void restore() {
            action.run();
        }

        @Override
        public void step() {
            frames.pop();
            restore();
        }
    }

    private abstract static class LoopFrame implements Frame {
        abstract void again();
    }

    private final class WhileFrame extends LoopFrame {
        private final ShellTree.Loop loop;
        private boolean asked;

        WhileFrame(ShellTree.Loop loop) {
            this.loop = loop;
        }

        @Override
        void again() {
            asked = false;
        }

        @Override
        public void step() {
            if (!asked) {
                asked = true;
                condition(loop.condition());
            } else if (status == 0 != loop.until()) {
                asked = false;
                push(loop.body());
            } else {
                status = 0;
                frames.pop();
            }
        }
    }

    private final class ForFrame extends LoopFrame {
        private final ShellTree.For loop;
        private final Deque<String> words;

        ForFrame(ShellTree.For loop, Deque<String> words) {
            this.loop = loop;
            this.words = words;
        }

        @Override
        void again() {}

        @Override
        public void step() {
            String word = words.poll();
            if (word == null) {
                frames.pop();
                return;
            }
            variables.put(loop.name(), word);
            push(loop.body());
        }
    }

    private void pipeline(ShellTree.Pipeline pipeline) {
        frames.push(new Pipe(pipeline.parts()));
    }

    /** Processes that run side by side, each reading what the one before it writes. */
    private final class Pipe implements Frame {
        private final List<Shell> parts = new ArrayList<>();
        private final List<Input> pipes = new ArrayList<>();
        private final List<@Nullable Duration> left = new ArrayList<>();

        Pipe(List<ShellTree> trees) {
            Input read = input;
            for (int i = 0; i < trees.size(); i++) {
                int writer = i;
                Shell part = child(i == trees.size() - 1 ? out : text -> pass(writer, text), err);
                part.input = read;
                part.push(trees.get(i));
                parts.add(part);
                left.add(Duration.ZERO);
                read = new Input();
                pipes.add(read);
            }
        }

        private void pass(int writer, String text) {
            if (left.get(writer + 1) == null) {
                parts.get(writer).frames.clear(); // whoever writes to nobody ends
                parts.get(writer).status = 141;
            } else {
                pipes.get(writer).add(text);
            }
        }

        @Override
        public void step() {
            boolean moved = true;
            while (moved) {
                moved = false;
                for (int i = 0; i < parts.size(); i++) {
                    Duration time = left.get(i);
                    Shell part = parts.get(i);
                    if (time == null
                            || !time.isZero()
                                    && !(part.waits && part.frames.element().isReady())) {
                        continue;
                    }
                    Duration sleep = part.run();
                    left.set(i, sleep);
                    moved = true;
                    if (sleep == null) {
                        pipes.get(i).close();
                    }
                }
            }
            Duration soonest = null;
            boolean reading = false;
            for (int i = 0; i < parts.size(); i++) {
                Duration time = left.get(i);
                if (time != null) {
                    soonest = soonest == null || time.compareTo(soonest) < 0 ? time : soonest;
                    reading |= parts.get(i).waits;
                }
            }
            if (soonest == null) {
                frames.pop();
                done(parts.get(parts.size() - 1).status);
                return;
            }
            for (int i = 0; i < parts.size(); i++) {
                Duration time = left.get(i);
                if (time != null) {
                    left.set(i, time.compareTo(FOREVER) >= 0 ? time : time.minus(soonest));
                }
            }
            pause = soonest;
            waits = reading && soonest.compareTo(FOREVER) >= 0;
        }
    }

    /** A shell that is being talked to. */
    private final class Lines implements Frame {
        private final String prompt;
        private final StringBuilder pending = new StringBuilder();
        private boolean asked;

        Lines(String prompt) {
            this.prompt = prompt;
        }

        @Override
        public boolean isReady() {
            return input.hasLine();
        }

        @Override
        public void step() {
            if (!asked && !prompt.isEmpty()) {
                out.write(pending.isEmpty() ? prompt : "> ");
                asked = true;
            }
            if (!input.hasLine()) {
                waits = true;
                pause = FOREVER;
                return;
            }
            asked = false;
            boolean last = input.isClosed() && input.isEmpty();
            if (last && pending.isEmpty()) {
                frames.pop();
                return;
            }
            pending.append(input.takeLine()).append('\n');
            ShellTree tree;
            try {
                tree = ShellParser.parse(pending.toString());
            } catch (ShellParser.SyntaxException e) {
                if (last || input.isClosed() && input.isEmpty()) {
                    complain(name + ": syntax error: " + e.getMessage() + "\n");
                    frames.pop();
                    status = 2;
                }
                return; // the rest is in the next lines
            }
            pending.setLength(0);
            push(tree);
        }
    }

    private void simple(ShellTree.Simple simple) {
        List<String> words = new ArrayList<>();
        Map<String, String> assigned = new LinkedHashMap<>();
        int i = 0;
        while (i < simple.words().size()
                && ASSIGNMENT.matcher(simple.words().get(i)).matches()) {
            String word = simple.words().get(i++);
            int at = word.indexOf('=');
            assigned.put(word.substring(0, at), text(word.substring(at + 1)));
        }
        boolean test = i < simple.words().size() && simple.words().get(i).equals("[[");
        for (; i < simple.words().size(); i++) {
            if (test) {
                words.add(
                        ShellWords.isPattern(words)
                                ? pattern(simple.words().get(i))
                                : text(simple.words().get(i)));
            } else {
                words.addAll(expand(simple.words().get(i)));
            }
        }
        if (ended) {
            return;
        }
        Undo undo =
                redirect(simple.redirects(), !words.isEmpty() && words.get(0).equals("exec") && words.size() == 1);
        if (undo == null) {
            return;
        }
        if (words.isEmpty()) {
            variables.putAll(assigned);
            if (simple.words().stream().noneMatch(w -> w.contains("$(") || w.contains("`"))) {
                status = 0;
            }
            undo.restore();
            return;
        }
        Map<String, String> before = new HashMap<>();
        assigned.forEach((name, value) -> before.put(name, variables.put(name, value)));
        frames.push(undo);
        frames.push(new Undo(
                () -> before.forEach((name, value) -> {
                    if (value == null) {
                        variables.remove(name);
                    } else {
                        variables.put(name, value);
                    }
                }),
                false));
        execute(words);
    }

    private void execute(List<String> words) {
        if (words.isEmpty()) {
            return;
        }
        ShellTree function = functions.get(words.get(0));
        if (function != null) {
            List<String> callers = positional;
            List<String> given = new ArrayList<>(words);
            given.set(0, callers.get(0));
            frames.push(new Undo(() -> positional = callers, true));
            positional = given;
            push(function);
            return;
        }
        if (!input.isClosed() && Programs.readsAll(words)) {
            whenInput(Input::isClosed, () -> run(words));
        } else {
            run(words);
        }
    }

    private void run(List<String> words) {
        int code = Programs.run(this, words);
        if (code >= 0) {
            done(code);
        }
    }

    /** Carries redirections out; null if one failed, which was told. */
    private @Nullable Undo redirect(List<ShellTree.Redirect> redirects, boolean keep) {
        Sink oldOut = out;
        Sink oldErr = err;
        Input oldInput = input;
        for (ShellTree.Redirect redirect : redirects) {
            String target = text(redirect.target());
            switch (redirect.operator()) {
                case "<<" -> input = Input.of(target);
                case "<<<" -> input = Input.of(target + "\n");
                case "<" -> {
                    String path = path(target);
                    FileTree.Entry entry = files().find(path);
                    if (entry == null && !path.equals("/dev/null")) {
                        complain(name + ": can't open " + target + ": no such file\n");
                        done(1);
                        return null;
                    }
                    input = Input.of(entry == null ? "" : entry.content());
                }
                case ">&" -> {
                    Sink same = target.equals("2") ? err : target.equals("1") ? out : text -> {};
                    if (redirect.descriptor() == 2) {
                        err = same;
                    } else {
                        out = same;
                    }
                }
                default -> {
                    Sink sink = sink(target, redirect.operator().equals(">>"));
                    if (sink == null) {
                        out = oldOut;
                        err = oldErr;
                        done(1);
                        return null;
                    }
                    if (redirect.descriptor() == 2) {
                        err = sink;
                    } else {
                        out = sink;
                    }
                    if (redirect.descriptor() == -1) {
                        err = sink;
                    }
                }
            }
        }
        return new Undo(
                keep
                        ? () -> {}
                        : () -> {
                            out = oldOut;
                            err = oldErr;
                            input = oldInput;
                        },
                false);
    }

    private @Nullable Sink sink(String target, boolean append) {
        String path = path(target);
        switch (path) {
            case "/dev/null" -> {
                return text -> {};
            }
            case "/dev/stdout" -> {
                return out;
            }
            case "/dev/stderr" -> {
                return err;
            }
            case "/proc/1/fd/1", "/proc/1/fd/2" -> {
                return out;
            }
            default -> {
                String error = files().write(path, "", append, 0644);
                if (error != null) {
                    complain(name + ": can't create " + target + ": " + error + "\n");
                    return null;
                }
                return text -> files().write(path, text, true, 0644);
            }
        }
    }

    // ---- words

    private List<String> expand(String word) {
        return new ShellWords(this, word).fields();
    }

    private String text(String word) {
        return new ShellWords(this, word).text();
    }

    private String pattern(String word) {
        return new ShellWords(this, word).pattern();
    }

    /** The output of a command substitution. */
    String substitute(String script) {
        StringBuilder output = new StringBuilder();
        Shell child = child(output::append, err);
        if (!child.input.isClosed()) {
            child.takeInput(""); // nobody waits in the middle of a word
        }
        child.source(script);
        status = finish(child);
        return output.toString().replaceAll("\n+$", "");
    }

    /** A parameter, or null if it is not set. */
    @Nullable
    String parameter(String name) {
        return switch (name) {
            case "?" -> String.valueOf(status);
            case "$" -> "1";
            case "#" -> String.valueOf(positional.size() - 1);
            case "@", "*" -> String.join(" ", positional.subList(1, positional.size()));
            case "RANDOM" ->
                String.valueOf(Math.floorMod(
                        (world.hostname().hashCode() * 31 + world.now().get().hashCode()) * 31 + 7919 * drawn++,
                        32_768));
            case "PWD" -> directory;
            case "HOSTNAME" -> variables.getOrDefault("HOSTNAME", world.hostname());
            default ->
                name.chars().allMatch(Character::isDigit) && !name.isEmpty()
                        ? Integer.parseInt(name) < positional.size() ? positional.get(Integer.parseInt(name)) : null
                        : variables.get(name);
        };
    }

    void assign(String name, String value) {
        variables.put(name, value);
    }

    /** {@code ${name:?}} of what is not set ends a shell. */
    void failExpansion(String message) {
        complain(name + ": " + message + "\n");
        frames.clear();
        status = 2;
        ended = true;
    }

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    /** For the lines of a script that is read from a file, and for tests. */
    static Shell script(World world, Map<String, String> environment, String text, Consumer<String> output) {
        Shell shell = new Shell(world, environment, output::accept, output::accept);
        shell.source(text);
        return shell;
    }
}
