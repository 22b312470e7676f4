package io.trimtab.controllers.pods;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import org.junit.jupiter.api.Test;

class TemplateHashTest {

    @Test
    void givenATemplate_whenHashed_thenTheNameIsStableShortAndWithoutWords() {
        String hash = TemplateHash.of(template("a"), null);

        assertThat(hash).isEqualTo(TemplateHash.of(template("a"), null)).matches("[456789bcdf]{1,10}");
    }

    @Test
    void givenAnotherTemplateOrCount_whenHashed_thenTheNameDiffers() {
        assertThat(TemplateHash.of(template("a"), null))
                .isNotEqualTo(TemplateHash.of(template("b"), null))
                .isNotEqualTo(TemplateHash.of(template("a"), 1));
    }

    private static PodTemplateSpec template(String image) {
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .addToLabels("app", "web")
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("c")
                .withImage(image)
                .endContainer()
                .endSpec()
                .build();
    }
}
