package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Volume;
import io.trimtab.node.network.Fabric;
import io.trimtab.node.network.Names;
import io.trimtab.node.runtime.ContainerRuntime;
import io.trimtab.node.runtime.ContainerSetup;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the containers of one simulated pod see: volumes, disks, and what each has printed. Made when first needed: a pod whose
 * programs nobody looks into costs nothing. Safe for use by any thread.
 */
final class PodWorld {
    /** Of a directory that belongs to a group: what is made in it does, too, and only its maker removes it. */
    private static final int SHARED = FileTree.SET_GROUP | 01000;

    /** What its containers have is what it asks for. */
    private volatile Pod pod;

    private final Shared shared;
    private final Map<String, FileTree> volumes = new ConcurrentHashMap<>();
    private final Map<String, String> inside = new ConcurrentHashMap<>();
    private final Map<String, Box> boxes = new ConcurrentHashMap<>();

    /** Trees that several pods share. */
    interface Shared {
        /** The disk of the pod's node. */
        FileTree host();

        /** How much memory the pod's node has. */
        long memoryBytes();

        /** A claimed volume. */
        FileTree claimed(String identity);

        /** The cluster's network; null if there is none. */
        default @Nullable Fabric fabric() {
            return null;
        }
    }

    /** One run of a container. */
    static final class Box {
        private final Container container;
        private volatile @Nullable FileTree disk;
        final ContainerSetup setup;
        final ContainerLog log = new ContainerLog();

        @Nullable
        ContainerLog previous;

        @Nullable
        Execution execution;

        final Sockets sockets;
        /** What whoever attaches types; closed if the container takes no input. */
        final Input input;

        /** Somebody has run a command in it from outside. */
        volatile boolean touched;

        Box(Container container, ContainerSetup setup, Sockets sockets) {
            this.container = container;
            this.setup = setup;
            this.sockets = sockets;
            this.input = Boolean.TRUE.equals(container.getStdin()) ? new Input() : Input.of("");
        }

        /** The container has ended. */
        void close(Instant now) {
            sockets.closeAll();
            log.close(now);
        }

        /** Made when first looked at: most containers of a simulation are never looked into. */
        synchronized FileTree disk() {
            FileTree made = disk;
            if (made == null) {
                made = FileView.newDisk();
                ImageServers.furnish(container, made);
                nameFiles(made);
                disk = made;
            }
            return made;
        }

        private void nameFiles(FileTree tree) {
            Pod pod = sockets.pod();
            tree.put("etc/hostname", FileTree.Entry.file(setup.hostname() + "\n", 0644));
            tree.put("etc/hosts", FileTree.Entry.file(Names.hostsFile(pod, sockets.address()), 0644));
            sockets.names()
                    .ifPresent(names -> tree.put(
                            "etc/resolv.conf",
                            FileTree.Entry.file(names.resolver(pod).file(), 0644)));
        }
    }

    PodWorld(Pod pod, Shared shared) {
        this.pod = pod;
        this.shared = shared;
    }

    // ---- volumes

    void volumes(Map<String, ContainerSetup.Volume> given) {
        given.forEach((name, volume) -> {
            if (volume instanceof ContainerSetup.Volume.Files files) {
                volumes.computeIfAbsent(name, n -> new FileTree("tmpfs", 01777)).replaceAll(entries(files.files()));
            } else if (volume instanceof ContainerSetup.Volume.Later later) {
                volumes.computeIfAbsent(name, n -> {
                    FileTree tree = new FileTree("tmpfs", 01777);
                    tree.fillLater(() -> entries(later.files().get()));
                    return tree;
                });
            } else if (volume instanceof ContainerSetup.Volume.Host host) {
                if (FileView.normal("/", host.path()).equals(Kernel.GROUP)) {
                    FileTree group = new FileTree("cgroup2", 0555);
                    Kernel.podGroup(pod, (path, file) -> {
                        group.directories(path.substring(0, path.lastIndexOf('/')), 0755);
                        group.put(path, file);
                    });
                    volumes.put(name, group);
                } else {
                    volumes.putIfAbsent(name, shared.host());
                    String path = HostPaths.make(shared.host(), host);
                    inside.put(name, path);
                    if (host.type().equals("Local")) {
                        share(shared.host(), path);
                    }
                }
            } else if (volume instanceof ContainerSetup.Volume.Claimed claimed) {
                volumes.computeIfAbsent(name, n -> {
                    FileTree tree = shared.claimed(claimed.identity());
                    share(tree, "");
                    return tree;
                });
            } else if (volume instanceof ContainerSetup.Volume.Empty empty) {
                volumes.computeIfAbsent(name, n -> {
                    FileTree tree =
                            empty.memory() ? new FileTree("tmpfs", 0777, memory(n)) : new FileTree("ext4", 0777);
                    share(tree, "");
                    return tree;
                });
            }
        });
    }

