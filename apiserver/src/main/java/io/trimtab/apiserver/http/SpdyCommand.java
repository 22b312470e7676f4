package io.trimtab.apiserver.http;

import io.trimtab.apiserver.streaming.RemoteCommand;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A command's streams over SPDY: the client opens one for each, then the command begins. On the connection's lane. */
final class SpdyCommand {
    /** A client reads its streams to their ends before it believes the status; one that does not is not waited for. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final SpdyConnection connection;
    private final RemoteCommand command;
    private final Driver driver;
    private final Map<String, SpdyConnection.Stream> streams = new HashMap<>();
    private RemoteCommand.Input input = Upgrade.nobody();
    private boolean started;

    SpdyCommand(SpdyConnection connection, RemoteCommand command, Driver driver, Driver.Lane lane) {
        this.connection = connection;
        this.command = command;
        this.driver = driver;
        connection.onStream(this::opened, () -> input.gone());
    }

    private void opened(SpdyConnection.Stream stream) {
        String type = Objects.requireNonNullElse(stream.header("streamType"), "");
        streams.put(type, stream);
        if (type.equals("stdin")) {
            stream.onData(bytes -> input.stdin(bytes), () -> input.endStdin());
        }
        boolean complete = streams.containsKey("error")
                && (!command.stdin() || streams.containsKey("stdin"))
                && (!command.stdout() || streams.containsKey("stdout"))
                && (!command.stderr() || command.tty() || streams.containsKey("stderr"));
        if (complete && !started) {
            started = true;
            start();
        }
    }

    private SpdyConnection.@Nullable Stream stream(String type) {
        return streams.get(type);
    }

    private void start() {
        SpdyConnection.Stream out = stream("stdout");
        SpdyConnection.Stream err = stream("stderr");
        SpdyConnection.Stream error = Objects.requireNonNull(stream("error"));
        input = command.start().apply(new RemoteCommand.Output() {
            @Override
            public void stdout(byte[] bytes) {
                if (out != null) {
                    out.write(bytes);
                }
            }

            @Override
            public void stderr(byte[] bytes) {
                if (err != null) {
                    err.write(bytes);
                }
            }

            @Override
            public void end(byte[] status) {
                error.write(status);
                error.finish();
                if (out != null) {
                    out.finish();
                }
                if (err != null) {
                    err.finish();
                }
                driver.schedule(LINGER, connection::close);
            }
        });
    }
}
