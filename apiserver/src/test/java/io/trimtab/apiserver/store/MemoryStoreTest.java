package io.trimtab.apiserver.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryStoreTest extends StoreContract {

    @Override
    Store open() {
        return MemoryStore.create();
    }

    @Test
    void givenACommit_whenItReturns_thenItIsComplete() {
        assertThat(store.commit(List.of(put("/a", 0, "1"))))
                .isCompletedWithValueMatching(Store.CommitResult::committed);
    }

    @Test
    void givenAFork_whenEitherIsWritten_thenTheOtherDoesNotChange() {
        commit(put("/a", 0, "1"));
        commit(put("/a", -1, "2"));
        List<String> heard = record("", 0);

        MemoryStore fork = ((MemoryStore) store).fork();
        List<String> heardByFork = new ArrayList<>();
        fork.watch("", 2, changes -> changes.forEach(c -> heardByFork.add(show(c))));
        fork.commit(List.of(put("/f", 0, "fork")));
        commit(put("/o", 0, "origin"));
        store.compact(4);

        assertThat(show(fork.range("", null, 0, 0))).containsExactly("/a=2", "/f=fork");
        assertThat(show(store.range("", null, 0, 0))).containsExactly("/a=2", "/o=origin");
        assertThat(show(fork.range("", null, 0, 2))).containsExactly("/a=1");
        assertThat(fork.compactedRevision()).isEqualTo(1);
        assertThat(heardByFork).containsExactly("3 /a 1>2", "4 /f ->fork");
        assertThat(heard).containsExactly("4 /o ->origin");
    }

    @Test
    void givenLittleRoomForHistory_whenItIsFull_thenTheOlderHalfIsCompacted() {
        MemoryStore small = MemoryStore.create(100_000);
        for (int i = 0; i < 1000; i++) {
            small.commit(List.of(put("/a" + i % 10, -1, "v" + i)));
        }

        assertThat(small.compactedRevision()).isBetween(500L, 1000L);
        assertThat(show(small.range("/a0", null, 0, small.compactedRevision()))).hasSize(1);
        assertThat(show(small.range("", null, 0, 1001)))
                .isEqualTo(show(small.range("", null, 0, 0)))
                .contains("/a9=v999");
    }
}
