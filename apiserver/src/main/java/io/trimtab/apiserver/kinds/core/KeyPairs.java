package io.trimtab.apiserver.kinds.core;

import io.trimtab.apiserver.errors.FieldErrors;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says, in the words of Go's TLS library, why a certificate and a key are no pair to serve with. Stateless. */
final class KeyPairs {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([^-]+)-----\\s.*?-----END \\1-----", Pattern.DOTALL);

    private KeyPairs() {}

    /** What is wrong with the two files, as they are in a Secret, in base64; empty if nothing that can be seen from outside. */
    static String mismatch(String certificate, String key) {
        List<String> blocks = blocks(certificate);
        if (!blocks.contains("CERTIFICATE")) {
            if (blocks.isEmpty()) {
                return "tls: failed to find any PEM data in certificate input";
            }
            return blocks.size() == 1 && blocks.get(0).endsWith("PRIVATE KEY")
                    ? "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM"
                            + " inputs may have been switched"
                    : "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the"
                            + " following types: " + shown(blocks);
        }
        blocks = blocks(key);
        if (blocks.stream().noneMatch(type -> type.equals("PRIVATE KEY") || type.endsWith(" PRIVATE KEY"))) {
            if (blocks.isEmpty()) {
                return "tls: failed to find any PEM data in key input";
            }
            return blocks.equals(List.of("CERTIFICATE"))
                    ? "tls: found a certificate rather than a key in the PEM for the private key"
                    : "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM"
                            + " blocks of the following types: " + shown(blocks);
        }
        return "";
    }

    private static String shown(List<String> types) {
        List<String> quoted = new ArrayList<>();
        types.forEach(type -> quoted.add(FieldErrors.quote(type)));
        return "[" + String.join(" ", quoted) + "]";
    }

    private static List<String> blocks(String base64) {
        List<String> types = new ArrayList<>();
        try {
            String text = new String(Base64.getDecoder().decode(base64), StandardCharsets.ISO_8859_1);
            for (Matcher block = BLOCK.matcher(text); block.find(); ) {
                types.add(block.group(1));
            }
        } catch (IllegalArgumentException e) {
            return List.of(); // no base64: refused elsewhere
        }
        return types;
    }
}
