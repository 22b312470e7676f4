package io.trimtab.controllers.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IndexesTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"1,3-5,7 | 10 | 1,3-5,7", "0,1 | 10 | 0,1", "0-9 | 4 | 0-3", "oops,2 | 10 | 2", "5 | 5 | ''"})
    void givenAText_whenReadAndWritten_thenTheSameSet(String text, int size, String want) {
        BitSet set = Indexes.parse(text, size);

        assertThat(Indexes.text(set)).isEqualTo(want);
    }
}
