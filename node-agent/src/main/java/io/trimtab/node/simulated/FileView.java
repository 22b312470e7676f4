package io.trimtab.node.simulated;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What one container sees of files: its own disk, and volumes mounted over it. Safe for use by any thread. */
final class FileView {
    private static final List<String> USUAL = List.of(
            "bin",
            "dev",
            "etc",
            "home",
            "lib",
            "mnt",
            "opt",
            "proc/1/fd",
            "root",
            "run",
            "sbin",
            "srv",
            "sys",
            "usr/bin",
            "usr/local/bin",
            "usr/share",
            "usr/sbin",
            "var/log",
            "var/run",
            "var/lib");

    private final FileTree disk;
    private final boolean readOnlyDisk;
    private final List<Mount> mounts;
    private final Function<String, FileTree.@Nullable Entry> kernel;

    /**
     * A volume in its place.
     *
     * @param path where, absolute
     * @param subPath what of the volume; empty for all
     */
    record Mount(String path, FileTree volume, String subPath, boolean readOnly) {}

    /** Where a path leads. */
    private record Place(FileTree tree, String path, boolean readOnly) {}

    FileView(FileTree disk, boolean readOnlyDisk, List<Mount> mounts) {
        this(disk, readOnlyDisk, mounts, path -> null);
    }

    /** @param kernel makes the files that are on no disk; null where there is none */
    FileView(
            FileTree disk,
            boolean readOnlyDisk,
            List<Mount> mounts,
            Function<String, FileTree.@Nullable Entry> kernel) {
        this.kernel = kernel;
        this.disk = disk;
        this.readOnlyDisk = readOnlyDisk;
        this.mounts = mounts.stream()
                .sorted(Comparator.comparing((Mount m) -> m.path().length()).reversed())
                .toList();
    }

    /** The disk of a new container: the directories that every image has. */
    static FileTree newDisk() {
        FileTree disk = new FileTree("overlay", 0755);
        USUAL.forEach(path -> disk.directories(path, 0755));
        disk.directories("tmp", 01777);
        disk.directories("var/tmp", 01777);
        disk.put("etc/passwd", FileTree.Entry.file("root:x:0:0:root:/root:/bin/sh\n", 0644));
        return disk;
    }

