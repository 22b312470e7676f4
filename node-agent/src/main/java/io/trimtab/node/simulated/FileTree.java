package io.trimtab.node.simulated;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The files of a volume, or of a container's own disk, in memory. Paths have no leading slash; the root is the empty path. Safe
 * for use by any thread; several containers may share one.
 */
final class FileTree {
    /** Of a directory: what is made in it belongs to its group. */
    static final int SET_GROUP = 02000;

    /** What a simulated disk holds, as {@code df} shows it: more than its process has memory for. */
    private static final long DISK_BYTES = 100L << 30;

    /** How many symbolic links are followed of one path, as Linux has it. */
    static final int MOST_LINKS = 40;

    /** What is at a path. Contents are Latin-1 text, a character for a byte. */
    record Entry(String content, boolean directory, int mode, int group) {
        /** What a file is if it is none, in the mode as {@code stat} has it. */
        static final int SOCKET = 0140000;

        /** A symbolic link; its content is where it leads. */
        static final int LINK = 0120000;

        static final int BLOCK_DEVICE = 0060000;
        static final int CHARACTER_DEVICE = 0020000;

        /** What it is: 0 for a plain file or a directory. */
        int kind() {
            return mode & 0170000;
        }

        /** The letter that {@code ls} begins a line with. */
        char letter() {
            return switch (kind()) {
                case SOCKET -> 's';
                case LINK -> 'l';
                case BLOCK_DEVICE -> 'b';
                case CHARACTER_DEVICE -> 'c';
                default -> directory ? 'd' : '-';
            };
        }

        static Entry file(String content, int mode) {
            return new Entry(content, false, mode, 0);
        }
    }

    private final ConcurrentSkipListMap<String, Entry> entries = new ConcurrentSkipListMap<>();
    private final String type;
    private final long capacityBytes;
    /** Few trees ever have one: the others need not be searched for them. */
    private volatile boolean links;

    /** Guarded by the entries for writes; null if nothing is to be found out. */
    private volatile @Nullable Supplier<Map<String, Entry>> pending;

    /** @param type of the file system, as {@code mount} shows it */
    FileTree(String type, int rootMode) {
        this(type, rootMode, DISK_BYTES);
    }

    /** @param capacityBytes what it holds at most */
    FileTree(String type, int rootMode, long capacityBytes) {
        this.type = type;
        this.capacityBytes = capacityBytes;
        entries.put("", new Entry("", true, rootMode, 0));
    }

    /**
     * Makes the tree hold what is found out when somebody looks first.
     *
     * @param later called once at most
     */
    void fillLater(Supplier<Map<String, Entry>> later) {
        synchronized (entries) {
            pending = later;
        }
    }

    private ConcurrentSkipListMap<String, Entry> entries() {
        if (pending != null) {
            Supplier<Map<String, Entry>> due;
            synchronized (entries) {
                due = pending;
                pending = null;
            }
            if (due != null) {
                replaceAll(due.get());
            }
        }
        return entries;
    }

    String type() {
        return type;
    }

    /** Of all that is in it, in bytes. */
    long size() {
        return entries().values().stream().mapToLong(e -> e.content().length()).sum();
    }

    /** What it holds at most, in bytes. */
    long capacity() {
        return capacityBytes;
    }

    /** Whether there is room for so many bytes more. Only a volume in memory is so small that somebody may notice. */
    boolean hasRoom(long bytes) {
        return capacityBytes >= DISK_BYTES || size() + bytes <= capacityBytes;
    }

    @Nullable
    Entry find(String path) {
        return entries().get(path);
    }

    /** Whether there has been a symbolic link in it. */
    boolean hasLinks() {
        return links;
    }

    /**
     * Where a path leads that begins in a directory of this tree, by symbolic links that are in the tree.
     *
     * @param base the directory
     * @param path below it, without dots
     * @return the whole path; null if it leads out of the directory, or round and round
     */
    @Nullable
    String within(String base, String path) {
        Deque<String> left = new ArrayDeque<>(List.of(path.split("/")));
        String root = base.isEmpty() ? "" : base + "/";
        String found = "";
        for (int followed = 0; !left.isEmpty(); ) {
            String part = left.removeFirst();
            if (part.isEmpty() || part.equals(".")) {
                continue;
            }
            if (part.equals("..")) {
                if (found.isEmpty()) {
                    return null;
                }
                found = found.substring(0, Math.max(0, found.lastIndexOf('/')));
                continue;
            }
            String next = found.isEmpty() ? part : found + "/" + part;
            Entry entry = links ? find(root + next) : null;
            if (entry == null || entry.kind() != Entry.LINK) {
                found = next;
                continue;
            }
            String target = entry.content();
            if (++followed > MOST_LINKS || target.startsWith("/") && !target.startsWith("/" + root)) {
                return null;
            }
            if (target.startsWith("/")) {
                if (base.isEmpty()) {
                    return null; // of the machine, not of the volume
                }
                found = "";
                target = target.substring(root.length() + 1);
            }
            List<String> parts = List.of(target.split("/"));
            for (int i = parts.size() - 1; i >= 0; i--) {
                left.addFirst(parts.get(i));
            }
        }
        return found.isEmpty() ? base : root + found;
    }

    void put(String path, Entry entry) {
        links |= entry.kind() == Entry.LINK;
        entries.put(path, entry);
    }

    /** Makes a directory and those above it. */
    void directories(String path, int mode) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            directory(path.substring(0, slash), mode);
        }
        directory(path, mode);
    }

    private void directory(String path, int mode) {
        if (!entries.containsKey(path)) {
            int group = groupAt(path);
            entries.putIfAbsent(path, new Entry("", true, group == 0 ? mode : mode | SET_GROUP, group));
        }
    }

    /** Which group something belongs to that is made at a path; 0 unless the directory passes its own on. */
    int groupAt(String path) {
        int slash = path.lastIndexOf('/');
        Entry above = path.isEmpty() ? null : entries.get(slash < 0 ? "" : path.substring(0, slash));
        return above == null || (above.mode() & SET_GROUP) == 0 ? 0 : above.group();
    }

    /** Gives a path to a group, and with it what will be made below. */
    void share(String path, int group, int bits) {
        entries.computeIfPresent(
                path, (p, entry) -> new Entry(entry.content(), entry.directory(), entry.mode() | bits, group));
    }

    /** Removes a path and all below it. */
    void remove(String path) {
        if (path.isEmpty()) {
            return;
        }
        entries.remove(path);
        below(path).clear();
    }

    /** All below a directory, by whole path. */
    Map<String, Entry> below(String path) {
        return path.isEmpty()
                ? entries().tailMap("", false)
                : entries().subMap(path + "/", path + "0"); // '0' follows '/'
    }

    /** Makes the tree hold exactly these files, as an updated ConfigMap does; directories follow from the names. */
    void replaceAll(Map<String, Entry> files) {
        files.forEach((path, entry) -> {
            int slash = path.lastIndexOf('/');
            if (slash > 0) {
                directories(path.substring(0, slash), 0755);
            }
            entries.put(path, entry);
        });
        entries.keySet()
                .removeIf(path -> !path.isEmpty()
                        && !files.containsKey(path)
                        && files.keySet().stream().noneMatch(file -> file.startsWith(path + "/")));
    }
}
