package io.trimtab.encoding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PemBlockTest {

    @Test
    void givenSeveralBlocksAndProse_whenRead_thenTheBlocksComeInOrder() {
        byte[] large = new byte[100];
        String text = "a note\n" + new PemBlock("EC PARAMETERS", new byte[] {1, 2}).text() + "another\n"
                + new PemBlock("PRIVATE KEY", large).text();

        List<PemBlock> blocks = PemBlock.all(text);

        assertThat(blocks).extracting(PemBlock::type).containsExactly("EC PARAMETERS", "PRIVATE KEY");
        assertThat(blocks.get(0).der()).containsExactly(1, 2);
        assertThat(blocks.get(1).der()).isEqualTo(large);
        assertThat(text.lines()).allMatch(line -> line.length() <= 64);
    }

    @Test
    void givenABlockThatEndsAsAnother_whenRead_thenItIsNone() {
        assertThat(PemBlock.all("-----BEGIN CERTIFICATE-----\nAQI=\n-----END PRIVATE KEY-----\n"))
                .isEmpty();
    }
}
