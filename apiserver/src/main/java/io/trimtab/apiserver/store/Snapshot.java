package io.trimtab.apiserver.store;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * All keys of a store at one revision, as a file: whatever the store is, whatever will read it. Compressed; ends with the number
 * of entries and a checksum, so that half a file is no file.
 *
 * @since 0.1
 */
public final class Snapshot {
    private static final byte[] MAGIC = "trimtab snapshot 1\n".getBytes(StandardCharsets.ISO_8859_1);
    private static final int ENTRY = 1;
    private static final int END = 0;
    private static final int PIECE_BYTES = 64 * 1024;

    /** What a snapshot holds. */
    public record Summary(long revision, long entries) {}

    private Snapshot() {}

    /** The file of a store as it is now, piece by piece; what the store commits meanwhile is not in it. For one thread. */
    public static Iterator<byte[]> pieces(Store store) {
        Store.Range all = store.range("", null, 0, 0);
        return new Pieces(all.revision(), all.entries().iterator());
    }

    /** Writes the file of a store as it is now. */
    public static Summary write(Store store, OutputStream out) throws IOException {
        Store.Range all = store.range("", null, 0, 0);
        for (Iterator<byte[]> pieces = new Pieces(all.revision(), all.entries().iterator()); pieces.hasNext(); ) {
            out.write(pieces.next());
        }
        return new Summary(all.revision(), all.entries().size());
    }

    /**
     * Reads a file to its end.
     *
     * @param entries takes each in key order; what it took counts only if this returns
     * @throws StoreException if it is no snapshot, or not a whole one
     */
    public static Summary read(InputStream in, String name, Consumer<Store.Entry> entries) {
        try {
            MessageDigest digest = sha256();
            DigestInputStream digested = new DigestInputStream(new GZIPInputStream(in, PIECE_BYTES), digest);
            DataInputStream data = new DataInputStream(digested);
            byte[] magic = data.readNBytes(MAGIC.length);
            if (!java.util.Arrays.equals(magic, MAGIC)) {
                throw new StoreException(name + " is no snapshot of Trimtab's");
            }
            long revision = data.readLong();
            long count = 0;
            while (data.readByte() == ENTRY) {
                String key = new String(data.readNBytes(data.readInt()), StandardCharsets.UTF_8);
                long created = data.readLong();
                long modified = data.readLong();
                int length = data.readInt();
                byte[] value = data.readNBytes(length);
                if (value.length < length) {
                    throw new EOFException();
                }
                entries.accept(new Store.Entry(key, value, created, modified));
                count++;
            }
            long expected = data.readLong();
            digested.on(false);
            byte[] sum = data.readNBytes(32);
            // To the very end, so that the compression's own checksum is looked at, too.
            if (expected != count || data.read() >= 0 || !MessageDigest.isEqual(sum, digest.digest())) {
                throw new StoreException(
                        "the snapshot " + name + " is damaged: its checksum does not match; use another");
            }
            return new Summary(revision, count);
        } catch (IOException | NegativeArraySizeException | IllegalArgumentException e) {
            throw new StoreException(
                    "the snapshot " + name + " cannot be read to its end ("
                            + (e.getMessage() == null ? "it is cut off" : e.getMessage())
                            + "); use another",
                    e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class Pieces implements Iterator<byte[]> {
        private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(2 * PIECE_BYTES);
        private final GZIPOutputStream compressed;
        private final MessageDigest digest = sha256();
        private final DigestOutputStream digested;
        private final DataOutputStream data;
        private final Iterator<Store.Entry> entries;
        private long count;
        private boolean finished;

        Pieces(long revision, Iterator<Store.Entry> entries) {
            this.entries = entries;
            try {
                compressed = new GZIPOutputStream(buffer, PIECE_BYTES);
                digested = new DigestOutputStream(compressed, digest);
                data = new DataOutputStream(digested);
                data.write(MAGIC);
                data.writeLong(revision);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public boolean hasNext() {
            return !finished;
        }

        @Override
        public byte[] next() {
            if (finished) {
                throw new NoSuchElementException();
            }
            try {
                while (buffer.size() < PIECE_BYTES && entries.hasNext()) {
                    Store.Entry entry = entries.next();
                    byte[] key = entry.key().getBytes(StandardCharsets.UTF_8);
                    data.writeByte(ENTRY);
                    data.writeInt(key.length);
                    data.write(key);
                    data.writeLong(entry.createRevision());
                    data.writeLong(entry.revision());
                    data.writeInt(entry.value().length);
                    data.write(entry.value());
                    count++;
                }
                if (!entries.hasNext()) {
                    data.writeByte(END);
                    data.writeLong(count);
                    data.flush();
                    digested.on(false);
                    data.write(digest.digest());
                    data.flush();
                    compressed.finish();
                    finished = true;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            byte[] piece = buffer.toByteArray();
            buffer.reset();
            return piece;
        }
    }
}
