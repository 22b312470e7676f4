package io.trimtab.apiserver.flowcontrol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class QueueSetTest {
    private static final UserInfo BOB = UserInfo.of("bob");
    private static final Ticket.Headers HEADERS = new Ticket.Headers(List.of("s"), List.of("l"));

    private final VirtualDriver driver = VirtualDriver.create();
    private final List<String> served = new ArrayList<>();

    private Dealer dealer = new Dealer(1, 1);

    private QueueSet queues(int queues, int hand, int length, int seats) {
        dealer = new Dealer(queues, hand);
        return new QueueSet(driver, new QueueSet.Shape(QueueSet.Kind.QUEUE, queues, hand, length), seats);
    }

    private static RequestInfo get() {
        return RequestInfo.of(
                ApiRequest.local(BOB, "GET", "/api/v1/namespaces/default/pods/p", Map.of(), null, new byte[0]));
    }

    private Ticket enter(QueueSet set, String flow, Work work) {
        Ticket ticket = new Ticket(set, set.statsOf(flow), get(), BOB, flow, work, HEADERS, "level", driver.nanoTime());
        int[] hand = new int[dealer.handSize()];
        dealer.deal(flow.hashCode() * 0x9E3779B97F4A7C15L, hand);
        set.enter(ticket, hand);
        if (ticket.isWaiting()) {
            set.limitWait(ticket, Duration.ofSeconds(15));
            ticket.whenDecided(t -> {
                if (t.isExecuting()) {
                    served.add(flow);
                    driver.schedule(Duration.ofMillis(10), t::finish);
                }
            });
        }
        return ticket;
    }

    @Test
    void givenFreeSeats_whenRequestsCome_thenNoneWaits() {
        QueueSet set = queues(8, 2, 10, 3);

        assertThat(List.of(enter(set, "a", Work.ONE), enter(set, "b", Work.ONE), enter(set, "a", Work.ONE)))
                .allMatch(Ticket::isExecuting);
        assertThat(enter(set, "c", Work.ONE).isWaiting()).isTrue();
    }

    @Test
    void givenAWaitingRequest_whenASeatIsFreed_thenItIsServedByAStepOfTheDriver() {
        QueueSet set = queues(8, 2, 10, 1);
        Ticket first = enter(set, "a", Work.ONE);
        Ticket second = enter(set, "b", Work.ONE);

        first.finish();
        assertThat(second.isExecuting()).isTrue();
        assertThat(served).isEmpty();
        driver.settle();

        assertThat(served).containsExactly("b");
    }

    @Test
    void givenFullQueues_whenMoreCome_thenTheyAreTurnedAway() {
        QueueSet set = queues(1, 1, 2, 1);
        enter(set, "a", Work.ONE);
        enter(set, "a", Work.ONE);
        enter(set, "a", Work.ONE);

        Ticket last = enter(set, "a", Work.ONE);

        assertThat(last.isRejected()).isTrue();
        assertThat(set.statsOf("a").rejectedFull).isEqualTo(1);
    }

    @Test
    void givenALevelWithoutQueues_whenItIsFull_thenTheNextIsTurnedAwayAtOnce() {
        QueueSet set = new QueueSet(driver, QueueSet.Shape.REJECT, 1);
        Ticket first = enter(set, "a", Work.ONE);

        assertThat(enter(set, "a", Work.ONE).isRejected()).isTrue();
        first.finish();
        assertThat(enter(set, "a", Work.ONE).isExecuting()).isTrue();
    }

    @Test
    void givenAnExemptLevelWithoutSeats_whenManyCome_thenAllAreServed() {
        QueueSet set = new QueueSet(driver, QueueSet.Shape.EXEMPT, 0);

        for (int i = 0; i < 1000; i++) {
            assertThat(enter(set, "a", Work.ONE).isExecuting()).isTrue();
        }
    }

    @Test
    void givenNoSeatIsFreed_whenPatienceIsOver_thenTheRequestIsTurnedAway() {
        QueueSet set = queues(1, 1, 10, 1);
        enter(set, "a", Work.ONE);
        Ticket second = enter(set, "a", Work.ONE);

        driver.advance(Duration.ofSeconds(14));
        assertThat(second.isWaiting()).isTrue();
        driver.advance(Duration.ofSeconds(1));

        assertThat(second.isRejected()).isTrue();
        assertThat(set.statsOf("a").rejectedTimeout).isEqualTo(1);
        assertThat(set.waiting).isZero();
    }

    @Test
    void givenAFloodOfOneFlow_whenAnotherSendsAFew_thenThoseDoNotWaitForTheFlood() {
        QueueSet set = queues(64, 4, 1000, 1);
        Ticket first = enter(set, "flood", Work.ONE);
        for (int i = 0; i < 200; i++) {
            enter(set, "flood", Work.ONE);
        }
        for (int i = 0; i < 5; i++) {
            enter(set, "mouse", Work.ONE);
        }

        first.finish();
        driver.advance(Duration.ofMillis(400));

        // Four queues of the flood and those of the mouse take turns.
        assertThat(served.subList(0, 40).stream().filter("mouse"::equals)).hasSize(5);
    }

    @Test
    void givenAWideRequestAtTheHead_whenSeatsAreFreedOneByOne_thenItIsNotPassedBy() {
        QueueSet set = queues(1, 1, 10, 4);
        List<Ticket> running = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            running.add(enter(set, "small", Work.ONE));
        }
        Ticket wide = enter(set, "wide", new Work(3, 0, 0));
        Ticket small = enter(set, "small", Work.ONE);

        running.get(0).finish();
        running.get(1).finish();
        assertThat(wide.isWaiting()).isTrue();
        assertThat(small.isWaiting()).isTrue();
        running.get(2).finish();

        assertThat(wide.isExecuting()).isTrue();
        assertThat(small.isWaiting()).isTrue();
    }

    @Test
    void givenARequestWiderThanTheLevel_whenTheLevelIsIdle_thenItIsServed() {
        QueueSet set = queues(1, 1, 10, 2);

        assertThat(enter(set, "wide", new Work(5, 0, 0)).isExecuting()).isTrue();
        assertThat(enter(set, "small", Work.ONE).isWaiting()).isTrue();
    }

    @Test
    void givenAWriteThatManyWatch_whenItIsServed_thenItsSeatsAreFreedOnlyLater() {
        QueueSet set = queues(1, 1, 10, 2);
        Ticket write = enter(set, "w", new Work(1, 2, 5_000_000));
        Ticket next = enter(set, "n", Work.ONE);

        write.finish();
        driver.advance(Duration.ofMillis(4));
        assertThat(next.isWaiting()).isTrue();
        driver.advance(Duration.ofMillis(1));

        assertThat(next.isExecuting()).isTrue();
    }

    @Test
    void givenATicket_whenItIsFinishedTwice_thenTheSeatIsFreedOnce() {
        QueueSet set = queues(1, 1, 10, 2);
        Ticket first = enter(set, "a", Work.ONE);
        enter(set, "a", Work.ONE);

        first.finish();
        first.finish();

        assertThat(set.seatsInUse).isEqualTo(1);
        assertThat(set.executing).isEqualTo(1);
    }

    @Test
    void givenFewerQueuesAreWanted_whenTheyAreStillInUse_thenWhatWaitsInThemIsServed() {
        QueueSet set = queues(16, 4, 10, 1);
        Ticket first = enter(set, "a", Work.ONE);
        for (int i = 0; i < 20; i++) {
            enter(set, "flow" + i, Work.ONE);
        }

        set.configure(new QueueSet.Shape(QueueSet.Kind.QUEUE, 2, 1, 10), 1);
        first.finish();
        driver.advance(Duration.ofSeconds(1));

        assertThat(served).hasSize(20);
        assertThat(set.isIdle()).isTrue();
    }

    @Test
    void givenHandsAreDealt_whenLookedAt_thenCardsAreDistinctAndEvenlySpread() {
        Dealer dealer = new Dealer(64, 6);
        int[] hand = new int[6];
        int[] counts = new int[64];
        java.util.Random random = new java.util.Random(7);
        for (int i = 0; i < 20_000; i++) {
            dealer.deal(random.nextLong(), hand);
            Set<Integer> distinct = new HashSet<>();
            for (int card : hand) {
                assertThat(card).isBetween(0, 63);
                distinct.add(card);
                counts[card]++;
            }
            assertThat(distinct).hasSize(6);
        }
        for (int count : counts) {
            assertThat(count).isBetween(1600, 2200); // 1875 each on average
        }
        assertThatThrownBy(() -> new Dealer(1 << 20, 4)).hasMessageContaining("bits");
    }

    @Test
    void givenDemand_whenSeatsAreDivided_thenEachGetsTheSameFractionWithinItsBounds() {
        SeatAllocation.Result result = SeatAllocation.compute(
                100,
                List.of(
                        new SeatAllocation.Item(10, 60, 80),
                        new SeatAllocation.Item(20, 200, 20),
                        new SeatAllocation.Item(5, 200, 40)));

        assertThat(result.shares()).hasSize(3);
        assertThat(java.util.Arrays.stream(result.shares()).sum())
                .isCloseTo(100, org.assertj.core.data.Offset.offset(1e-6));
        assertThat(result.shares()[1]).isEqualTo(20); // its lower bound
        assertThat(result.shares()[0]).isCloseTo(2 * result.shares()[2], org.assertj.core.data.Offset.offset(1e-6));
        assertThatThrownBy(() -> SeatAllocation.compute(5, List.of(new SeatAllocation.Item(10, 20, 15))))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