    /** A volume belongs to the group of whoever mounts it. */
    private void share(FileTree tree, String path) {
        Integer group = fsGroup();
        if (group != null) {
            tree.share(path, group, SHARED);
        }
    }

    /** What a volume in memory holds: no more than its node has, its pod may use, or it says itself (pkg/volume/emptydir). */
    private long memory(String name) {
        BigDecimal least = BigDecimal.valueOf(shared.memoryBytes());
        List<Quantity> limits = new ArrayList<>();
        for (Container container : pod.getSpec().getContainers()) {
            var resources = container.getResources();
            Quantity limit = resources == null || resources.getLimits() == null
                    ? null
                    : resources.getLimits().get("memory");
            if (limit != null) {
                limits.add(limit);
            }
        }
        if (limits.size() == pod.getSpec().getContainers().size()) {
            least = limits.stream()
                    .map(Quantity::getNumericalAmount)
                    .reduce(BigDecimal.ZERO, BigDecimal::add)
                    .min(least);
        }
        for (Volume volume : pod.getSpec().getVolumes()) {
            Quantity size = volume.getName().equals(name) && volume.getEmptyDir() != null
                    ? volume.getEmptyDir().getSizeLimit()
                    : null;
            if (size != null && size.getNumericalAmount().signum() > 0) {
                least = least.min(size.getNumericalAmount());
            }
        }
        return least.longValue();
    }

    private Map<String, FileTree.Entry> entries(Map<String, ContainerSetup.Volume.File> files) {
        Integer group = fsGroup();
        Map<String, FileTree.Entry> entries = new TreeMap<>();
        files.forEach((path, file) -> entries.put(
                path,
                new FileTree.Entry(
                        file.content(),
                        false,
                        group == null ? file.mode() : file.mode() | 0440,
                        group == null ? 0 : group)));
        return entries;
    }

    private @Nullable Integer fsGroup() {
        var context = pod.getSpec().getSecurityContext();
        return context == null || context.getFsGroup() == null
                ? null
                : context.getFsGroup().intValue();
    }

    /** Its containers may use more, or less, from now on. */
    void resized(Pod now) {
        pod = now;
    }

    /** What is on the node's disk: nothing of containers that nobody has looked into. */
    ContainerRuntime.Usage usage() {
        Map<String, Long> containers = new TreeMap<>();
        boxes.forEach((name, box) -> {
            FileTree disk = box.disk;
            if (disk != null) {
                containers.put(name, disk.size() + box.log.size());
            }
        });
        Map<String, Long> empty = new TreeMap<>();
        volumes.forEach((name, tree) -> {
            if (tree.type().equals("ext4") && isEmptyDirectory(name)) {
                empty.put(name, tree.size());
            }
        });
        return new ContainerRuntime.Usage(containers, empty);
    }

    private boolean isEmptyDirectory(String name) {
        return pod.getSpec().getVolumes().stream().anyMatch(v -> v.getName().equals(name) && v.getEmptyDir() != null);
    }

    // ---- containers

    /** A new run of a container: its disk is fresh; what the last one printed is kept until there is another. */
    Box open(Container container, ContainerSetup setup) {
        Box box = new Box(
                container,
                setup,
                new Sockets(
                        pod,
                        shared::fabric,
                        () -> boxes.values().stream().map(b -> b.sockets).toList()));
        Box before = boxes.put(container.getName(), box);
        if (before != null) {
            box.previous = before.log;
        }
        return box;
    }

    /** The pod is gone. */
    void close(Instant now) {
        boxes.values().forEach(box -> {
            Execution running = box.execution;
            if (running != null) {
                running.cancel();
            }
            box.close(now);
        });
    }

    @Nullable
    Box box(String container) {
        return boxes.get(container);
    }

    /** A process that somebody starts in a container that runs. */
    Shell visit(Container container, Box box, Supplier<Instant> now, Shell.Sink out, Shell.Sink err, boolean tty) {
        return shell(container, box, now, out, err, tty, Map.of("visits", "true"));
    }

    /** The program of a container; {@code tty}: one that somebody talks to by a terminal. */
    Shell shell(Container container, Box box, Supplier<Instant> now, Shell.Sink out, Shell.Sink err, boolean tty) {
        return shell(container, box, now, out, err, tty, Map.of());
    }

