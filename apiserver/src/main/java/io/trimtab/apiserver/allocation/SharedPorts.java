package io.trimtab.apiserver.allocation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The ports taken by all servers on one store: the RangeAllocation that Kubernetes' own API server keeps too, a number with a bit
 * for each port. Whoever writes it first has the port; the other reads it again. Stateless but for the range.
 */
final class SharedPorts {
    /** Stored, and served nowhere. */
    private static final ApiResource RANGES = new ApiResource(
            "", "v1", "ranges", "range", "RangeAllocation", false, Set.of(), List.of(), List.of(), Map.of(), false);

    private static final String NAME = "servicenodeports";

    private final String range;

    SharedPorts(String range) {
        this.range = range;
    }

    /** What is taken, as offsets from the first port. */
    BitSet taken(Storage storage) {
        return storage.get(RANGES, null, NAME).map(this::bits).orElseGet(BitSet::new);
    }

    /** @return false if another has it */
    boolean take(int offset, BitSet known, Storage storage) {
        return change(storage, known, taken -> {
            if (taken.get(offset)) {
                return null;
            }
            taken.set(offset);
            return taken;
        });
    }

    void release(int offset, Storage storage) {
        change(storage, new BitSet(), taken -> {
            if (!taken.get(offset)) {
                return null;
            }
            taken.clear(offset);
            return taken;
        });
    }

    /**
     * @param known what is taken, for a store that has no record yet
     * @param change null to leave everything as it is
     */
    private boolean change(Storage storage, BitSet known, Function<BitSet, @Nullable BitSet> change) {
        while (true) {
            Optional<StoredObject> stored = storage.get(RANGES, null, NAME);
            BitSet taken = change.apply(stored.map(this::bits).orElseGet(() -> (BitSet) known.clone()));
            if (taken == null) {
                return false;
            }
            ObjectNode object = object(taken);
            if (stored.isPresent()) {
                if (storage.replace(RANGES, stored.get(), object).isPresent()) {
                    return true;
                }
                continue;
            }
            try {
                storage.create(RANGES, object);
                return true;
            } catch (StatusException e) {
                if (!e.reason().equals("AlreadyExists")) {
                    throw e;
                }
            }
        }
    }

    private BitSet bits(StoredObject stored) {
        JsonNode tree = stored.tree();
        // Of another range: the numbers mean other ports. The record is written anew with this server's range.
        if (!tree.path("range").asText("").equals(range)) {
            return new BitSet();
        }
        byte[] data;
        try {
            data = tree.path("data").binaryValue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        BigInteger number = data == null ? BigInteger.ZERO : new BigInteger(1, data);
        BitSet bits = new BitSet();
        for (int i = 0; i < number.bitLength(); i++) {
            bits.set(i, number.testBit(i));
        }
        return bits;
    }

    private ObjectNode object(BitSet taken) {
        byte[] number = new byte[taken.length() / 8 + 1];
        taken.stream().forEach(i -> number[number.length - 1 - i / 8] |= (byte) (1 << i % 8));
        int zeros = 0;
        while (zeros < number.length - 1 && number[zeros] == 0) {
            zeros++;
        }
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "RangeAllocation").put("apiVersion", "v1");
        object.putObject("metadata").put("name", NAME);
        object.put("range", range);
        object.put(
                "data",
                java.util.Base64.getEncoder()
                        .encodeToString(java.util.Arrays.copyOfRange(number, zeros, number.length)));
        return object;
    }
}
