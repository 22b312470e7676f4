package io.trimtab.apiserver.injvm;

import io.trimtab.apiserver.ApiResponse;
import java.io.ByteArrayOutputStream;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The bytes of an answer that ends, in portions worth a call. For one thread at a time. */
final class AnswerBytes {
    private static final int PORTION_BYTES = 64 * 1024;

    private final Iterator<byte[]> pieces;

    private AnswerBytes(Iterator<byte[]> pieces) {
        this.pieces = pieces;
    }

    static AnswerBytes of(ApiResponse answer) {
        if (answer instanceof ApiResponse.Whole whole) {
            return new AnswerBytes(
                    whole.body().length == 0
                            ? Collections.emptyIterator()
                            : List.of(whole.body()).iterator());
        }
        if (answer instanceof ApiResponse.Pieces pieces) {
            return new AnswerBytes(pieces.pieces());
        }
        throw new IllegalArgumentException("expected an answer that ends, got " + answer);
    }

    /** The next portion, or null if there is none. */
    byte @Nullable [] next() {
        if (!pieces.hasNext()) {
            return null;
        }
        byte[] first = pieces.next();
        if (first.length >= PORTION_BYTES || !pieces.hasNext()) {
            return first;
        }
        ByteArrayOutputStream portion = new ByteArrayOutputStream(PORTION_BYTES);
        portion.writeBytes(first);
        while (portion.size() < PORTION_BYTES && pieces.hasNext()) {
            portion.writeBytes(pieces.next());
        }
        return portion.toByteArray();
    }

    /** All that has not been taken yet. */
    byte[] rest() {
        if (!pieces.hasNext()) {
            return new byte[0];
        }
        byte[] first = pieces.next();
        if (!pieces.hasNext()) {
            return first;
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream(2 * PORTION_BYTES);
        all.writeBytes(first);
        pieces.forEachRemaining(all::writeBytes);
        return all.toByteArray();
    }
}
