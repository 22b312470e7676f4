package io.trimtab.apiserver.flowcontrol;

/**
 * Deals each flow a hand of queues, by its hash: two flows rarely share the whole hand, so one that floods its queues leaves the
 * others some to use. Immutable.
 *
 * <p>The hash is read as a number with digits of decreasing base, each of which draws one of the cards that are left; so every
 * hand is equally likely. Kubernetes does the same in {@code util/shufflesharding}.
 */
final class Dealer {
    private static final int MAX_HASH_BITS = 60;
    private static final int MAX_DECK = 1 << 26;

    private final int deckSize;
    private final int handSize;

    /** @throws IllegalArgumentException if the hash has too few bits for such hands */
    Dealer(int deckSize, int handSize) {
        if (deckSize <= 0 || handSize <= 0 || handSize > deckSize || deckSize > MAX_DECK) {
            throw new IllegalArgumentException("cannot deal " + handSize + " of " + deckSize + " queues");
        }
        if (entropyBits(deckSize, handSize) > MAX_HASH_BITS) {
            throw new IllegalArgumentException("hands of " + handSize + " of " + deckSize + " queues need "
                    + entropyBits(deckSize, handSize) + " bits, there are " + MAX_HASH_BITS);
        }
        this.deckSize = deckSize;
        this.handSize = handSize;
    }

    /** How many bits of a hash a hand takes, a little more than needed. */
    static int entropyBits(int deckSize, int handSize) {
        return (int) Math.ceil(Math.log(deckSize) / Math.log(2) * handSize);
    }

    int handSize() {
        return handSize;
    }

    /** @param hand gets the cards, each from 0 to the size of the deck */
    void deal(long hash, int[] hand) {
        long rest = hash;
        for (int i = 0; i < handSize; i++) {
            long quotient = Long.divideUnsigned(rest, deckSize - i);
            hand[i] = (int) (rest - quotient * (deckSize - i));
            rest = quotient;
        }
        // Each digit counts among the cards that those before it have left: from the last back, so that digits are
        // still
        // there when they are needed.
        for (int i = handSize - 1; i > 0; i--) {
            int card = hand[i];
            for (int j = i - 1; j >= 0; j--) {
                if (card >= hand[j]) {
                    card++;
                }
            }
            hand[i] = card;
        }
    }
}
