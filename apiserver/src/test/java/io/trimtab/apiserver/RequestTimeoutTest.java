package io.trimtab.apiserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.auth.UserInfo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestTimeoutTest {
    private static void check(Map<String, List<String>> query) {
        ApiRequest request = new ApiRequest(
                "GET",
                "/api/v1/namespaces/default/pods",
                query,
                Map.of(),
                new byte[0],
                ApiRequest.Peer.trusted(UserInfo.SELF));
        RequestTimeout.check(request, RequestInfo.of(request));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0s", "1h30m", "1.5s", ".5s", "5.s", "-3m", "+20ms", "7us", "7µs", "7μs", "100ns", ""})
    void givenADuration_whenChecked_thenItIsTaken(String timeout) {
        assertThat(timeout.isEmpty() ? "" : RequestTimeout.mistake(timeout)).isEmpty();
        assertThatCode(() -> check(Map.of("timeout", List.of(timeout)))).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "invalid|invalid duration \"invalid\"",
                "5|missing unit in duration \"5\"",
                "5x|unknown unit \"x\" in duration \"5x\"",
                "1h5|missing unit in duration \"1h5\"",
                "-|invalid duration \"-\"",
                ".s|invalid duration \".s\"",
                "9999999999h|invalid duration \"9999999999h\""
            })
    void givenSomethingElse_whenChecked_thenItIsABadRequestInGoesWords(String timeout, String why) {
        assertThatThrownBy(() -> check(Map.of("timeout", List.of(timeout))))
                .hasMessageContaining("invalid timeout specified in the request URL - time: " + why);
    }

    @Test
    void givenAWatch_whenChecked_thenItsTimeoutIsItsOwnAffair() {
        assertThatCode(() -> check(Map.of("timeout", List.of("invalid"), "watch", List.of("true"))))
                .doesNotThrowAnyException();
    }
}
