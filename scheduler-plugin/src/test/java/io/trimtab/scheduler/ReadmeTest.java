package io.trimtab.scheduler;

import static io.trimtab.scheduler.TestCluster.pod;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PluginFactory;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class ReadmeTest {
    // The example of the README, as it stands there.
    public static final class NotOnMondays implements PluginFactory {
        public String name() {
            return "NotOnMondays";
        }

        public boolean enabledByDefault() {
            return true;
        } // or enable it in the configuration

        public Plugin create(JsonNode args, Handle handle) {
            return new Filter(handle.driver());
        }

        record Filter(Driver driver) implements FilterPlugin {
            public String name() {
                return "NotOnMondays";
            }

            public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
                boolean monday = driver.now().atZone(ZoneOffset.UTC).getDayOfWeek() == DayOfWeek.MONDAY;
                return monday ? Status.unschedulable("node(s) rest on Mondays") : Status.SUCCESS;
            }
        }
    }

    @Test
    void givenTheExample_whenThisFileIsRead_thenItIsTheSame() throws IOException {
        String example = Files.readString(Path.of("README.md")).split("```")[3].substring("java".length());
        String here = Files.readString(Path.of("src/test/java/io/trimtab/scheduler/ReadmeTest.java"));
        assertThat(squeezed(here).replace("staticfinal", "final")).contains(squeezed(example));
    }

    private static String squeezed(String code) {
        return code.replaceAll("\\s+", "");
    }

    @Test
    void givenTheExample_whenMondayComes_thenNothingIsPlaced() {
        TestCluster cluster = new TestCluster()
                .options(SchedulerOptions.DEFAULT.withPlugin(new NotOnMondays()))
                .node("n");
        assertThat(cluster.decide(pod("thursday")).node()).isEqualTo("n");
        cluster.driver.advance(Duration.ofDays(4)); // the clock begins on a Thursday
        assertThat(cluster.decide(pod("monday")).message())
                .startsWith("0/1 nodes are available: 1 node(s) rest on Mondays. ");
    }
}