    /** A path without dots and double slashes, absolute. */
    static String normal(String directory, String path) {
        Deque<String> parts = new ArrayDeque<>();
        for (String part : (path.startsWith("/") ? path : directory + "/" + path).split("/")) {
            if (part.equals("..")) {
                parts.pollLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return "/" + String.join("/", parts);
    }

    private Place place(String path) {
        for (Mount mount : mounts) {
            String base = mount.path();
            if (path.equals(base) || path.startsWith(base.equals("/") ? "/" : base + "/")) {
                String rest = path.length() <= base.length() ? "" : path.substring(base.length() + 1);
                String inner = mount.subPath().isEmpty()
                        ? rest
                        : rest.isEmpty() ? mount.subPath() : mount.subPath() + "/" + rest;
                return new Place(mount.volume(), inner, mount.readOnly());
            }
        }
        return new Place(disk, path.substring(1), readOnlyDisk);
    }

    /** What is at a path, where symbolic links lead. */
    FileTree.@Nullable Entry find(String path) {
        FileTree.Entry found = at(real(path, true));
        return found == null || found.kind() == FileTree.Entry.LINK ? null : found; // links that lead round and round
    }

    /** What is at a path itself: perhaps a symbolic link. */
    FileTree.@Nullable Entry lookup(String path) {
        return at(real(path, false));
    }

    /**
     * Where a path leads.
     *
     * @param last whether a link at its end is followed, too
     */
    String real(String path, boolean last) {
        if (!disk.hasLinks() && mounts.stream().noneMatch(m -> m.volume().hasLinks())) {
            return path;
        }
        String whole = path;
        int from = 0;
        for (int followed = 0; followed <= FileTree.MOST_LINKS; ) {
            int slash = whole.indexOf('/', from + 1);
            String part = slash < 0 ? whole : whole.substring(0, slash);
            if (slash < 0 && !last) {
                return whole;
            }
            FileTree.Entry entry = at(part);
            if (entry != null && entry.kind() == FileTree.Entry.LINK) {
                String above = part.substring(0, Math.max(1, part.lastIndexOf('/')));
                String target = normal(above, entry.content());
                whole = normal("/", target + (slash < 0 ? "" : whole.substring(slash)));
                from = 0;
                followed++;
            } else if (slash < 0) {
                return whole;
            } else {
                from = slash;
            }
        }
        return path;
    }

    private FileTree.@Nullable Entry at(String path) {
        Place place = place(path);
        FileTree.Entry found = place.tree.find(place.path);
        if (found == null && place.tree == disk && (path.startsWith("/sys/") || path.startsWith("/proc/"))) {
            found = kernel.apply(path);
        }
        if (found == null && mounts.stream().anyMatch(m -> m.path().startsWith(path + "/"))) {
            return new FileTree.Entry("", true, 0755, 0);
        }
        return found;
    }

    boolean isDirectory(String path) {
        FileTree.Entry entry = find(path);
        return entry != null && entry.directory();
    }

    /** Where the file system that a path is on begins. */
    String mountPoint(String path) {
        return mounts.stream()
                .map(Mount::path)
                .filter(base -> path.equals(base) || path.startsWith(base + "/"))
                .findFirst()
                .orElse("/");
    }

    /** The file system that a path is on. */
    FileTree tree(String path) {
        return place(real(path, true)).tree;
    }

    /** The type of the file system that a path is on. */
    String type(String path) {
        return place(real(path, true)).tree.type();
    }

    /** Whether a volume is mounted at the path itself. */
    boolean isMount(String path) {
        return mounts.stream().anyMatch(m -> m.path().equals(path));
    }

    List<Mount> mounts() {
        return mounts;
    }

    /** Makes a symbolic link. Returns null, or why not. */
    @Nullable
    String link(String path, String target) {
        if (lookup(path) != null) {
            return "File exists";
        }
        return write(real(path, false), target, false, FileTree.Entry.LINK | 0777);
    }

    /** @return null if it was written, otherwise why not, as a shell says it */
    @Nullable
    String write(String named, String content, boolean append, int mode) {
        String path = real(named, true);
        Place place = place(path);
        if (place.readOnly) {
            return "Read-only file system";
        }
        FileTree.Entry before = place.tree.find(place.path);
        if (before != null && before.directory()) {
            return "Is a directory";
        }
        if (before != null && before.kind() == FileTree.Entry.LINK) {
            return "Too many levels of symbolic links";
        }
        int slash = path.lastIndexOf('/');
        if (slash > 0 && !isDirectory(path.substring(0, slash))) {
            return "No such file or directory";
        }
        int replaced = before == null || append ? 0 : before.content().length();
        if (!place.tree.hasRoom(content.length() - replaced)) {
            return "No space left on device";
        }
        place.tree.put(
                place.path,
                new FileTree.Entry(
                        append && before != null ? before.content() + content : content,
                        false,
                        before == null ? mode : before.mode(),
                        before == null ? place.tree.groupAt(place.path) : before.group()));
        return null;
    }

    /** @return null, or why not */
    @Nullable
    String makeDirectory(String named, boolean parents) {
        String path = real(named, true);
        Place place = place(path);
        if (place.readOnly) {
            return "Read-only file system";
        }
        if (find(path) != null) {
            return parents && isDirectory(path) ? null : "File exists";
        }
        int slash = path.lastIndexOf('/');
        if (!parents && slash > 0 && !isDirectory(path.substring(0, slash))) {
            return "No such file or directory";
        }
        place.tree.directories(place.path, 0755);
        return null;
    }

    /** @return null, or why not */
    @Nullable
    String remove(String named) {
        String path = real(named, false);
        Place place = place(path);
        if (place.readOnly) {
            return "Read-only file system";
        }
        if (isMount(path)) {
            return "Device or resource busy";
        }
        place.tree.remove(place.path);
        return null;
    }

    void mode(String path, int mode) {
        Place place = place(real(path, true));
        FileTree.Entry entry = place.tree.find(place.path);
        if (entry != null) {
            place.tree.put(place.path, new FileTree.Entry(entry.content(), entry.directory(), mode, entry.group()));
        }
    }

    /** The names in a directory, sorted. */
    List<String> list(String named) {
        String path = real(named, true);
        TreeSet<String> names = new TreeSet<>();
        Place place = place(path);
        String base = place.path.isEmpty() ? "" : place.path + "/";
        place.tree.below(place.path).keySet().forEach(p -> {
            String rest = p.substring(base.length());
            int slash = rest.indexOf('/');
            names.add(slash < 0 ? rest : rest.substring(0, slash));
        });
        String above = path.equals("/") ? "/" : path + "/";
        for (Mount mount : mounts) {
            if (mount.path().startsWith(above) && mount.path().length() > above.length()) {
                String rest = mount.path().substring(above.length());
                int slash = rest.indexOf('/');
                names.add(slash < 0 ? rest : rest.substring(0, slash));
            }
        }
        return new ArrayList<>(names);
    }
}