    private Shell shell(
            Container container,
            Box box,
            Supplier<Instant> now,
            Shell.Sink out,
            Shell.Sink err,
            boolean tty,
            Map<String, String> more) {
        Map<String, String> facts = new TreeMap<>(facts(container));
        facts.putAll(more);
        if (Kernel.administersNetwork(container)) {
            facts.put("privileged", "true");
        }
        if (tty) {
            facts.put("tty", "true");
        }
        Shell.World world =
                new Shell.World(view(container, box), now, box.setup.hostname(), user(container), facts, box.sockets);
        return new Shell(world, box.setup.environment(), out, err);
    }

    FileView view(Container container, Box box) {
        List<FileView.Mount> mounts = new ArrayList<>();
        for (ContainerSetup.VolumeMount mount : box.setup.mounts()) {
            FileTree tree = volumes.get(mount.volume());
            if (tree == null) {
                continue;
            }
            String base = inside.getOrDefault(mount.volume(), "");
            String sub = FileView.normal("/", mount.subPath()).substring(1);
            String inner = tree.within(base, sub);
            String path = inner != null ? inner : base.isEmpty() ? sub : base + "/" + sub;
            if (!path.isEmpty() && tree.find(path) == null) {
                make(tree, base, path);
            }
            mounts.add(new FileView.Mount(FileView.normal("/", mount.path()), tree, path, mount.readOnly()));
        }
        SecurityContext context = container.getSecurityContext();
        boolean readOnly = context != null && Boolean.TRUE.equals(context.getReadOnlyRootFilesystem());
        return new FileView(box.disk(), readOnly, mounts, path -> kernelFile(path, container));
    }

    /** Why something of a volume cannot be mounted: a link leads out of the volume (pkg/volume/util/subpath). Null if all can. */
    @Nullable
    String unprepared(Container container, ContainerSetup setup) {
        for (ContainerSetup.VolumeMount mount : setup.mounts()) {
            FileTree tree = volumes.get(mount.volume());
            String sub = FileView.normal("/", mount.subPath()).substring(1);
            if (tree != null && !sub.isEmpty() && tree.within(inside.getOrDefault(mount.volume(), ""), sub) == null) {
                return "failed to prepare subPath for volumeMount \"" + mount.volume() + "\" of container \""
                        + container.getName() + "\"";
            }
        }
        return null;
    }

    /** Makes what is to be mounted of a volume, as the volume's own directory is. */
    private void make(FileTree tree, String base, String path) {
        FileTree.Entry like = tree.find(base);
        tree.directories(path, 0755);
        Integer group = fsGroup();
        int mode = like == null ? 0755 : like.mode() & 0777;
        tree.put(path, new FileTree.Entry("", true, group == null ? mode : mode | SHARED, group == null ? 0 : group));
    }

    private FileTree.@Nullable Entry kernelFile(String path, Container container) {
        Pod now = pod;
        Container current = SimulatedRuntime.find(now, container.getName());
        return Kernel.file(path, now, current == null ? container : current, shared.memoryBytes());
    }

    private int user(Container container) {
        Long user = container.getSecurityContext() == null
                ? null
                : container.getSecurityContext().getRunAsUser();
        if (user == null && pod.getSpec().getSecurityContext() != null) {
            user = pod.getSpec().getSecurityContext().getRunAsUser();
        }
        return user == null ? Images.user(container.getImage()) : user.intValue();
    }

    private Map<String, String> facts(Container container) {
        Long group = container.getSecurityContext() == null
                ? null
                : container.getSecurityContext().getRunAsGroup();
        var context = pod.getSpec().getSecurityContext();
        if (group == null && context != null) {
            group = context.getRunAsGroup();
        }
        List<String> ofImage = Images.groups(container.getImage(), user(container));
        String primary = group != null ? String.valueOf(group) : ofImage.isEmpty() ? "0" : ofImage.get(0);
        List<String> groups = new ArrayList<>(List.of(primary));
        if (context == null || !"Strict".equals(context.getSupplementalGroupsPolicy())) {
            groups.addAll(ofImage);
        }
        if (context != null) {
            if (context.getFsGroup() != null) {
                groups.add(String.valueOf(context.getFsGroup()));
            }
            context.getSupplementalGroups().forEach(g -> groups.add(String.valueOf(g)));
        }
        return Map.of("group", primary, "groups", groups.stream().distinct().collect(Collectors.joining(" ")));
    }
}
