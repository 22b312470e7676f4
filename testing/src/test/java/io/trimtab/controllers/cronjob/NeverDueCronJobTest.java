package io.trimtab.controllers.cronjob;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.Workloads;
import java.time.Duration;
import org.junit.jupiter.api.Test;

@TrimtabCluster
class NeverDueCronJobTest {
    @Test
    void givenADateThatNeverComes_whenScheduled_thenAnEventSaysSo(Cluster cluster) {
        CronJob cron = new CronJobBuilder()
                .withNewMetadata()
                .withName("pi")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withSchedule("59 23 31 2 *")
                .withNewJobTemplate()
                .withNewSpec()
                .withNewTemplate()
                .withSpec(Workloads.pod("pi").getSpec())
                .editSpec()
                .withRestartPolicy("Never")
                .endSpec()
                .endTemplate()
                .endSpec()
                .endJobTemplate()
                .endSpec()
                .build();
        cluster.create(cron);
        cluster.advance(Duration.ofSeconds(5));

        assertThat(cluster.client()
                        .resources(Event.class)
                        .inNamespace("default")
                        .list()
                        .getItems())
                .anySatisfy(event -> {
                    assertThat(event.getType()).isEqualTo("Warning");
                    assertThat(event.getReason()).isEqualTo("InvalidSchedule");
                    assertThat(event.getMessage())
                            .isEqualTo("invalid schedule: 59 23 31 2 * : time difference between two schedules is less"
                                    + " than 1 second");
                });
    }
}
