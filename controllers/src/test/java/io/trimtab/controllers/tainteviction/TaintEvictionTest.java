package io.trimtab.controllers.tainteviction;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.TolerationBuilder;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class TaintEvictionTest {
    private static final List<Taint> TAINTS =
            List.of(new Taint("NoExecute", "a", null, null), new Taint("NoExecute", "b", null, "v"));

    @Test
    void givenTolerations_whenAsked_thenTheShortestTimeOfThoseThatCount() {
        assertThat(tolerated()).isEqualTo(Duration.ZERO);
        assertThat(tolerated(exists("a", 10L))).isEqualTo(Duration.ZERO);
        assertThat(tolerated(exists("a", 10L), exists("b", 5L), exists("c", 1L)))
                .isEqualTo(Duration.ofSeconds(5));
        assertThat(tolerated(exists("a", null), exists("b", null))).isNull();
        assertThat(tolerated(exists("a", -3L), exists("b", null))).isEqualTo(Duration.ZERO);
        assertThat(TaintEvictionController.toleratedFor(List.of(), List.of())).isNull();
    }

    private static Duration tolerated(Toleration... tolerations) {
        return TaintEvictionController.toleratedFor(TAINTS, List.of(tolerations));
    }

    private static Toleration exists(String key, Long seconds) {
        return new TolerationBuilder()
                .withKey(key)
                .withOperator("Exists")
                .withTolerationSeconds(seconds)
                .build();
    }
}
