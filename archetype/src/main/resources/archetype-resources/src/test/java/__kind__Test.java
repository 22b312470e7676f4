package ${package};

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
#if( $flavour == "josdk" )
import io.trimtab.josdk.JosdkOperator;
#end
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
#if( $flavour != "josdk" )
import io.trimtab.junit.fault.CrashAtEveryWrite;
#end
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The operator in a whole cluster, in virtual time: no Docker, no sleeps. */
@TrimtabCluster
class ${kind}Test {
    private static void operator(Cluster cluster) {
        String definition = "/META-INF/fabric8/" + "${kind}".toLowerCase(Locale.ROOT) + "s.${group}-v1.yml";
        try (InputStream yaml = Objects.requireNonNull(${kind}.class.getResourceAsStream(definition), definition)) {
            cluster.apply(new String(yaml.readAllBytes(), StandardCharsets.UTF_8)).settle();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
#if( $flavour == "josdk" )
        cluster.parts()
                .manager()
                .add(JosdkOperator.builder(cluster.client(), cluster.driver())
                        .register(new ${kind}Reconciler())
                        .build());
        cluster.settle();
#else
        cluster.run(${kind}Controller::controller).settle();
#end
    }

    private static ${kind} object(String message, int copies) {
        ${kind} object = new ${kind}();
        object.getMetadata().setName("hello");
        object.getMetadata().setNamespace("default");
        object.setSpec(new ${kind}Spec());
        object.getSpec().setMessage(message);
        object.getSpec().setCopies(copies);
        return object;
    }

    private static List<String> copies(Cluster cluster) {
        return cluster.list(ConfigMap.class, "default").stream()
                .map(map -> map.getMetadata().getName())
                .filter(name -> name.startsWith("hello-"))
                .sorted()
                .toList();
    }

    @Test
    void givenCopies_whenTheyAreScaledUpAndDown_thenThereAreAsMany(Cluster cluster) {
        operator(cluster);
        ${kind} hello = cluster.create(object("hi", 2));
        cluster.settle();
        assertThat(copies(cluster)).containsExactly("hello-0", "hello-1");

        cluster.edit(hello, object -> object.getSpec().setCopies(1));
        cluster.settle();
        assertThat(copies(cluster)).containsExactly("hello-0");
        assertThat(cluster.refresh(hello).getStatus().getCopies()).isEqualTo(1);
    }

    @Test
    void givenAnObject_whenItIsDeleted_thenWhatItOwnsGoes(Cluster cluster) {
        operator(cluster);
        ${kind} hello = cluster.create(object("hi", 2));
        // The garbage collector looks for new kinds every half minute.
        cluster.settle().advance(Duration.ofMinutes(1)).delete(hello).settle();
        assertThat(copies(cluster)).isEmpty();
    }
#if( $flavour != "josdk" )

    /** Before and after each of its writes the operator dies once, and is started anew: the end is the same. */
    @CrashAtEveryWrite
    void givenACrashAtEachWrite_whenAnObjectIsMade_thenTheEndIsTheSame(Cluster cluster) {
        operator(cluster);
        cluster.create(object("hi", 2));
        cluster.settle().advance(Duration.ofMinutes(1));
        assertThat(copies(cluster)).hasSize(2);
    }
#end
}
