package io.trimtab.apiserver.http;

import io.trimtab.apiserver.ApiResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/** Compresses large answers, for clients that take it. Kubernetes' numbers: 128 KiB and more, at the quickest level. */
final class Gzip {
    static final int THRESHOLD_BYTES = 128 * 1024;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 * 1024);
    private final GZIPOutputStream stream;

    Gzip() {
        try {
            stream = new GZIPOutputStream(bytes, 8192, false) {
                {
                    def.setLevel(Deflater.BEST_SPEED);
                }
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean isWorthIt(ApiResponse.Whole whole) {
        return whole.body().length >= THRESHOLD_BYTES && isEncodable(whole.headers());
    }

    static boolean isEncodable(Map<String, List<String>> headers) {
        return headers.keySet().stream().noneMatch(h -> h.equalsIgnoreCase("Content-Encoding"));
    }

    static ApiResponse.Whole whole(ApiResponse.Whole whole) {
        Gzip gzip = new Gzip();
        gzip.add(whole.body());
        return new ApiResponse.Whole(whole.code(), encoded(whole.headers()), gzip.finish());
    }

    static Map<String, List<String>> encoded(Map<String, List<String>> headers) {
        Map<String, List<String>> all = new LinkedHashMap<>(headers);
        all.put("Content-Encoding", List.of("gzip"));
        all.merge("Vary", List.of("Accept-Encoding"), (a, b) -> {
            List<String> both = new java.util.ArrayList<>(a);
            if (!both.contains("Accept-Encoding")) {
                both.add("Accept-Encoding");
            }
            return both;
        });
        return all;
    }

    void add(byte[] piece) {
        try {
            stream.write(piece);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What has been compressed so far and not been taken. */
    byte[] take() {
        byte[] taken = bytes.toByteArray();
        bytes.reset();
        return taken;
    }

    byte[] finish() {
        try {
            stream.finish();
            stream.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return take();
    }
}
