package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.Statuses;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads bearer tokens: from the {@code Authorization} header, or, as browsers cannot set that, from the subprotocols of a
 * WebSocket. Safe for use by any thread.
 */
public final class BearerTokens implements Authenticator {
    private static final String WEB_SOCKET_PREFIX = "base64url.bearer.authorization.k8s.io.";
    static final String INVALID = "invalid bearer token";

    private final List<TokenAuthenticator> sorts;
    private final List<String> audiences;

    /** @param audiences the names by which this server goes */
    public BearerTokens(List<TokenAuthenticator> sorts, List<String> audiences) {
        this.sorts = List.copyOf(sorts);
        this.audiences = List.copyOf(audiences);
    }

    @Override
    public Optional<UserInfo> authenticate(ApiRequest request) {
        String token = token(request);
        if (token == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(review(token, audiences).user());
        } catch (TokenAuthenticator.BadToken e) {
            throw Statuses.unauthorized();
        }
    }

    /** The names by which this server goes. */
    public List<String> audiences() {
        return audiences;
    }

    /**
     * Whom the token stands for.
     *
     * @throws TokenAuthenticator.BadToken if nobody
     */
    public TokenAuthenticator.Authenticated review(String token, List<String> forAudiences) {
        List<String> errors = new ArrayList<>();
        for (TokenAuthenticator sort : sorts) {
            try {
                Optional<TokenAuthenticator.Authenticated> found = sort.authenticate(token, forAudiences);
                if (found.isPresent()) {
                    UserInfo user = AuthenticatorChain.withGroup(found.get().user(), UserInfo.AUTHENTICATED_GROUP);
                    return new TokenAuthenticator.Authenticated(
                            user, found.get().audiences());
                }
            } catch (TokenAuthenticator.BadToken e) {
                errors.add(e.getMessage());
            }
        }
        errors.add(0, INVALID);
        throw new TokenAuthenticator.BadToken(errors.size() == 1 ? INVALID : "[" + String.join(", ", errors) + "]");
    }

    private static @Nullable String token(ApiRequest request) {
        String header = request.header("authorization");
        if (header != null && !header.isBlank()) {
            String[] parts = header.trim().split(" ", 3);
            boolean bearer = parts.length >= 2 && parts[0].equalsIgnoreCase("bearer") && !parts[1].isEmpty();
            return bearer ? parts[1] : null;
        }
        String upgrade = request.header("upgrade");
        if (upgrade == null || !upgrade.toLowerCase(Locale.ROOT).contains("websocket")) {
            return null;
        }
        String found = null;
        for (String line : request.headers().getOrDefault("sec-websocket-protocol", List.of())) {
            for (String protocol : line.split(",")) {
                String trimmed = protocol.trim();
                if (trimmed.startsWith(WEB_SOCKET_PREFIX)) {
                    if (found != null) {
                        throw Statuses.unauthorized(); // two tokens: which one is meant?
                    }
                    found = decode(trimmed.substring(WEB_SOCKET_PREFIX.length()));
                }
            }
        }
        return found;
    }

    private static String decode(String encoded) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(encoded);
            String token = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            if (encoded.contains("=") || token.isEmpty()) {
                throw Statuses.unauthorized();
            }
            return token;
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw Statuses.unauthorized();
        }
    }
}
