package io.trimtab.node.simulated;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.node.runtime.ContainerSetup.Volume.Host;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KernelTest {
    private static final Pod POD = new PodBuilder()
            .withNewMetadata()
            .withUid("11-22")
            .endMetadata()
            .withNewSpec()
            .addNewContainer()
            .withName("c")
            .withNewResources()
            .withRequests(Map.of("cpu", new Quantity("200m"), "memory", new Quantity("1Gi")))
            .withLimits(Map.of("cpu", new Quantity("500m"), "memory", new Quantity("2Gi")))
            .endResources()
            .endContainer()
            .withNewSecurityContext()
            .addNewSysctl("net/ipv4/tcp_syncookies", "0")
            .endSecurityContext()
            .withHostUsers(false)
            .endSpec()
            .withNewStatus()
            .withQosClass("Burstable")
            .endStatus()
            .build();

    private static String file(String path) {
        return Objects.requireNonNull(
                        Kernel.file(path, POD, POD.getSpec().getContainers().get(0), 128L << 30))
                .content()
                .strip();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '@',
            value = {
                "/sys/fs/cgroup/cpu.weight @ 8",
                "/sys/fs/cgroup/cpu.max @ 50000 100000",
                "/sys/fs/cgroup/memory.max @ 2147483648",
                "/proc/1/oom_score_adj @ 993",
                "/proc/sys/net/ipv4/tcp_syncookies @ 0",
                "/proc/sys/kernel/shm_rmid_forced @ 0",
            })
    void givenAContainer_whenItReadsWhatItMayUse_thenThatIsWhatItsPodSays(String path, String content) {
        assertThat(file(path)).isEqualTo(content);
    }

    @Test
    void givenAPodWithUsersOfItsOwn_whenItReadsTheirMap_thenItsRootIsNotTheNodes() {
        assertThat(file("/proc/self/uid_map")).startsWith("0 ").endsWith(" 65536");
        assertThat(Kernel.file(
                        "/proc/self/nothing", POD, POD.getSpec().getContainers().get(0), 1))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "/etc, Directory, ",
        "/etc, File, hostPath type check failed: /etc is not a file",
        "/none, Directory, hostPath type check failed: /none is not a directory",
        "/none, DirectoryOrCreate, ",
        "/etc/hosts, FileOrCreate, ",
        "/etc/hosts, Socket, hostPath type check failed: /etc/hosts is not a socket file",
        "/dev/b, BlockDevice, ",
        "/dev/b, CharDevice, hostPath type check failed: /dev/b is not a character device",
    })
    void givenAPathOfTheNode_whenItMustBeOfAType_thenAnotherIsRefused(String path, String type, String problem) {
        FileTree disk = HostPaths.newDisk("node-1");
        disk.put("dev/b", FileTree.Entry.file("", FileTree.Entry.BLOCK_DEVICE | 0644));

        assertThat(HostPaths.problem(disk, new Host(path, type))).isEqualTo(problem);
    }
}
