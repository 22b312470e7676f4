package io.trimtab.apiserver.storage;

import static io.trimtab.apiserver.storage.StorageFixture.ALL_FIELDS;
import static io.trimtab.apiserver.storage.StorageFixture.ALL_LABELS;
import static io.trimtab.apiserver.storage.StorageFixture.NODES;
import static io.trimtab.apiserver.storage.StorageFixture.PODS;
import static io.trimtab.apiserver.storage.StorageFixture.WIDGETS;
import static io.trimtab.apiserver.storage.StorageFixture.labelled;
import static io.trimtab.apiserver.storage.StorageFixture.list;
import static io.trimtab.apiserver.storage.StorageFixture.names;
import static io.trimtab.apiserver.storage.StorageFixture.page;
import static io.trimtab.apiserver.storage.StorageFixture.pod;
import static io.trimtab.apiserver.storage.StorageFixture.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.storage.Storage.ListQuery;
import io.trimtab.apiserver.storage.Storage.Listing;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StorageTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final MemoryStore store = MemoryStore.create();
    private final DefaultStorage storage = new DefaultStorage(store, driver, StorageFixture::fieldsOf);

    // ---- Encoding --------------------------------------------------------------------------------------------------

    @Test
    void givenAPod_whenCreated_thenItsRevisionStandsAfterItsUid() {
        StoredObject created = storage.create(PODS, labelled(pod("a", "x"), "app", "web"));

        assertThat(text(created))
                .isEqualTo("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",\"namespace\":\"a\","
                        + "\"uid\":\"uid-x\",\"resourceVersion\":\"2\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
                        + "\"labels\":{\"app\":\"web\"}},\"spec\":{}}");
        assertThat(created.labels()).isEqualTo(Map.of("app", "web"));
        assertThat(created.uid()).isEqualTo("uid-x");
        assertThat(created.namespace()).isEqualTo("a");
        assertThat(created.revision()).isEqualTo(2);
        assertThat(created.tree().at("/metadata/resourceVersion").asText()).isEqualTo("2");
        assertThat(storage.get(PODS, "a", "x")).containsSame(created);
        assertThat(storage.revision()).isEqualTo(2);
    }

    @Test
    void givenACustomResource_whenCreated_thenItsRevisionStandsWhereItIsSorted() {
        ObjectNode widget = JsonNodeFactory.instance.objectNode().put("apiVersion", "example.com/v1");
        widget.put("kind", "Widget");
        widget.putObject("metadata").put("name", "w").put("namespace", "a").put("uid", "u");

        assertThat(text(storage.create(WIDGETS, widget)))
                .isEqualTo("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w\","
                        + "\"namespace\":\"a\",\"resourceVersion\":\"2\",\"uid\":\"u\"}}");
    }

    @Test
    void givenAnOldRevisionInTheTree_whenStored_thenTheNewOneTakesItsPlace() {
        ObjectNode pod = pod("a", "x");
        ((ObjectNode) pod.path("metadata")).put("resourceVersion", "999");

        assertThat(text(storage.create(PODS, pod)))
                .contains("\"resourceVersion\":\"2\"")
                .doesNotContain("999");
        assertThat(pod.at("/metadata/resourceVersion").asText()).isEqualTo("999");
    }

    @Test
    void givenCharactersThatGoEscapes_whenStored_thenTheyAreEscapedAsGoDoes() {
        ObjectNode pod = pod("a", "x");
        ((ObjectNode) pod.path("metadata")).remove("creationTimestamp");
        pod.put("kind", "<P&od>");
        ((ObjectNode) pod.path("spec")).put("text", "\u2028\u2029\u00e9\u001b\t\b\f/\"\\\u20ac\ud83d\ude00");

        String json = text(storage.create(PODS, pod));

        assertThat(json)
                .isEqualTo("{\"kind\":\"\\u003cP\\u0026od\\u003e\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\","
                        + "\"namespace\":\"a\",\"uid\":\"uid-x\",\"resourceVersion\":\"2\"},\"spec\":{\"text\":"
                        + "\"\\u2028\\u2029\u00e9\\u001b\\t\\b\\f/\\\"\\\\\u20ac\ud83d\ude00\"}}");
        assertThat(storage.get(PODS, "a", "x").orElseThrow().tree().at("/kind").asText())
                .isEqualTo("<P&od>");
    }

    @Test
    void givenHalfACharacter_whenStored_thenTheRestIsStillJson() {
        ObjectNode pod = pod("a", "x");
        ((ObjectNode) pod.path("spec")).put("text", "a\ud800b").put("more", "c\udc00");

        StoredObject stored = storage.create(PODS, pod);

        assertThat(stored.tree().at("/spec/text").asText()).startsWith("a").endsWith("b");
    }

    @Test
    void givenAValueWithoutARevision_whenRead_thenItHasOne() {
        store.commit(List.of(new Store.Operation.Put(
                "/registry/minions/n",
                0,
                r ->
                        "{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"labels\":{\"a\":\"b\"}}}"
                                .getBytes(StandardCharsets.UTF_8))));

        StoredObject node = storage.get(NODES, null, "n").orElseThrow();

        assertThat(text(node))
                .isEqualTo("{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\",\"uid\":\"u\","
                        + "\"resourceVersion\":\"2\",\"labels\":{\"a\":\"b\"}}}");
        assertThat(node.labels()).isEqualTo(Map.of("a", "b"));
    }

    @Test
    void givenAnotherStorageOverTheSameStore_thenItReadsTheSame() {
        StoredObject x = storage.create(PODS, labelled(pod("a", "x"), "app", "web"));
        DefaultStorage other = new DefaultStorage(store, driver, StorageFixture::fieldsOf);

        StoredObject read = other.get(PODS, "a", "x").orElseThrow();

        assertThat(read.json()).isEqualTo(x.json());
        assertThat(read.labels()).isEqualTo(x.labels());
        assertThat(read.uid()).isEqualTo("uid-x");
        assertThat(names(other.list(PODS, list(null)))).containsExactly("x");
    }

    // ---- Writing ---------------------------------------------------------------------------------------------------

    @Test
    void givenAPod_whenCreatedAgain_thenItExistsAlready() {
        storage.create(PODS, pod("a", "x"));

        assertThatThrownBy(() -> storage.create(PODS, pod("a", "x")))
                .isInstanceOf(StatusException.class)
                .hasMessage("pods \"x\" already exists");
    }

    @Test
    void givenAnObjectThatChangedMeanwhile_whenReplacedOrDeleted_thenNothingIsWritten() {
        StoredObject x = storage.create(PODS, pod("a", "x"));
        StoredObject newer =
                storage.replace(PODS, x, labelled(x.copy(), "a", "1")).orElseThrow();

        assertThat(storage.replace(PODS, x, labelled(x.copy(), "a", "2"))).isEmpty();
        assertThat(storage.replace(PODS, x, x.copy())).isEmpty();
        assertThat(storage.delete(PODS, x)).isEmpty();
        assertThat(storage.revision()).isEqualTo(3);
        assertThat(storage.get(PODS, "a", "x")).containsSame(newer);
    }

    @Test
    void givenAnEqualTree_whenReplaced_thenNothingIsWrittenAndTheStoredStateComesBack() {
        StoredObject x = storage.create(PODS, pod("a", "x"));

        assertThat(storage.replace(PODS, x, x.copy())).containsSame(x);
        assertThat(storage.revision()).isEqualTo(2);
    }

    @Test
    void givenOnlyTimesOfManagedFieldsDiffer_whenReplaced_thenNothingIsWritten() {
        ObjectNode pod = pod("a", "x");
        ((ObjectNode) pod.path("metadata"))
                .putArray("managedFields")
                .addObject()
                .put("manager", "kubectl")
                .put("time", "2026-01-01T00:00:00Z");
        StoredObject x = storage.create(PODS, pod);
        ObjectNode later = x.copy();
        ((ObjectNode) later.at("/metadata/managedFields/0")).put("time", "2026-02-02T00:00:00Z");

        assertThat(storage.replace(PODS, x, later)).containsSame(x);

        ((ObjectNode) later.at("/metadata/managedFields/0")).put("manager", "kubectx");
        assertThat(storage.replace(PODS, x, later).orElseThrow().revision()).isEqualTo(3);
    }

    @Test
    void givenAWriteInBetween_whenUpdated_thenTheChangeIsMadeAgain() {
        storage.create(PODS, pod("a", "x"));
        int[] calls = new int[1];

        StoredObject updated = storage.update(PODS, "a", "x", tree -> {
            if (calls[0]++ == 0) {
                StoredObject now = storage.get(PODS, "a", "x").orElseThrow();
                storage.replace(PODS, now, labelled(now.copy(), "other", "1"));
            }
            return labelled(tree, "mine", "1");
        });

        assertThat(calls[0]).isEqualTo(2);
        assertThat(updated.labels()).containsOnlyKeys("other", "mine");
        assertThatThrownBy(() -> storage.update(PODS, "a", "gone", t -> t)).hasMessage("pods \"gone\" not found");
    }

    @Test
    void givenADeletion_thenTheLastStateCarriesItsRevision() {
        StoredObject x = storage.create(PODS, pod("a", "x"));

        StoredObject last = storage.delete(PODS, x).orElseThrow();

        assertThat(last.revision()).isEqualTo(3);
        assertThat(text(last)).contains("\"resourceVersion\":\"3\"");
        assertThat(storage.get(PODS, "a", "x")).isEmpty();
        assertThat(storage.delete(PODS, x)).isEmpty();
    }

    // ---- Lists -----------------------------------------------------------------------------------------------------

    @Test
    void givenFivePods_whenListedInPages_thenEachComesOnceAtOneRevision() {
        for (String name : new String[] {"a", "b", "c", "d", "e"}) {
            storage.create(PODS, pod("ns", name));
        }

        Listing first = storage.list(PODS, page(2, 0, null));
        storage.create(PODS, pod("ns", "bb"));
        Listing second = storage.list(PODS, page(2, first.revision(), first.nextKey()));
        Listing third = storage.list(PODS, page(2, first.revision(), second.nextKey()));

        assertThat(first.revision()).isEqualTo(6);
        assertThat(first.nextKey()).isEqualTo("ns/b\0");
        assertThat(first.remaining()).isEqualTo(3);
        assertThat(second.remaining()).isEqualTo(1);
        assertThat(second.revision()).isEqualTo(6);
        assertThat(names(first)).containsExactly("a", "b");
        assertThat(names(second)).containsExactly("c", "d");
        assertThat(names(third)).containsExactly("e");
        assertThat(third.nextKey()).isNull();
        assertThat(third.remaining()).isZero();
    }

    @Test
    void givenPodsInManyNamespaces_whenListed_thenNamespacesAreScopesAndKeysAreInOrder() {
        storage.create(PODS, pod("b", "1"));
        storage.create(PODS, pod("a-b", "2"));
        storage.create(PODS, pod("a", "3"));

        assertThat(names(storage.list(PODS, list("a")))).containsExactly("3");
        assertThat(names(storage.list(PODS, list(null)))).containsExactly("2", "3", "1");
        Listing page = storage.list(PODS, new ListQuery("a", ALL_LABELS, ALL_FIELDS, 0, false, 1, null));
        assertThat(page.nextKey()).isNull();
    }

    @Test
    void givenSelectors_whenListed_thenOnlyWhatMatchesComesAndTheRestIsNotCounted() {
        for (int i = 0; i < 6; i++) {
            storage.create(
                    PODS, StorageFixture.onNode(labelled(pod("ns", "p" + i), "even", "" + (i % 2 == 0)), "n" + i % 3));
        }
        var even = LabelSelectors.parse("even=true");

        Listing first = storage.list(PODS, new ListQuery(null, even, ALL_FIELDS, 0, false, 2, null));
        Listing rest =
                storage.list(PODS, new ListQuery(null, even, ALL_FIELDS, first.revision(), true, 2, first.nextKey()));

        assertThat(names(first)).containsExactly("p0", "p2");
        assertThat(first.remaining()).isEqualTo(-1);
        assertThat(first.nextKey()).isEqualTo("ns/p2\0");
        assertThat(names(rest)).containsExactly("p4");
        assertThat(names(storage.list(
                        PODS,
                        new ListQuery(null, ALL_LABELS, FieldSelector.parse("spec.nodeName=n1"), 0, false, 0, null))))
                .containsExactly("p1", "p4");
        for (String namespace : new String[] {null, "ns"}) {
            assertThat(names(storage.list(
                            PODS,
                            new ListQuery(
                                    namespace,
                                    ALL_LABELS,
                                    FieldSelector.parse("metadata.name=p3"),
                                    0,
                                    false,
                                    0,
                                    null))))
                    .containsExactly("p3");
        }
        assertThat(names(storage.list(
                        PODS,
                        new ListQuery(
                                null,
                                ALL_LABELS,
                                FieldSelector.parse("metadata.name=p3,spec.nodeName!=n0"),
                                0,
                                false,
                                0,
                                null))))
                .isEmpty();
    }

    @Test
    void givenAnOldRevision_whenListedExactly_thenItIsAsItWas() {
        storage.create(PODS, pod("ns", "a"));
        StoredObject b = storage.create(PODS, pod("ns", "b"));
        long then = storage.revision();
        storage.delete(PODS, b);
        storage.create(PODS, pod("ns", "c"));

        Listing old = storage.list(PODS, page(0, then, null));

        assertThat(old.revision()).isEqualTo(then);
        assertThat(names(old)).containsExactly("a", "b");
        Listing paged = storage.list(PODS, page(1, then, null));
        assertThat(names(paged)).containsExactly("a");
        assertThat(paged.remaining()).isEqualTo(1);
        assertThat(names(storage.list(PODS, page(1, then, paged.nextKey())))).containsExactly("b");
    }

    @Test
    void givenARevisionToCome_whenListed_thenItWaitsAndGivesUpAfterThreeSeconds() {
        storage.create(PODS, pod("ns", "a"));
        Instant start = driver.now();

        StatusException e = catchThrowableOfType(
                StatusException.class,
                () -> storage.list(PODS, new ListQuery(null, ALL_LABELS, ALL_FIELDS, 5, false, 0, null)));

        assertThat(Duration.between(start, driver.now())).isEqualTo(Duration.ofSeconds(3));
        assertThat(e.status().toString())
                .isEqualTo("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
                        + "\"message\":\"Timeout: Too large resource version: 5, current: 2\",\"reason\":\"Timeout\","
                        + "\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\","
                        + "\"message\":\"Too large resource version\"}],\"retryAfterSeconds\":1},\"code\":504}");
        assertThat(catchThrowableOfType(StatusException.class, () -> storage.list(PODS, page(0, 5, null)))
                        .status())
                .isEqualTo(e.status());

        driver.schedule(Duration.ofSeconds(1), () -> storage.create(PODS, pod("ns", "b")));
        assertThat(names(storage.list(PODS, new ListQuery(null, ALL_LABELS, ALL_FIELDS, 3, false, 0, null))))
                .containsExactly("a", "b");
    }

    @Test
    void givenFiveMinutesTwice_thenOldPagesAreGoneAndTheTokenInTheAnswerListsTheRest() {
        for (String name : new String[] {"a", "b", "c"}) {
            storage.create(PODS, pod("ns", name));
        }
        Listing first = storage.list(PODS, page(1, 0, null));
        storage.create(PODS, pod("ns", "bb"));
        driver.advance(Duration.ofMinutes(5));
        assertThat(names(storage.list(PODS, page(1, first.revision(), first.nextKey()))))
                .containsExactly("b");
        driver.advance(Duration.ofMinutes(6));

        StatusException e = catchThrowableOfType(
                StatusException.class, () -> storage.list(PODS, page(1, first.revision(), first.nextKey())));

        assertThat(e.code()).isEqualTo(410);
        assertThat(e.reason()).isEqualTo("Expired");
        assertThat(e.getMessage())
                .startsWith("The provided continue parameter is too old to display a consistent list");
        String token = e.status().at("/metadata/continue").asText();
        assertThat(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8))
                .isEqualTo("{\"v\":\"meta.k8s.io/v1\",\"rv\":-1,\"start\":\"ns/a\\u0000\"}");
        assertThat(names(storage.list(PODS, page(0, 0, first.nextKey())))).containsExactly("b", "bb", "c");
        assertThatThrownBy(() -> storage.list(PODS, page(0, first.revision(), null)))
                .hasMessage("The resourceVersion for the provided list is too old.");
    }

    // ---- Forks -----------------------------------------------------------------------------------------------------

    @Test
    void givenAFork_whenEitherChanges_thenTheOtherDoesNot() {
        StoredObject x = storage.create(PODS, pod("a", "x"));
        EventSource watch = storage.watch(PODS, StorageFixture.watch(null, storage.revision()));

        DefaultStorage fork = storage.fork(store.fork(), driver);
        EventSource resumed = fork.watch(PODS, StorageFixture.watch(null, 1));
        StoredObject inFork = fork.get(PODS, "a", "x").orElseThrow();
        fork.delete(PODS, inFork);
        storage.create(PODS, pod("a", "y"));

        assertThat(inFork).isSameAs(x);
        assertThat(names(fork.list(PODS, list(null)))).isEmpty();
        assertThat(names(storage.list(PODS, list(null)))).containsExactly("x", "y");
        assertThat(StorageFixture.drain(watch)).containsExactly("ADDED y@3");
        assertThat(StorageFixture.drain(resumed)).containsExactly("ADDED x@2", "DELETED x@3");
    }
}
