package io.trimtab.apiserver.storage;

import static io.trimtab.apiserver.storage.StorageFixture.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import org.junit.jupiter.api.Test;

class StorageTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final MemoryStore store = MemoryStore.create();
    private final DefaultStorage storage = new DefaultStorage(store, driver, StorageFixture::fieldsOf);

    @Test
    void givenAPod_whenCreated_thenItsRevisionStandsAfterItsUid() {
        StoredObject created = storage.create(PODS, labelled(pod("a", "x"), "app", "web"));

        assertThat(text(created))
                .isEqualTo("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",\"namespace\":\"a\","
                        + "\"uid\":\"uid-x\",\"resourceVersion\":\"2\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
                        + "\"labels\":{\"app\":\"web\"}},\"spec\":{}}");
        assertThat(created.labels()).containsEntry("app", "web").hasSize(1);
        assertThat(storage.get(PODS, "a", "x")).containsSame(created);
        assertThat(storage.revision()).isEqualTo(2);
    }

    @Test
    void givenAPod_whenCreatedAgain_thenItExistsAlready() {
        storage.create(PODS, pod("a", "x"));

        assertThatThrownBy(() -> storage.create(PODS, pod("a", "x")))
                .isInstanceOf(StatusException.class)
                .hasMessage("pods \"x\" already exists");
    }

    @Test
    void givenAWatch_whenObjectsChange_thenItHearsOfEachInOrder() {
        storage.create(PODS, pod("a", "before"));
        EventSource watch = storage.watch(PODS, watch(null, storage.revision()));

        StoredObject x = storage.create(PODS, pod("a", "x"));
        StoredObject changed =
                storage.replace(PODS, x, labelled(x.copy(), "app", "web")).orElseThrow();
        storage.delete(PODS, changed);

        assertThat(drain(watch)).containsExactly("ADDED x@3", "MODIFIED x@4", "DELETED x@5");
    }

    @Test
    void givenFivePods_whenListedInPages_thenEachComesOnceAtOneRevision() {
        for (String name : new String[] {"a", "b", "c", "d", "e"}) {
            storage.create(PODS, pod("ns", name));
        }

        Storage.Listing first = storage.list(PODS, page(2, 0, null));
        storage.create(PODS, pod("ns", "bb"));
        Storage.Listing second = storage.list(PODS, page(2, first.revision(), first.nextKey()));
        Storage.Listing third = storage.list(PODS, page(2, first.revision(), second.nextKey()));

        assertThat(first.remaining()).isEqualTo(3);
        assertThat(second.remaining()).isEqualTo(1);
        assertThat(names(first)).containsExactly("a", "b");
        assertThat(names(second)).containsExactly("c", "d");
        assertThat(names(third)).containsExactly("e");
        assertThat(third.nextKey()).isNull();
    }
}
