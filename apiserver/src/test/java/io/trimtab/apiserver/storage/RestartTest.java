package io.trimtab.apiserver.storage;

import static io.trimtab.apiserver.storage.StorageFixture.PODS;
import static io.trimtab.apiserver.storage.StorageFixture.drain;
import static io.trimtab.apiserver.storage.StorageFixture.labelled;
import static io.trimtab.apiserver.storage.StorageFixture.names;
import static io.trimtab.apiserver.storage.StorageFixture.page;
import static io.trimtab.apiserver.storage.StorageFixture.pod;
import static io.trimtab.apiserver.storage.StorageFixture.watch;
import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.runtime.VirtualDriver;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestartTest {
    private final VirtualDriver driver = VirtualDriver.create();

    @TempDir
    Path directory;

    @Test
    void givenAStoreOnDisk_whenRestarted_thenObjectsPagesAndWatchesGoOn() {
        Storage.Listing first;
        StoredObject a;
        try (RocksStore store = RocksStore.open(directory, driver)) {
            DefaultStorage storage = new DefaultStorage(store, driver, StorageFixture::fieldsOf);
            a = storage.create(PODS, labelled(pod("ns", "a"), "app", "web"));
            storage.create(PODS, pod("ns", "b"));
            first = storage.list(PODS, page(1, 0, null));
            a = storage.replace(PODS, a, labelled(a.copy(), "app", "db")).orElseThrow();
            storage.delete(PODS, storage.get(PODS, "ns", "b").orElseThrow());
            storage.close();
        }

        try (RocksStore store = RocksStore.open(directory, driver)) {
            DefaultStorage storage = new DefaultStorage(store, driver, StorageFixture::fieldsOf);

            assertThat(storage.get(PODS, "ns", "a").orElseThrow().json()).isEqualTo(a.json());
            assertThat(names(storage.list(PODS, page(1, first.revision(), first.nextKey()))))
                    .containsExactly("b");
            assertThat(drain(storage.watch(PODS, watch(null, first.revision()))))
                    .containsExactly("MODIFIED a@4", "DELETED b@5");
            assertThat(storage.replace(PODS, a, labelled(a.copy(), "app", "x"))
                            .orElseThrow()
                            .revision())
                    .isEqualTo(6);
            storage.close();
        }
    }
}
