package io.trimtab.apiserver.certificates;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyReserveTest {
    @TempDir
    private Path directory;

    @Test
    void givenAFilledReserve_whenKeysAreTaken_thenEachIsHandedOutOnce() throws IOException {
        KeyReserve reserve = KeyReserve.in(directory.resolve("keys"));
        try (VirtualDriver driver = VirtualDriver.create()) {
            reserve.refill(driver);
            driver.settle();
        }
        assertThat(files()).hasSize(2);

        KeyPair first = reserve.get();
        KeyPair second = reserve.get();

        assertThat(modulus(first)).isEqualTo(((RSAPrivateKey) first.getPrivate()).getModulus());
        assertThat(modulus(first)).isNotEqualTo(modulus(second));
        assertThat(files()).isEmpty();
    }

    @Test
    void givenAFileThatIsNoKey_whenAKeyIsWanted_thenANewOneIsMade() throws IOException {
        Files.createDirectories(directory.resolve("keys"));
        Files.writeString(directory.resolve("keys").resolve("rsa-0.key"), "torn");

        assertThat(modulus(KeyReserve.in(directory.resolve("keys")).get()).bitLength())
                .isEqualTo(2048);
        assertThat(files()).isEmpty();
    }

    private static java.math.BigInteger modulus(KeyPair pair) {
        return ((RSAPublicKey) pair.getPublic()).getModulus();
    }

    private Stream<Path> files() throws IOException {
        return Files.list(directory.resolve("keys"));
    }
}
