package io.trimtab.node.simulated;

import io.trimtab.node.runtime.ContainerSetup.Volume.Host;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The disks of simulated nodes, and what pods mount of them (pkg/volume/hostpath). Stateless. */
final class HostPaths {
    private HostPaths() {}

    /** The disk of a node: what every machine has. */
    static FileTree newDisk(String node) {
        FileTree disk = FileView.newDisk();
        disk.put("etc/hostname", FileTree.Entry.file(node + "\n", 0644));
        disk.put("etc/hosts", FileTree.Entry.file("127.0.0.1\tlocalhost\n::1\tlocalhost\n", 0644));
        disk.directories("var/log/pods", 0755);
        disk.directories("var/lib/kubelet", 0755);
        return disk;
    }

    /** Why a path is not what it should be; null if it is, or can be made. */
    static @Nullable String problem(FileTree disk, Host host) {
        FileTree.Entry found = disk.find(path(disk, host));
        boolean fits =
                switch (host.type()) {
                    case "Directory" -> found != null && found.directory();
                    case "DirectoryOrCreate" -> found == null || found.directory();
                    case "File" -> found != null && isFile(found);
                    case "FileOrCreate" -> found == null || isFile(found);
                    case "Socket" -> found != null && found.kind() == FileTree.Entry.SOCKET;
                    case "CharDevice" -> found != null && found.kind() == FileTree.Entry.CHARACTER_DEVICE;
                    case "BlockDevice" -> found != null && found.kind() == FileTree.Entry.BLOCK_DEVICE;
                    case "Local" -> found != null;
                    default -> true;
                };
        if (fits) {
            return null;
        }
        if (host.type().equals("Local")) {
            return "path \"" + host.path() + "\" does not exist";
        }
        String wanted =
                switch (host.type()) {
                    case "Directory", "DirectoryOrCreate" -> "directory";
                    case "File", "FileOrCreate" -> "file";
                    case "Socket" -> "socket file";
                    case "CharDevice" -> "character device";
                    default -> "block device";
                };
        return "hostPath type check failed: " + host.path() + " is not a " + wanted;
    }

    private static boolean isFile(FileTree.Entry entry) {
        return !entry.directory() && entry.kind() == 0;
    }

    /** Sees to it that there is something at a path. Returns the path as the tree has it. */
    static String make(FileTree disk, Host host) {
        String path = path(disk, host);
        if (disk.find(path) == null) {
            if (host.type().equals("FileOrCreate")) {
                int slash = path.lastIndexOf('/');
                if (slash > 0) {
                    disk.directories(path.substring(0, slash), 0755);
                }
                disk.put(path, FileTree.Entry.file("", 0644));
            } else {
                disk.directories(path, 0755);
            }
        }
        return path;
    }

    private static String path(FileTree disk, Host host) {
        return new FileView(disk, false, List.of())
                .real(FileView.normal("/", host.path()), true)
                .substring(1);
    }
}
