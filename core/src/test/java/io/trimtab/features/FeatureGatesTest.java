package io.trimtab.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.features.FeatureGates.Stage;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureGatesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Foo=true                      | unrecognized feature gate: Foo",
                "KMSv1                         | missing bool value for KMSv1",
                "KMSv1=maybe | invalid value of KMSv1=maybe, err: strconv.ParseBool: parsing \"maybe\": invalid syntax",
                "APIServerTracing=false | cannot set feature gate APIServerTracing to false, feature is locked to true",
                "wardle:KMSv1=true             | component not registered: wardle",
                "kube:KMSv1=true,AllBeta=true  | set kube feature gates with default empty prefix or kube: prefix"
                        + " consistently, do not mix use",
            })
    void givenWhatNoGateAllows_whenItIsRead_thenItIsRefusedInTheWordsOfKubernetes(String flag, String message) {
        assertThatThrownBy(() -> FeatureGates.parse(List.of(flag)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void givenSeveralLockedGates_whenTheyAreSet_thenEachIsNamed() {
        assertThatThrownBy(() -> FeatureGates.parse(List.of("APIServerTracing=false,AnyVolumeDataSource=0")))
                .hasMessage("[cannot set feature gate APIServerTracing to false, feature is locked to true,"
                        + " cannot set feature gate AnyVolumeDataSource to false, feature is locked to true]");
    }

    @Test
    void givenAGate_whenItIsSetTwice_thenTheLastWins() {
        FeatureGates gates = FeatureGates.parse(List.of("kube:KMSv1=t, kube:APIServerIdentity = F", "kube:KMSv1=0,"));

        assertThat(gates.enabled("KMSv1")).isFalse();
        assertThat(gates.enabled("APIServerIdentity")).isFalse();
        assertThat(gates).hasToString("APIServerIdentity=false,KMSv1=false");
    }

    @Test
    void givenAllAlpha_whenOneIsNamed_thenThatOneIsAsItSays() {
        FeatureGates gates = FeatureGates.parse(List.of("AllAlpha=true,StorageVersionMigrator=false,AllBeta=false"));

        assertThat(gates.enabled("APIServingWithRoutine")).isTrue();
        assertThat(gates.enabled("StorageVersionMigrator")).isFalse();
        assertThat(gates.enabled("APIResponseCompression")).isFalse();
        assertThat(gates.enabled("APIServerTracing")).isTrue();
    }

    @Test
    void givenNothingSaid_whenAsked_thenTheDefaultsOfKubernetesHold() {
        assertThat(FeatureGates.DEFAULT.enabled("MutatingAdmissionPolicy")).isFalse();
        assertThat(FeatureGates.DEFAULT.enabled("DynamicResourceAllocation")).isTrue();
        assertThat(FeatureGates.all())
                .hasSizeGreaterThan(200)
                .contains(new FeatureGates.Feature("AllAlpha", Stage.ALPHA, false, false));
        assertThatThrownBy(() -> FeatureGates.DEFAULT.enabled("Foo"))
                .hasMessage("feature \"Foo\" is not registered in FeatureGate");
    }
}
