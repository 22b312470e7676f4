package io.trimtab.apiserver.http;

import io.trimtab.apiserver.streaming.PortForward;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Forwarded ports over SPDY: two streams a connection, one for data and one for what goes wrong. On the connection's lane. */
final class SpdyPortForward {
    private final PortForward ports;
    private final Map<String, SpdyConnection.Stream> errors = new HashMap<>();
    private final Map<String, SpdyConnection.Stream> waiting = new HashMap<>();
    private final List<PortForward.Input> inputs = new ArrayList<>();

    SpdyPortForward(SpdyConnection connection, PortForward ports) {
        this.ports = ports;
        connection.onStream(this::opened, () -> inputs.forEach(PortForward.Input::end));
    }

    private void opened(SpdyConnection.Stream stream) {
        String request = Objects.requireNonNullElse(stream.header("requestID"), "0");
        if ("error".equals(stream.header("streamType"))) {
            errors.put(request, stream);
        } else {
            waiting.put(request, stream);
        }
        SpdyConnection.Stream error = errors.get(request);
        SpdyConnection.Stream data = waiting.get(request);
        if (error != null && data != null) {
            errors.remove(request);
            waiting.remove(request);
            connect(data, error, data.header("port"));
        }
    }

    private void connect(SpdyConnection.Stream data, SpdyConnection.Stream error, @Nullable String port) {
        int number;
        try {
            number = Integer.parseInt(Objects.requireNonNullElse(port, ""));
        } catch (NumberFormatException e) {
            error.write(("unable to parse \"" + port + "\" as a port").getBytes(StandardCharsets.UTF_8));
            error.finish();
            data.finish();
            return;
        }
        PortForward.Input input = ports.connector().open(number, new PortForward.Output() {
            @Override
            public void data(byte[] bytes) {
                data.write(bytes);
            }

            @Override
            public void end() {
                data.finish();
                error.finish();
            }

            @Override
            public void error(String message) {
                error.write(message.getBytes(StandardCharsets.UTF_8));
                error.finish();
                data.finish();
            }
        });
        inputs.add(input);
        data.onData(input::data, input::end);
    }
}
