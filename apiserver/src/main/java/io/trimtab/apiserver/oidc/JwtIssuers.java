package io.trimtab.apiserver.oidc;

import io.trimtab.apiserver.auth.Audiences;
import io.trimtab.apiserver.auth.TokenAuthenticator;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * All issuers whose tokens are believed; they may be exchanged while requests come. Safe for use by any thread; whoever made it
 * closes it.
 */
public final class JwtIssuers implements TokenAuthenticator, AutoCloseable {
    /** What tokens may be signed by, where nobody says less. */
    public static final List<String> ALGORITHMS = JsonWebKeys.ALGORITHMS;

    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final CalloutTransport transport;
    private final Driver driver;
    private final List<String> algorithms;
    private final List<String> audiences;
    private volatile List<JwtIssuer> issuers;
    /** Counts exchanges: the latest wins. */
    private final AtomicInteger exchanges = new AtomicInteger();

    /**
     * Begins to look for the issuers.
     *
     * @param algorithms that tokens may be signed by
     * @param audiences the names by which this server goes
     */
    public JwtIssuers(
            AuthenticationConfig config,
            Collection<String> algorithms,
            List<String> audiences,
            CalloutTransport transport,
            Driver driver) {
        this.transport = transport;
        this.driver = driver;
        this.algorithms = List.copyOf(algorithms);
        this.audiences = List.copyOf(audiences);
        this.issuers = make(config);
    }

    private List<JwtIssuer> make(AuthenticationConfig config) {
        List<JwtIssuer> made = new ArrayList<>();
        for (IssuerConfig issuer : config.issuers()) {
            JwtIssuer one = new JwtIssuer(issuer, algorithms, transport, driver);
            one.start();
            made.add(one);
        }
        return List.copyOf(made);
    }

    @Override
    public Optional<Authenticated> authenticate(String token, List<String> forAudiences) {
        List<String> errors = new ArrayList<>();
        for (JwtIssuer issuer : issuers) {
            try {
                Optional<UserInfo> user = issuer.authenticate(token);
                if (user.isPresent()) {
                    return Audiences.within(user.get(), audiences, forAudiences);
                }
            } catch (BadToken e) {
                errors.add(Objects.requireNonNull(e.getMessage()));
            }
        }
        if (errors.isEmpty()) {
            return Optional.empty();
        }
        throw new BadToken(errors.size() == 1 ? errors.get(0) : "[" + String.join(", ", errors) + "]");
    }

    /** Why tokens of one of the issuers cannot be checked; null if all can. */
    public @Nullable String problem() {
        return problem(issuers);
    }

    private static @Nullable String problem(List<JwtIssuer> some) {
        return some.stream()
                .map(JwtIssuer::problem)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /**
     * Exchanges the issuers, once all of the new ones are found; the old ones hold until then, and for good if that takes more than
     * a minute.
     *
     * @param done told what hindered it; null if nothing did
     */
    public void exchange(AuthenticationConfig config, Consumer<@Nullable String> done) {
        int mine = exchanges.incrementAndGet();
        List<JwtIssuer> fresh = make(config);
        await(mine, fresh, driver.nanoTime() + PATIENCE.toNanos(), done);
    }

    private void await(int mine, List<JwtIssuer> fresh, long until, Consumer<@Nullable String> done) {
        String problem = problem(fresh);
        if (mine != exchanges.get()) {
            fresh.forEach(JwtIssuer::close);
        } else if (problem == null) {
            List<JwtIssuer> old = issuers;
            issuers = fresh;
            old.forEach(JwtIssuer::close);
            done.accept(null);
        } else if (driver.nanoTime() - until > 0) {
            fresh.forEach(JwtIssuer::close);
            done.accept(problem);
        } else {
            driver.schedule(LOOK, () -> await(mine, fresh, until, done));
        }
    }

    @Override
    public void close() {
        exchanges.incrementAndGet();
        issuers.forEach(JwtIssuer::close);
    }
}
