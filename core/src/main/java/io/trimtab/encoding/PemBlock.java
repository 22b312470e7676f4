package io.trimtab.encoding;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One block of a text in PEM (RFC 7468), without headers.
 *
 * @param type what stands behind BEGIN, such as {@code CERTIFICATE}
 * @param der what it holds; nobody may change it
 */
public record PemBlock(String type, byte[] der) {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s*([A-Za-z0-9+/=\\s]*?)-----END \\1-----");
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    /** All blocks of a text, in their order; what stands between them is passed over, as are blocks with headers. */
    public static List<PemBlock> all(String text) {
        List<PemBlock> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(text);
        while (matcher.find()) {
            byte[] base64 = matcher.group(2).getBytes(StandardCharsets.US_ASCII);
            blocks.add(new PemBlock(matcher.group(1), Base64.getMimeDecoder().decode(base64)));
        }
        return blocks;
    }

    /** The block as text, with an end of line. */
    public String text() {
        return "-----BEGIN " + type + "-----\n" + LINES.encodeToString(der) + "\n-----END " + type + "-----\n";
    }
}
